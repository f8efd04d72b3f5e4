"""Specification 2.2: times that come a statement after the status, late, or never."""

from __future__ import annotations

import pytest

from synctasks.flows.to_warehouse.application_events import APPLICATION_EVENTS
from tests.flows.applications import (
    APPROVED,
    SUBMITTED,
    alter,
    application_id,
    becomes,
    climb,
    end_of_ladder,
    events,
    given_application,
    given_scheme,
    happened,
    letters,
    verified,
)
from tests.flows.citizens import given_citizen, given_record
from tests.flows.documents import waiting
from tests.rows import Connection, execute, value
from tests.syncing import by_events, by_full_run, pending

WRITTEN = {"read": 1, "written": 1}
REJECTED = {"read": 1, "rejected": 1}


@pytest.fixture(autouse=True)
def known(citizen: Connection, warehouse: Connection) -> None:
    """Asha, whom the warehouse knows, and a scheme to apply for."""
    given_citizen(citizen)
    given_record(warehouse)
    given_scheme(citizen)


@pytest.mark.parametrize("word", ["submitted", "rejected", "withdrawn"])
def test_a_status_without_its_time_waits_for_the_statement_that_sets_it(
    citizen: Connection, warehouse: Connection, word: str
) -> None:
    given_application(citizen, status="under_review")
    by_events(citizen, APPLICATION_EVENTS)
    becomes(citizen, word)
    assert by_events(citizen, APPLICATION_EVENTS) == {}, "nothing is decided"
    assert (events(warehouse), letters(citizen)) == ([], [])
    assert verified()[0] == {"in_flight": 1}
    alter(citizen, submitted_at=SUBMITTED)
    assert by_events(citizen, APPLICATION_EVENTS) == {"read": 2, "written": 1, "filtered": 1}
    assert events(warehouse) == [happened(word)]


def test_the_change_that_was_put_off_comes_once_more_and_finds_all_done(
    citizen: Connection, warehouse: Connection
) -> None:
    given_application(citizen, status="submitted")
    by_events(citizen, APPLICATION_EVENTS)
    alter(citizen, submitted_at=SUBMITTED)
    by_events(citizen, APPLICATION_EVENTS)
    execute(citizen, "UPDATE synctasks.change_log SET not_before = clock_timestamp()")
    assert by_events(citizen, APPLICATION_EVENTS) == {"read": 1, "unchanged": 1}
    assert (pending(citizen, APPLICATION_EVENTS), waiting(citizen)) == ([], {})


def test_an_approval_without_its_time_waits_for_it(
    citizen: Connection, warehouse: Connection
) -> None:
    given_application(citizen, status="approved", submitted_at=SUBMITTED)
    assert by_events(citizen, APPLICATION_EVENTS) == {}
    alter(citizen, approved_at=APPROVED)
    assert by_events(citizen, APPLICATION_EVENTS) == WRITTEN
    assert events(warehouse) == [happened("approved", SUBMITTED, APPROVED)]


def test_two_statements_of_one_transaction_are_one_event(
    citizen: Connection, warehouse: Connection
) -> None:
    """And nothing waits: what commits is complete."""
    given_application(citizen)
    by_events(citizen, APPLICATION_EVENTS)
    execute(citizen, "BEGIN")
    becomes(citizen, "submitted")
    alter(citizen, submitted_at=SUBMITTED)
    execute(citizen, "COMMIT")
    assert by_events(citizen, APPLICATION_EVENTS) == {"read": 2, "written": 1, "filtered": 1}
    execute(citizen, "BEGIN")
    becomes(citizen, "approved")
    alter(citizen, approved_at=APPROVED)
    execute(citizen, "COMMIT")
    by_events(citizen, APPLICATION_EVENTS)
    assert events(warehouse) == [happened("approved", SUBMITTED, APPROVED), happened("submitted")]
    assert (pending(citizen, APPLICATION_EVENTS), letters(citizen)) == ([], [])


def test_what_all_of_them_lacked_one_statement_completes(
    citizen: Connection, warehouse: Connection
) -> None:
    """It may come with the last of them."""
    given_application(citizen)
    becomes(citizen, "submitted")
    becomes(citizen, "under_review")
    becomes(citizen, "approved", submitted_at=SUBMITTED, approved_at=APPROVED)
    by_events(citizen, APPLICATION_EVENTS)
    assert events(warehouse) == [happened("approved", SUBMITTED, APPROVED), happened("submitted")]


@pytest.mark.parametrize(
    ("columns", "lacks"),
    [
        ({"status": "submitted"}, "submitted_at"),
        ({"status": "approved", "submitted_at": SUBMITTED}, "approved_at"),
        ({"status": "approved", "approved_at": APPROVED}, "submitted_at"),
    ],
    ids=["never submitted", "never approved", "approved, never submitted"],
)
def test_what_nobody_completes_is_a_reject_after_the_ladder_until_somebody_does(
    citizen: Connection, warehouse: Connection, columns: dict[str, object], lacks: str
) -> None:
    given_application(citizen, **columns)
    climb(citizen)
    assert letters(citizen) == []
    assert end_of_ladder(citizen) == REJECTED
    assert letters(citizen) == [(application_id(), "completeness", f"{lacks}: is missing")]
    assert (pending(citizen, APPLICATION_EVENTS), waiting(citizen)) == ([], {})
    assert verified() == ({"dead_lettered": 1}, [])
    assert by_full_run(citizen, APPLICATION_EVENTS) == REJECTED
    alter(citizen, submitted_at=SUBMITTED, approved_at=APPROVED)
    assert by_events(citizen, APPLICATION_EVENTS) == WRITTEN
    assert letters(citizen) == []
    assert value(citizen, "SELECT state FROM synctasks.dead_letter") == "resolved"
    approved = APPROVED if columns["status"] == "approved" else None
    assert events(warehouse) == [happened(str(columns["status"]), SUBMITTED, approved)]


def test_what_is_complete_does_not_wait_for_what_is_not(
    citizen: Connection, warehouse: Connection
) -> None:
    given_application(citizen, status="submitted", submitted_at=SUBMITTED)
    becomes(citizen, "approved")
    climb(citizen, written=1)
    assert events(warehouse) == [happened("submitted")]
    assert end_of_ladder(citizen) == {"read": 2, "unchanged": 1, "rejected": 1}


def test_in_a_full_run_what_is_not_complete_yet_waits(
    citizen: Connection, warehouse: Connection
) -> None:
    """It is no reject before its time; the hour's look at what waits decides."""
    given_application(citizen, status="submitted")
    assert by_full_run(citizen, APPLICATION_EVENTS) == {"read": 1, "waiting": 1}
    assert (len(waiting(citizen)), letters(citizen)) == (1, [])
    alter(citizen, submitted_at=SUBMITTED)
    assert by_events(citizen, APPLICATION_EVENTS) == WRITTEN
    assert waiting(citizen) == {}
