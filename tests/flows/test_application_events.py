"""Specification 2.2: given applications, when their status changes, then the warehouse's events."""

from __future__ import annotations

import pytest

from synctasks.flows.to_warehouse.application_events import APPLICATION_EVENTS
from tests.flows.applications import (
    APPROVED,
    DAY,
    PENSION,
    SUBMITTED,
    WHOSE,
    alter,
    application_id,
    asked_for,
    becomes,
    events,
    given_application,
    given_scheme,
    happened,
    letters,
    logged,
)
from tests.flows.citizens import ASHA, RAVI, given_citizen, given_record
from tests.rows import Connection, execute, rows, value
from tests.syncing import Sync, by_events, by_full_run, either_way, pending


@pytest.fixture(autouse=True)
def known(citizen: Connection, warehouse: Connection) -> None:
    """Asha, whom the warehouse knows, and a scheme to apply for."""
    given_citizen(citizen)
    given_record(warehouse)
    given_scheme(citizen)


@either_way
@pytest.mark.parametrize("word", ["submitted", "rejected", "withdrawn"])
def test_a_status_of_the_portal_is_an_event_of_the_warehouse(
    citizen: Connection, warehouse: Connection, word: str, sync: Sync
) -> None:
    """Its approval is nobody's business unless it was approved."""
    given_application(citizen, status=word, submitted_at=SUBMITTED, approved_at=APPROVED)
    assert sync(citizen, APPLICATION_EVENTS) == {"read": 1, "written": 1}
    assert rows(warehouse, "SELECT * FROM decision.application_events") == [
        (application_id(), f"APPLICATION_{word.upper()}", *WHOSE, SUBMITTED, None)
    ]


@either_way
def test_an_approval_carries_its_time(
    citizen: Connection, warehouse: Connection, sync: Sync
) -> None:
    given_application(citizen, status="approved", submitted_at=SUBMITTED, approved_at=APPROVED)
    assert sync(citizen, APPLICATION_EVENTS) == {"read": 1, "written": 1}
    assert events(warehouse) == [happened("approved", SUBMITTED, APPROVED)]


@either_way
@pytest.mark.parametrize("word", ["draft", "under_review"])
@pytest.mark.parametrize("submitted", [None, SUBMITTED])
def test_other_statuses_are_no_events(
    citizen: Connection, warehouse: Connection, word: str, submitted: object, sync: Sync
) -> None:
    """They are counted, however bad their other values are."""
    given_application(citizen, status=word, submitted_at=submitted, updated_at=None)
    given_application(citizen, 2, status=word, citizen_id=None, updated_at=SUBMITTED - 99 * DAY)
    assert sync(citizen, APPLICATION_EVENTS) == {"read": 2, "filtered": 2}
    assert (events(warehouse), letters(citizen)) == ([], [])


@either_way
def test_a_draft_withdrawn_before_it_was_submitted_is_none(
    citizen: Connection, warehouse: Connection, sync: Sync
) -> None:
    given_application(citizen)
    becomes(citizen, "withdrawn")
    assert sync(citizen, APPLICATION_EVENTS) == {"read": 2, "filtered": 2}
    assert (events(warehouse), letters(citizen)) == ([], [])


@either_way
def test_nor_is_it_one_when_it_is_taken_up_again_and_submitted(
    citizen: Connection, warehouse: Connection, sync: Sync
) -> None:
    given_application(citizen)
    becomes(citizen, "withdrawn")
    becomes(citizen, "draft")
    becomes(citizen, "submitted", submitted_at=SUBMITTED)
    assert sync(citizen, APPLICATION_EVENTS) == {"read": 4, "written": 1, "filtered": 3}
    assert events(warehouse) == [happened("submitted")]


def test_every_transition_counts_however_quick_even_of_a_row_that_has_gone_since(
    citizen: Connection, warehouse: Connection
) -> None:
    given_application(citizen)
    becomes(citizen, "submitted", submitted_at=SUBMITTED)
    becomes(citizen, "under_review")
    becomes(citizen, "approved", approved_at=APPROVED)
    execute(citizen, "DELETE FROM service_applications")
    assert by_events(citizen, APPLICATION_EVENTS) == {"read": 4, "written": 2, "filtered": 2}
    assert events(warehouse) == [
        happened("approved", SUBMITTED, APPROVED),
        happened("submitted"),
    ]


def test_a_row_that_is_deleted_later_takes_no_event_along(
    citizen: Connection, warehouse: Connection
) -> None:
    given_application(citizen, status="submitted", submitted_at=SUBMITTED)
    by_events(citizen, APPLICATION_EVENTS)
    execute(citizen, "DELETE FROM service_applications")
    assert pending(citizen, APPLICATION_EVENTS) == []
    assert by_full_run(citizen, APPLICATION_EVENTS) == {"read": 1, "unchanged": 1}
    execute(citizen, "DELETE FROM synctasks.event_log")
    assert by_full_run(citizen, APPLICATION_EVENTS) == {}
    assert asked_for(citizen, 1) == {}
    assert events(warehouse) == [happened("submitted")]


def test_what_changes_nothing_is_no_event(citizen: Connection) -> None:
    given_application(citizen, status="submitted", submitted_at=SUBMITTED)
    execute(citizen, "DELETE FROM synctasks.change_log")
    becomes(citizen, "submitted", submitted_at=SUBMITTED)
    assert (logged(citizen), pending(citizen, APPLICATION_EVENTS)) == (["submitted"], [])


def test_nor_is_what_changes_other_columns(citizen: Connection) -> None:
    given_application(citizen, status="submitted", submitted_at=SUBMITTED)
    given_citizen(citizen, RAVI)
    given_scheme(citizen, id=application_id(), code="OTHER")
    execute(citizen, "DELETE FROM synctasks.change_log")
    alter(citizen, citizen_id=RAVI, scheme_id=application_id())
    alter(citizen, created_at=SUBMITTED, updated_at=SUBMITTED)
    execute(citizen, "DELETE FROM service_applications")
    assert (logged(citizen), pending(citizen, APPLICATION_EVENTS)) == (["submitted"], [])


def test_an_application_of_another_id_is_another_application(
    citizen: Connection, warehouse: Connection
) -> None:
    given_application(citizen, status="submitted", submitted_at=SUBMITTED)
    by_events(citizen, APPLICATION_EVENTS)
    alter(citizen, id=application_id(2))
    assert pending(citizen, APPLICATION_EVENTS) == [(application_id(2), "captured")]
    assert by_events(citizen, APPLICATION_EVENTS) == {"read": 1, "written": 1}
    assert events(warehouse, 1) == events(warehouse, 2) == [happened("submitted")]


def test_of_two_applications_the_bad_one_stops_only_itself(
    citizen: Connection, warehouse: Connection
) -> None:
    """Also where both share a lane, a statement and a batch."""
    columns = "id, citizen_id, scheme_id, status, submitted_at"
    execute(
        citizen,
        f"INSERT INTO service_applications ({columns}) "
        f"SELECT id::uuid, %s, %s, status, %s FROM (VALUES (%s, 'submitted'), (%s, 'lost')) "
        "AS given (id, status)",
        [ASHA, PENSION, SUBMITTED, application_id(1), application_id(2)],
    )
    execute(citizen, "UPDATE synctasks.change_log SET lane = 0")
    assert by_events(citizen, APPLICATION_EVENTS) == {"read": 2, "written": 1, "rejected": 1}
    assert events(warehouse, 1) == [happened("submitted")]
    assert [unit for unit, *_ in letters(citizen)] == [application_id(2)]


def test_a_bad_change_stops_no_other_of_its_application(
    citizen: Connection, warehouse: Connection
) -> None:
    given_application(citizen, status="submitted", submitted_at=SUBMITTED)
    becomes(citizen, "lost")
    becomes(citizen, "rejected")
    assert by_events(citizen, APPLICATION_EVENTS) == {"read": 3, "written": 2, "rejected": 1}
    assert events(warehouse) == [happened("rejected"), happened("submitted")]


def test_times_keep_their_microseconds_whatever_the_zone_of_the_session(
    citizen: Connection, warehouse: Connection
) -> None:
    execute(citizen, "SET TimeZone = 'Asia/Kolkata'; SET DateStyle = 'SQL, DMY'")
    precise = SUBMITTED.replace(microsecond=123_457)
    given_application(citizen, status="submitted", submitted_at=precise)
    execute(citizen, "SET TimeZone = 'America/New_York'")
    becomes(citizen, "rejected")
    execute(citizen, "RESET TimeZone; RESET DateStyle")
    by_events(citizen, APPLICATION_EVENTS)
    assert events(warehouse) == [happened("rejected", precise), happened("submitted", precise)]
    assert value(warehouse, "SELECT count(*) FROM decision.application_events") == 2
