"""Flows from the portal to the warehouse: from the third release on."""
