"""Flows from the warehouse to the portal."""
