"""Specification 2.2: writers and workers side by side, and workers that die."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from synctasks.engine.drain import Drain
from synctasks.flows.to_warehouse.application_events import APPLICATION_EVENTS
from tests.conftest import connected
from tests.flows.applications import (
    APPROVED,
    SUBMITTED,
    alter,
    application_id,
    becomes,
    events,
    given_application,
    given_scheme,
    happened,
    letters,
    logged,
    verified,
)
from tests.flows.citizens import given_citizen, given_record
from tests.refreshing import carry, drains
from tests.rows import Connection, execute, rows, value
from tests.syncing import by_events, pending
from tests.workspace import CITIZEN

PENDING = "SELECT count(*) FROM synctasks.change_log WHERE flow = 'application_events'"


@pytest.fixture(autouse=True)
def known(citizen: Connection, warehouse: Connection) -> None:
    """Asha, whom the warehouse knows, and a scheme to apply for."""
    given_citizen(citizen)
    given_record(warehouse)
    given_scheme(citizen)


def test_writers_of_one_application_are_logged_in_the_order_of_their_changes(
    citizen: Connection, databases: dict[str, str]
) -> None:
    given_application(citizen, status="approved", submitted_at=SUBMITTED, approved_at=APPROVED)

    def write(_: int) -> None:
        with connected(databases[CITIZEN]) as own:
            for _ in range(25):
                execute(
                    own,
                    "UPDATE service_applications SET approved_at = approved_at + interval '1 s'",
                )

    with ThreadPoolExecutor(4) as writers:
        list(writers.map(write, range(4)))
    steps = rows(
        citizen,
        """SELECT extract(epoch FROM ("row" ->> 'approved_at')::timestamptz - %s)::int
        FROM synctasks.event_log ORDER BY id""",
        [APPROVED],
    )
    assert steps == list(range(101))


def test_workers_side_by_side_lose_nothing_and_write_nothing_twice(
    citizen: Connection, warehouse: Connection, databases: dict[str, str]
) -> None:
    """While applications go all the way, one after the other, by several hands."""

    def write(first: int) -> None:
        with connected(databases[CITIZEN]) as own:
            for number in range(first, 41, 4):
                given_application(own, number)
                becomes(own, "submitted", number, submitted_at=SUBMITTED)
                becomes(own, "approved", number, approved_at=APPROVED)
                if number % 3 == 0:
                    execute(
                        own,
                        "DELETE FROM service_applications WHERE id = %s",
                        [application_id(number)],
                    )

    with (
        drains(APPLICATION_EVENTS),
        drains(APPLICATION_EVENTS),
        ThreadPoolExecutor(4) as writers,
    ):
        list(writers.map(write, range(1, 5)))
    carry(APPLICATION_EVENTS)
    whole = [happened("approved", SUBMITTED, APPROVED), happened("submitted")]
    assert all(events(warehouse, number) == whole for number in range(1, 41))
    assert verified() == ({"matched": 80}, [])
    assert (value(citizen, PENDING), letters(citizen)) == (0, [])
    balance = "SELECT sum(taken - units - coalesced), sum(written) FROM synctasks.history"
    unbalanced, written = value(citizen, balance)
    assert unbalanced == 0
    assert written == 80


class _Killed(BaseException):
    """What ends a worker: nothing of ours runs any more."""


@pytest.fixture
def dying(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The next worker dies between the target's commit and the settling; counts the dead."""
    dead: list[int] = []
    settle = Drain.settle

    def die_once(self: Drain, *arguments: Any) -> bool:
        if not dead:
            dead.append(1)
            raise _Killed
        return settle(self, *arguments)

    monkeypatch.setattr(Drain, "settle", die_once)
    yield dead
    assert dead, "nobody came so far"


def test_dying_before_it_is_settled_what_was_written_is_found_written(
    citizen: Connection, warehouse: Connection, dying: list[int]
) -> None:
    given_application(citizen)
    becomes(citizen, "submitted", submitted_at=SUBMITTED)
    becomes(citizen, "lost")
    alter(citizen, status="approved", approved_at=APPROVED)
    with pytest.raises(_Killed):
        carry(APPLICATION_EVENTS)
    whole = [happened("approved", SUBMITTED, APPROVED), happened("submitted")]
    assert events(warehouse) == whole
    assert len(pending(citizen, APPLICATION_EVENTS)) == 4
    counts = {"read": 4, "unchanged": 2, "filtered": 1, "rejected": 1}
    assert by_events(citizen, APPLICATION_EVENTS) == counts
    assert (events(warehouse), len(letters(citizen))) == (whole, 1)


def test_two_who_write_one_application_at_once_are_two_transitions(
    citizen: Connection, warehouse: Connection, databases: dict[str, str]
) -> None:
    """The second one waits for the first, and is logged after it."""
    given_application(citizen, status="submitted", submitted_at=SUBMITTED)
    execute(citizen, "BEGIN")
    becomes(citizen, "rejected")
    began = threading.Event()

    def write() -> None:
        with connected(databases[CITIZEN]) as own:
            began.set()
            becomes(own, "withdrawn")

    with ThreadPoolExecutor(1) as writers:
        other = writers.submit(write)
        began.wait(10)
        assert by_events(citizen, APPLICATION_EVENTS) == {"read": 1, "written": 1}
        execute(citizen, "COMMIT")
        other.result(10)
    by_events(citizen, APPLICATION_EVENTS)
    assert logged(citizen) == ["submitted", "rejected", "withdrawn"]
    assert [name for name, *_ in events(warehouse)] == [
        "APPLICATION_REJECTED",
        "APPLICATION_SUBMITTED",
        "APPLICATION_WITHDRAWN",
    ]
