"""Monitoring: what the tables say about how the flows are doing."""
