"""Specification 2.2: whatever becomes of applications, and whenever somebody drains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synctasks.flows.to_warehouse.application_events import APPLICATION_EVENTS
from tests.flows.applications import (
    APPROVED,
    DAY,
    SUBMITTED,
    alter,
    application_id,
    events,
    given_application,
    given_scheme,
    letters,
    seconds_pass,
    verified,
)
from tests.flows.citizens import given_citizen, given_record
from tests.flows.documents import waiting
from tests.flows.transitions import QUIET, UNKNOWN, WORDS, Row, Story
from tests.flows.transitions import known as expected_events
from tests.flows.transitions import letters as expected_letters
from tests.integration.machine.profiles import TIMEOUT, lives
from tests.letters import drain_pending
from tests.refreshing import full_run
from tests.rows import Connection, execute, value
from tests.syncing import pending

OTHERS = (0, 1)


@dataclass(frozen=True)
class Change:
    """One statement on an application: it is inserted, updated or (without columns) deleted."""

    which: int
    columns: dict[str, Any] | None


@dataclass(frozen=True)
class Together:
    """Statements of one transaction."""

    changes: list[Change]
    commits: bool


_columns = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from((*WORDS, *QUIET, *WORDS, *QUIET, UNKNOWN)),
        "submitted_at": st.sampled_from((None, SUBMITTED, SUBMITTED + DAY)),
        "approved_at": st.sampled_from((None, APPROVED, APPROVED - DAY, APPROVED + DAY)),
    },
).filter(bool)
_changes = st.builds(
    Change, st.sampled_from(OTHERS), st.one_of(_columns, _columns, _columns, st.none())
)
_together = st.builds(Together, st.lists(_changes, min_size=1, max_size=3), st.booleans())
_acts = st.one_of(
    _changes,
    _changes,
    _together,
    st.sampled_from(("drain", "drain", "the ladder ends", "full run")),
)


class Portal:
    """Two applications that nobody else has, and the stories that they have by now."""

    def __init__(self, citizen: Connection, first: int) -> None:
        self._citizen = citizen
        self._first = first
        self.stories = {first + which: Story() for which in OTHERS}

    def do(self, act: Change | Together | str) -> None:
        if isinstance(act, Change):
            self._change(act)
        elif isinstance(act, Together):
            self._all_or_nothing(act)
        else:
            _ACTS[act](self._citizen)

    def _change(self, change: Change) -> None:
        number = self._first + change.which
        story = self.stories[number]
        if change.columns is None:
            statement = "DELETE FROM service_applications WHERE id = %s"
            execute(self._citizen, statement, [application_id(number)])
            story.becomes(None)
        elif story.row is None:
            given_application(self._citizen, number, **change.columns)
            story.becomes(replace(Row("draft", None, None), **change.columns))
        else:
            alter(self._citizen, number, **change.columns)
            story.becomes(replace(story.row, **change.columns))

    def _all_or_nothing(self, together: Together) -> None:
        before = {number: story.copy() for number, story in self.stories.items()}
        execute(self._citizen, "BEGIN")
        for change in together.changes:
            self._change(change)
        execute(self._citizen, "COMMIT" if together.commits else "ROLLBACK")
        if not together.commits:
            self.stories = before


def _drain(citizen: Connection) -> None:
    drain_pending()


def _ladder_ends(citizen: Connection) -> None:
    while pending(citizen, APPLICATION_EVENTS):
        seconds_pass(citizen)
        drain_pending()


def _run(citizen: Connection) -> None:
    assert full_run(citizen, APPLICATION_EVENTS)["state"] == "succeeded"


_ACTS: dict[str, Callable[[Connection], None]] = {
    "drain": _drain,
    "the ladder ends": _ladder_ends,
    "full run": _run,
}


@pytest.mark.timeout(TIMEOUT)
def test_in_the_end_the_warehouse_knows_all_that_was_committed(
    citizen: Connection, warehouse: Connection
) -> None:
    """Each story is of applications of its own; at last a full run finds nothing to mend."""
    given_citizen(citizen)
    given_record(warehouse)
    given_scheme(citizen)
    numbers = count(1, len(OTHERS))
    told: list[Portal] = []

    @lives(30)
    @given(st.lists(_acts, min_size=4, max_size=14))
    def tell(acts: list[Change | Together | str]) -> None:
        portal = Portal(citizen, next(numbers))
        told.append(portal)
        for act in acts:
            portal.do(act)
        _ladder_ends(citizen)
        _knows(citizen, warehouse, portal)

    tell()
    before = value(warehouse, _VERSIONS)
    _run(citizen)
    assert value(warehouse, _VERSIONS) == before
    known = sum(len(expected_events(each.told)) for each in _stories(told))
    wrong = sum(expected_letters(each.told) for each in _stories(told))
    assert verified() == ({"matched": known, "dead_lettered": wrong}, [])
    assert waiting(citizen) == {}


_VERSIONS = "SELECT array_agg(xmin::text || ctid ORDER BY ctid) FROM decision.application_events"


def _stories(told: list[Portal]) -> list[Story]:
    return [story for portal in told for story in portal.stories.values()]


def _knows(citizen: Connection, warehouse: Connection, portal: Portal) -> None:
    for number, story in portal.stories.items():
        known = expected_events(story.told)
        assert {_key(event): event[2] for event in events(warehouse, number)} == known
        of_it = [unit for unit, *_ in letters(citizen) if unit == application_id(number)]
        assert len(of_it) == expected_letters(story.told)


def _key(event: tuple[str, datetime, datetime | None]) -> tuple[str, datetime]:
    return event[0].removeprefix("APPLICATION_").lower(), event[1]
