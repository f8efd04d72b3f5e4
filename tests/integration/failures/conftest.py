"""Tests of failures share their databases within a file, emptied each time."""

from tests.emptied import databases, renewed

__all__ = ["databases", "renewed"]
