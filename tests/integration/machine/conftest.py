"""The ground under the machine: databases of this folder's own making, once a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import connected
from tests.integration.machine.ground import Ground, ground
from tests.integration.machine.points import points
from tests.workspace import CITIZEN, WAREHOUSE, Workspace


@pytest.fixture(scope="module")
def under(place: Workspace) -> Iterator[Ground]:
    """Databases for the machine, whose workers come to their points."""
    place.renew()
    urls = place.environment
    with (
        connected(urls[WAREHOUSE]) as warehouse,
        connected(urls[CITIZEN]) as citizen,
        points(),
    ):
        yield ground(warehouse, citizen, urls[WAREHOUSE])
