"""Citizens and documents, whatever happens in whatever order: the latest wins, nobody is lost."""

from __future__ import annotations

import pytest
from hypothesis.stateful import run_state_machine_as_test

from synctasks.capture import change_log
from synctasks.engine.changes import LADDER_STEPS
from synctasks.flows.to_warehouse.document_metadata import DOCUMENT_METADATA
from tests.integration.machine import mutants
from tests.integration.machine.application import AT_ONCE
from tests.integration.machine.arrivals import Arrivals
from tests.integration.machine.broken import Differs
from tests.integration.machine.ground import Ground
from tests.integration.machine.profiles import TIMEOUT, lives
from tests.workspace import CITIZEN, Workspace


@pytest.mark.timeout(TIMEOUT)
def test_the_latest_wins_and_documents_find_their_people(under: Ground, place: Workspace) -> None:
    url = place.environment[CITIZEN]
    run_state_machine_as_test(lambda: Arrivals(under, url), settings=lives(20))


def test_a_document_that_nobody_wakes_is_missed(under: Ground, place: Workspace) -> None:
    url = place.environment[CITIZEN]
    _wait_and_be_woken(Arrivals(under, url))
    with mutants.nobody_is_woken(under), pytest.raises(Differs):
        _wait_and_be_woken(Arrivals(under, url))


def _wait_and_be_woken(machine: Arrivals) -> None:
    """A document comes before its citizen is verified, and has climbed its whole ladder."""
    try:
        machine.save(AT_ONCE, (0,), "pending")
        machine.upload(AT_ONCE, (0,))
        for _ in range(LADDER_STEPS + 1):
            machine.drain_documents(0, None)
            machine.time_passes()
        assert not change_log.pending(DOCUMENT_METADATA, machine.lanes[0]), "it only waits now"
        machine.save(AT_ONCE, (0,), "verified")
        machine.looks_right()
        machine.rest()
    finally:
        machine.leave()
