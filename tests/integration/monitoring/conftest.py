"""Tests of what is shown and alerted to share their databases within a file, emptied each time."""

from tests.emptied import databases, renewed

__all__ = ["databases", "renewed"]
