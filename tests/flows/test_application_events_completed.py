"""Specification 2.2: what a later statement completes, and what it does not."""

from __future__ import annotations

import pytest

from synctasks.flows.to_warehouse.application_events import APPLICATION_EVENTS
from tests.flows.applications import (
    APPROVED,
    DAY,
    SUBMITTED,
    alter,
    becomes,
    climb,
    end_of_ladder,
    events,
    forget_log,
    given_application,
    given_scheme,
    happened,
    letters,
    verified,
)
from tests.flows.citizens import given_citizen, given_record
from tests.rows import Connection, execute
from tests.syncing import by_events, by_full_run, pending

WRITTEN = {"read": 1, "written": 1}
REJECTED = {"read": 1, "rejected": 1}


@pytest.fixture(autouse=True)
def known(citizen: Connection, warehouse: Connection) -> None:
    """Asha, whom the warehouse knows, and a scheme to apply for."""
    given_citizen(citizen)
    given_record(warehouse)
    given_scheme(citizen)


def test_of_a_row_older_than_the_triggers_nothing_is_waited_for(citizen: Connection) -> None:
    given_application(citizen, status="approved", submitted_at=SUBMITTED)
    forget_log(citizen)
    assert by_full_run(citizen, APPLICATION_EVENTS) == REJECTED
    assert [category for _, category, _ in letters(citizen)] == ["completeness"]


def test_its_letter_is_over_when_a_statement_completes_it(
    citizen: Connection, warehouse: Connection
) -> None:
    """That statement is the first that is logged of it, and says what the row did."""
    given_application(citizen, status="approved", submitted_at=SUBMITTED)
    forget_log(citizen)
    by_full_run(citizen, APPLICATION_EVENTS)
    alter(citizen, approved_at=APPROVED)
    assert by_events(citizen, APPLICATION_EVENTS) == WRITTEN
    assert (letters(citizen), verified()) == ([], ({"matched": 1}, []))


def test_a_letter_is_over_when_its_change_comes_to_an_event_that_is_there(
    citizen: Connection, warehouse: Connection
) -> None:
    given_application(citizen, status="approved", submitted_at=SUBMITTED, approved_at=APPROVED)
    becomes(citizen, "under_review", approved_at=None)
    becomes(citizen, "approved")
    climb(citizen, written=1)
    assert end_of_ladder(citizen) == {"read": 3, "unchanged": 1, "filtered": 1, "rejected": 1}
    alter(citizen, approved_at=APPROVED + DAY)
    assert by_events(citizen, APPLICATION_EVENTS) == {"read": 2, "written": 1, "filtered": 1}
    assert letters(citizen) == []
    assert events(warehouse) == [happened("approved", SUBMITTED, APPROVED + DAY)]


def test_a_statement_that_only_clears_times_is_no_transition(
    citizen: Connection, warehouse: Connection
) -> None:
    given_application(citizen, status="approved", submitted_at=SUBMITTED, approved_at=APPROVED)
    by_events(citizen, APPLICATION_EVENTS)
    alter(citizen, approved_at=None)
    assert by_events(citizen, APPLICATION_EVENTS) == {"read": 1, "unchanged": 1}
    assert (pending(citizen, APPLICATION_EVENTS), letters(citizen)) == ([], [])
    assert events(warehouse) == [happened("approved", SUBMITTED, APPROVED)]


def test_the_next_submission_does_not_complete_the_one_before(
    citizen: Connection, warehouse: Connection
) -> None:
    """What was never dated stays a reject: it did not happen when the next one did."""
    given_application(citizen, status="submitted", submitted_at=SUBMITTED)
    becomes(citizen, "approved")
    becomes(citizen, "draft", submitted_at=None)
    becomes(citizen, "submitted", submitted_at=SUBMITTED + DAY)
    becomes(citizen, "approved", approved_at=APPROVED)
    climb(citizen, written=3)
    counts = {"read": 5, "unchanged": 3, "filtered": 1, "rejected": 1}
    assert end_of_ladder(citizen) == counts
    assert [category for _, category, _ in letters(citizen)] == ["completeness"]
    assert events(warehouse) == [
        happened("submitted"),
        happened("approved", SUBMITTED + DAY, APPROVED),
        happened("submitted", SUBMITTED + DAY),
    ]


def test_a_refused_application_is_not_dated_by_its_resubmission(
    citizen: Connection, warehouse: Connection
) -> None:
    given_application(citizen, status="submitted")
    becomes(citizen, "rejected")
    becomes(citizen, "submitted", submitted_at=SUBMITTED)
    climb(citizen, written=1)
    assert end_of_ladder(citizen) == {"read": 3, "unchanged": 1, "rejected": 2}
    assert events(warehouse) == [happened("submitted")]


def test_a_trigger_of_the_applications_own_that_completes_a_row_is_understood(
    citizen: Connection, warehouse: Connection
) -> None:
    """Its statement ends, and is logged, before the one that fired it."""
    execute(
        citizen,
        """
        CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            UPDATE public.service_applications SET submitted_at = '2025-05-03 11:30+00'
            WHERE id = NEW.id AND submitted_at IS NULL;
            RETURN NULL;
        END $$;
        CREATE TRIGGER stamp AFTER UPDATE ON service_applications
        FOR EACH ROW WHEN (NEW.status = 'submitted' AND NEW.submitted_at IS NULL)
        EXECUTE FUNCTION stamp();
        """,
    )
    try:
        given_application(citizen)
        becomes(citizen, "submitted")
    finally:
        execute(citizen, "DROP FUNCTION stamp CASCADE")
    by_events(citizen, APPLICATION_EVENTS)
    assert events(warehouse) == [happened("submitted")]
    assert pending(citizen, APPLICATION_EVENTS) == []
