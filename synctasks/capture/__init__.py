"""Capture: how a committed change at the source becomes work."""
