"""Applications, decisions, alerts and comments, whatever happens in whatever order."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from hypothesis.stateful import run_state_machine_as_test

from synctasks.capture import change_log
from synctasks.engine.changes import LADDER_STEPS
from synctasks.flows.to_warehouse.application_events import APPLICATION_EVENTS
from tests.integration.machine import mutants
from tests.integration.machine.application import AT_ONCE
from tests.integration.machine.applying import Applying
from tests.integration.machine.broken import Differs
from tests.integration.machine.ground import Ground
from tests.integration.machine.profiles import TIMEOUT, lives
from tests.rows import execute
from tests.transitions import WITNESS
from tests.workspace import CITIZEN, Workspace

Script = Callable[[Applying], None]
_EVENTS = Applying.flows.index(APPLICATION_EVENTS)


@pytest.fixture(scope="module")
def witnessed(under: Ground) -> Ground:
    """A ground on which each transition is noted."""
    execute(under.citizen, WITNESS)
    return under


@pytest.mark.timeout(TIMEOUT)
def test_every_transition_arrives_once_and_what_waits_is_found(
    witnessed: Ground, place: Workspace
) -> None:
    url = place.environment[CITIZEN]
    run_state_machine_as_test(lambda: Applying(witnessed, url), settings=lives(8))


def submitted_and_decided_at_once(machine: Applying) -> None:
    """Before anybody looks, the application has been deleted."""
    machine.save(AT_ONCE, (0,), "verified")
    machine.apply(AT_ONCE, (0,), registered=False)
    machine.become(AT_ONCE, (0,), ["submitted", "approved"], timed=True)
    machine.delete(AT_ONCE, (0,))


def submitted_before_anybody_is_verified(machine: Applying) -> None:
    """An event has climbed its whole ladder by the time that its citizen is known."""
    machine.apply(AT_ONCE, (0,), registered=True)
    machine.become(AT_ONCE, (0,), ["submitted"], timed=True)
    for _ in range(LADDER_STEPS + 1):
        machine.drain(_EVENTS, 0, None)
        machine.time_passes(at_portal=True)
    lane = machine.lanes[APPLICATION_EVENTS.name][0]
    assert not change_log.pending(APPLICATION_EVENTS, lane), "it only waits now"
    machine.save(AT_ONCE, (0,), "verified")


@pytest.mark.parametrize(
    ("script", "mutant"),
    [
        (submitted_and_decided_at_once, mutants.only_the_row_counts),
        (submitted_before_anybody_is_verified, mutants.nobody_is_woken),
    ],
    ids=lambda each: each.__name__,
)
def test_a_script_shows_what_is_taken_out(
    witnessed: Ground,
    place: Workspace,
    script: Script,
    mutant: Callable[[Ground], AbstractContextManager[None]],
) -> None:
    url = place.environment[CITIZEN]
    _live(Applying(witnessed, url), script)
    with mutant(witnessed), pytest.raises(Differs):
        _live(Applying(witnessed, url), script)


def _live(machine: Applying, script: Script) -> None:
    """One life: the script, then rest, and all that is checked then."""
    try:
        script(machine)
        machine.looks_right()
        machine.rest()
    finally:
        machine.leave()
