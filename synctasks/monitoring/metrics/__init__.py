"""Metrics for Prometheus: the figures of the tables, as they stand at each scrape."""
