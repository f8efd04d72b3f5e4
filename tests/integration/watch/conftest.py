"""Tests of the watch share their databases within a file, emptied each time."""

from tests.emptied import databases, renewed

__all__ = ["databases", "renewed"]
