"""Specification 2.2 and the rulings: which transitions are rejected, wait, or are put right."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from synctasks.dead_letters.seal import unseal
from synctasks.flows.to_warehouse.application_events import APPLICATION_EVENTS
from tests.flows.applications import (
    APPROVED,
    BEGUN,
    PENSION,
    SUBMITTED,
    alter,
    application_id,
    becomes,
    events,
    given_application,
    given_scheme,
    happened,
    letters,
    verified,
)
from tests.flows.citizens import (
    ASHA,
    UPDATED,
    given_citizen,
    given_record,
)
from tests.letters import typed, worker
from tests.rows import Connection, execute, value
from tests.syncing import Sync, by_events, by_full_run, either_way

REJECTED = {"read": 1, "rejected": 1}
GOOD: dict[str, Any] = {"status": "submitted", "submitted_at": SUBMITTED}
UNKNOWN = "status: is none of draft, submitted, under_review, approved, rejected, withdrawn"
SOON = "clock_timestamp() + interval '4 minutes'"
TOO_SOON = "clock_timestamp() + interval '6 minutes'"


@pytest.fixture(autouse=True)
def known(citizen: Connection, warehouse: Connection) -> None:
    """Asha, whom the warehouse knows, and a scheme to apply for."""
    given_citizen(citizen)
    given_record(warehouse)
    given_scheme(citizen)


@either_way
@pytest.mark.parametrize(
    ("columns", "category", "column"),
    [
        ({"status": "lost"}, "accuracy", "status"),
        ({"status": "Submitted"}, "accuracy", "status"),
        ({"status": ""}, "completeness", "status"),
        ({"status": None}, "completeness", "status"),
        ({"citizen_id": None}, "completeness", "citizen_id"),
        ({"scheme_id": None}, "completeness", "scheme_id"),
        ({"submitted_at": "infinity"}, "accuracy", "submitted_at"),
        ({"submitted_at": "-infinity"}, "accuracy", "submitted_at"),
        ({"submitted_at": "0044-03-15 12:00+00 BC"}, "accuracy", "submitted_at"),
        ({"submitted_at": "4044-03-15 12:00+00"}, "accuracy", "submitted_at"),
        ({"status": "approved", "approved_at": "infinity"}, "accuracy", "approved_at"),
        ({"updated_at": BEGUN - timedelta(microseconds=1)}, "consistency", "updated_at"),
        ({"created_at": "infinity", "updated_at": None}, "accuracy", "created_at"),
    ],
    ids=str,
)
def test_what_breaks_its_contract_is_a_dead_letter(
    citizen: Connection,
    warehouse: Connection,
    columns: dict[str, Any],
    category: str,
    column: str,
    sync: Sync,
) -> None:
    given_application(citizen, **{**GOOD, **columns})
    assert sync(citizen, APPLICATION_EVENTS) == REJECTED
    [(unit, found, said)] = letters(citizen)
    assert (unit, found, said.partition(":")[0]) == (application_id(), category, column)
    assert verified() == ({"dead_lettered": 1}, [])
    assert value(warehouse, "SELECT count(*) FROM decision.application_events") == 0


@either_way
def test_a_clock_may_be_five_minutes_ahead(
    citizen: Connection, warehouse: Connection, sync: Sync
) -> None:
    for number, moment in enumerate((SOON, TOO_SOON), start=1):
        given_application(citizen, number)
        execute(
            citizen,
            f"UPDATE service_applications SET status = 'submitted', submitted_at = {moment} "
            "WHERE id = %s",
            [application_id(number)],
        )
    counts = {"read": 4, "written": 1, "rejected": 1, "filtered": 2}
    assert sync(citizen, APPLICATION_EVENTS) == counts
    assert [unit for unit, *_ in letters(citizen)] == [application_id(2)]


@either_way
def test_creation_and_update_may_be_unknown_and_an_approval_that_is_none_is_not_read(
    citizen: Connection, warehouse: Connection, sync: Sync
) -> None:
    given_application(citizen, **GOOD, created_at=None, approved_at="infinity")
    given_application(citizen, 2, **GOOD, updated_at=None)
    given_application(citizen, 3, **GOOD, created_at=BEGUN, updated_at=BEGUN)
    assert sync(citizen, APPLICATION_EVENTS) == {"read": 3, "written": 3}


def test_an_unknown_status_stays_a_dead_letter_after_a_good_one(
    citizen: Connection, warehouse: Connection
) -> None:
    """It was a transition, and nobody knows of what: a person discards it."""
    given_application(citizen, status="lost", submitted_at=SUBMITTED)
    assert by_events(citizen, APPLICATION_EVENTS) == REJECTED
    becomes(citizen, "submitted")
    assert by_events(citizen, APPLICATION_EVENTS) == {"read": 2, "written": 1, "rejected": 1}
    assert letters(citizen) == [(application_id(), "accuracy", UNKNOWN)]
    assert value(citizen, "SELECT count FROM synctasks.dead_letter") == 2
    number = value(citizen, "SELECT id FROM synctasks.dead_letter")
    assert typed("dead-letters", "discard", str(number), "--reason", "lost").returncode == 0
    assert by_full_run(citizen, APPLICATION_EVENTS) == {
        "read": 2,
        "unchanged": 1,
        "rejected": 1,
    }
    assert value(citizen, "SELECT state FROM synctasks.dead_letter") == "discarded"
    assert events(warehouse) == [happened("submitted")]


def test_a_letter_is_of_one_change_and_keeps_what_was_captured(citizen: Connection) -> None:
    """Not what the row says by now; two changes that are wrong alike are two letters."""
    given_application(citizen, status="lost", submitted_at=SUBMITTED)
    becomes(citizen, "mislaid", submitted_at=None)
    execute(citizen, "DELETE FROM service_applications")
    assert by_events(citizen, APPLICATION_EVENTS) == {"read": 2, "rejected": 2}
    rows_kept = [
        unseal(token) for token in _column(citizen, "source_row") if not token.startswith("lost")
    ]
    assert [row["status"] for row in rows_kept] == ["lost", "mislaid"]
    for row in rows_kept:
        assert (row["id"], row["citizen_id"]) == (application_id(), ASHA)
        assert row["scheme_id"] == PENSION
    changes = _column(citizen, "record")
    assert len({*changes}) == 2
    assert all(each.startswith("change ") for each in changes)


def test_a_replay_inserts_exactly_what_was_captured(
    citizen: Connection, warehouse: Connection
) -> None:
    """The time was ahead of the clock; by now it has come, and the row has gone on."""
    given_application(citizen)
    ahead = "clock_timestamp() + interval '302 seconds'"
    execute(
        citizen, f"UPDATE service_applications SET status = 'submitted', submitted_at = {ahead}"
    )
    by_events(citizen, APPLICATION_EVENTS)
    execute(citizen, "DELETE FROM service_applications")
    number = value(citizen, "SELECT id FROM synctasks.dead_letter WHERE state = 'open'")
    captured = value(
        citizen,
        """SELECT ("row" ->> 'submitted_at')::timestamptz FROM synctasks.event_log
        WHERE "row" ->> 'status' = 'submitted'""",
    )
    execute(citizen, "SELECT pg_sleep(2.1)")
    with worker():
        assert typed("dead-letters", "replay", str(number)).returncode == 0
    assert value(citizen, "SELECT state FROM synctasks.dead_letter") == "resolved"
    assert events(warehouse) == [happened("submitted", captured)]


def test_a_bad_change_does_not_spoil_a_good_one_that_says_the_same(
    citizen: Connection, warehouse: Connection
) -> None:
    given_application(citizen, **GOOD, updated_at="infinity")
    alter(citizen, approved_at=APPROVED, updated_at=UPDATED + timedelta(days=90))
    assert by_events(citizen, APPLICATION_EVENTS) == {"read": 2, "written": 1, "rejected": 1}
    assert events(warehouse) == [happened("submitted")]


def _column(citizen: Connection, name: str) -> list[Any]:
    """A column of the dead letters, oldest first."""
    statement = f"SELECT array_agg({name} ORDER BY id) FROM synctasks.dead_letter"
    found: list[Any] = value(citizen, statement)
    return found
