"""Alerts: what somebody has to look at, since when, and who was told."""
