"""Figures: what the tables of one database say. All that is shown anywhere comes from here."""
