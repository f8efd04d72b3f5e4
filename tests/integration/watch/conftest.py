"""Tests of the watch share their databases within a file, emptied each time."""

import pytest
from celery import Celery

from tests.emptied import databases, renewed

__all__ = ["databases", "renewed"]


@pytest.fixture
def celery(databases: dict[str, str]) -> Celery:
    """Our app, through which messages are sent."""
    # It reads the environment.
    from synctasks.app import app

    made: Celery = app
    return made
