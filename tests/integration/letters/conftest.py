"""Tests of dead letters share their databases within a file, emptied each time."""

from __future__ import annotations

import pytest

from tests.emptied import empty
from tests.workspace import Workspace


@pytest.fixture(scope="module")
def renewed(place: Workspace) -> Workspace:
    """The workspace as a fresh installation leaves it, once a file."""
    place.renew()
    return place


@pytest.fixture
def databases(renewed: Workspace) -> dict[str, str]:
    """Both databases installed, without rows or requests, the broker empty; their URLs."""
    empty(renewed)
    return renewed.environment
