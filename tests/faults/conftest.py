"""A ground for each run of the fault tests: always servers of our own, nobody else's are hurt."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.bearing import Bearing
from tests.faults.ground import Ground, prepared_ground
from tests.faults.troubles import prepare_troubles
from tests.faults.witness import Witness


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with prepared_ground(tmp_path_factory.mktemp("faults")) as made:
        yield made


@pytest.fixture
def ground(prepared: Ground) -> Ground:
    """All servers, two workers, listener and beat at work through the links; no rows."""
    prepared.renew()
    return prepared


@pytest.fixture(scope="session")
def witness(prepared: Ground) -> Witness:
    prepare_troubles(prepared)
    return Witness(prepared)


@pytest.fixture
def bearing(ground: Ground, witness: Witness) -> Bearing:
    """The ground, with a witness who has seen nothing yet."""
    witness.forget()
    return Bearing(ground, witness)
