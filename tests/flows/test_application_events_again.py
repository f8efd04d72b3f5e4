"""Specification 2.2: the same events again: resubmitted, replayed, restored, forgotten."""

from __future__ import annotations

import pytest

from synctasks.capture import change_log, event_log
from synctasks.database import transaction
from synctasks.flow import Database
from synctasks.flows.to_warehouse.application_events import APPLICATION_EVENTS
from tests.flows.applications import (
    APPROVED,
    DAY,
    SUBMITTED,
    alter,
    application_id,
    asked_for,
    becomes,
    events,
    forget_log,
    given_application,
    given_scheme,
    happened,
    logged,
    verified,
)
from tests.flows.citizens import RAVI, given_citizen, given_record
from tests.refreshing import full_run
from tests.rows import Connection, execute, rows
from tests.syncing import by_events, by_full_run

VERSIONS = "SELECT xmin || ' ' || ctid::text FROM decision.application_events ORDER BY 1"


@pytest.fixture(autouse=True)
def known(citizen: Connection, warehouse: Connection) -> None:
    """Asha, whom the warehouse knows, and a scheme to apply for."""
    given_citizen(citizen)
    given_record(warehouse)
    given_scheme(citizen)


def given_an_approved_one(citizen: Connection, number: int = 1) -> None:
    """An application that went all the way, in three statements."""
    given_application(citizen, number)
    becomes(citizen, "submitted", number, submitted_at=SUBMITTED)
    becomes(citizen, "approved", number, approved_at=APPROVED)


ALL_THE_WAY = [happened("approved", SUBMITTED, APPROVED), happened("submitted")]


def test_submitted_again_it_has_new_events_beside_the_old(
    citizen: Connection, warehouse: Connection
) -> None:
    given_application(citizen, status="submitted", submitted_at=SUBMITTED)
    becomes(citizen, "rejected")
    by_events(citizen, APPLICATION_EVENTS)
    becomes(citizen, "submitted", submitted_at=SUBMITTED + DAY)
    becomes(citizen, "approved", approved_at=APPROVED)
    by_events(citizen, APPLICATION_EVENTS)
    assert events(warehouse) == [
        happened("rejected"),
        happened("submitted"),
        happened("approved", SUBMITTED + DAY, APPROVED),
        happened("submitted", SUBMITTED + DAY),
    ]


def test_a_new_time_alone_is_a_new_submission(citizen: Connection, warehouse: Connection) -> None:
    given_application(citizen, status="submitted", submitted_at=SUBMITTED)
    alter(citizen, submitted_at=SUBMITTED + DAY)
    by_events(citizen, APPLICATION_EVENTS)
    assert events(warehouse) == [happened("submitted"), happened("submitted", SUBMITTED + DAY)]


@pytest.mark.parametrize("at_once", [True, False], ids=["in one batch", "one by one"])
@pytest.mark.parametrize("days", [1, -1], ids=["later", "earlier"])
def test_of_the_same_approval_the_later_time_stays(
    citizen: Connection, warehouse: Connection, days: int, at_once: bool
) -> None:
    given_application(citizen, status="approved", submitted_at=SUBMITTED, approved_at=APPROVED)
    if not at_once:
        by_events(citizen, APPLICATION_EVENTS)
    alter(citizen, approved_at=APPROVED + days * DAY)
    by_events(citizen, APPLICATION_EVENTS)
    latest = max(APPROVED, APPROVED + days * DAY)
    assert events(warehouse) == [happened("approved", SUBMITTED, latest)]


def test_an_earlier_approval_never_takes_the_later_back(
    citizen: Connection, warehouse: Connection
) -> None:
    """Not even where the portal knows only of the earlier one any more."""
    given_application(citizen, status="approved", submitted_at=SUBMITTED, approved_at=APPROVED)
    by_events(citizen, APPLICATION_EVENTS)
    alter(citizen, approved_at=APPROVED - DAY)
    forget_log(citizen)
    assert by_full_run(citizen, APPLICATION_EVENTS) == {"read": 1, "unchanged": 1}
    assert events(warehouse) == [happened("approved", SUBMITTED, APPROVED)]


def test_a_repeat_writes_nothing(citizen: Connection, warehouse: Connection) -> None:
    """By its id, or by a full run."""
    given_an_approved_one(citizen)
    by_events(citizen, APPLICATION_EVENTS)
    before = rows(warehouse, VERSIONS)
    counts = {"read": 3, "unchanged": 2, "filtered": 1}
    assert asked_for(citizen, 1) == counts
    assert by_full_run(citizen, APPLICATION_EVENTS) == counts
    assert rows(warehouse, VERSIONS) == before


def test_what_is_asked_for_by_its_id_comes_whole(
    citizen: Connection, warehouse: Connection
) -> None:
    given_an_approved_one(citizen)
    given_an_approved_one(citizen, 2)
    execute(citizen, "DELETE FROM synctasks.change_log")
    assert asked_for(citizen, 1) == {"read": 3, "written": 2, "filtered": 1}
    assert (events(warehouse, 1), events(warehouse, 2)) == (ALL_THE_WAY, [])


def test_of_rows_older_than_the_triggers_a_full_run_derives_what_they_say(
    citizen: Connection, warehouse: Connection
) -> None:
    """That is the last of their transitions."""
    given_an_approved_one(citizen)
    given_application(citizen, 2, status="submitted", submitted_at=SUBMITTED)
    given_application(citizen, 3, status="under_review", submitted_at=SUBMITTED)
    forget_log(citizen)
    counts = {"read": 3, "written": 2, "filtered": 1}
    assert by_full_run(citizen, APPLICATION_EVENTS) == counts
    assert events(warehouse, 1) == [happened("approved", SUBMITTED, APPROVED)]
    assert (events(warehouse, 2), events(warehouse, 3)) == ([happened("submitted")], [])


def test_of_a_row_that_changed_unseen_a_full_run_derives_what_it_says_now(
    citizen: Connection, warehouse: Connection
) -> None:
    """Where replication applied it, no trigger fired; what was logged before counts, too."""
    given_application(citizen, status="submitted", submitted_at=SUBMITTED)
    by_events(citizen, APPLICATION_EVENTS)
    trigger = "synctasks_application_events_update"
    execute(citizen, f"ALTER TABLE service_applications DISABLE TRIGGER {trigger}")
    becomes(citizen, "approved", approved_at=APPROVED)
    execute(citizen, f"ALTER TABLE service_applications ENABLE ALWAYS TRIGGER {trigger}")
    assert verified() == ({"matched": 1, "missing": 1}, [application_id()])
    counts = {"read": 2, "written": 1, "unchanged": 1}
    assert by_full_run(citizen, APPLICATION_EVENTS) == counts
    assert events(warehouse) == ALL_THE_WAY


def test_a_full_run_is_a_success_though_the_portal_knows_less_by_now(
    citizen: Connection, warehouse: Connection
) -> None:
    """The warehouse holds all that ever happened; a row tells only the last of it."""
    for number in (1, 2):
        given_an_approved_one(citizen, number)
        becomes(citizen, "withdrawn", number)
    by_events(citizen, APPLICATION_EVENTS)
    becomes(citizen, "under_review", 2)
    forget_log(citizen)
    run = full_run(citizen, APPLICATION_EVENTS)
    assert (run["state"], run["read"], run["unchanged"]) == ("succeeded", 2, 1)


@pytest.mark.parametrize("by", ["full run", "verify"])
def test_a_restored_target_gets_its_transitions_back_from_the_log(
    citizen: Connection, warehouse: Connection, by: str
) -> None:
    given_an_approved_one(citizen)
    given_an_approved_one(citizen, 2)
    execute(citizen, "DELETE FROM service_applications WHERE id = %s", [application_id(2)])
    by_events(citizen, APPLICATION_EVENTS)
    execute(warehouse, "DELETE FROM decision.application_events")
    if by == "full run":
        counts = {"read": 6, "written": 4, "filtered": 2}
        assert by_full_run(citizen, APPLICATION_EVENTS) == counts
    else:
        classes, wrong = verified()
        assert (classes, {*wrong}) == ({"missing": 4}, {application_id(1), application_id(2)})
        change_log.request(APPLICATION_EVENTS, wrong, origin="repair")
        by_events(citizen, APPLICATION_EVENTS)
    assert events(warehouse, 1) == events(warehouse, 2) == ALL_THE_WAY
    assert verified() == ({"matched": 4}, [])


def test_what_was_delivered_is_forgotten_after_seven_days(
    citizen: Connection, warehouse: Connection
) -> None:
    given_an_approved_one(citizen)
    by_events(citizen, APPLICATION_EVENTS)
    _days_pass(citizen, 6.9)
    assert logged(citizen) == ["draft", "submitted", "approved"]
    _days_pass(citizen, 0.2)
    assert logged(citizen) == []
    assert by_full_run(citizen, APPLICATION_EVENTS) == {"read": 1, "unchanged": 1}
    assert events(warehouse) == ALL_THE_WAY


def test_nothing_is_forgotten_of_an_application_that_has_something_open(
    citizen: Connection,
) -> None:
    """It waits, is dead or pending; not if it is done, waits no more, or was given up."""
    for number, columns in enumerate(({}, {"citizen_id": RAVI}, {"status": "lost"}) * 2, start=1):
        if number == 2:
            given_citizen(citizen, RAVI, verification_status="pending")
        row = {"status": "submitted", "submitted_at": SUBMITTED, **columns}
        given_application(citizen, number, **row)
    counts = {"read": 6, "written": 2, "waiting": 2, "rejected": 2}
    assert by_full_run(citizen, APPLICATION_EVENTS) == counts
    change_log.request(APPLICATION_EVENTS, [application_id(4)], origin="replay")
    execute(citizen, "DELETE FROM synctasks.waiting WHERE unit = %s", [application_id(5)])
    state = "UPDATE synctasks.dead_letter SET state = %s WHERE unit = %s"
    execute(citizen, state, ["discarded", application_id(6)])
    _days_pass(citizen, 40)
    left = [number for number in range(1, 7) if logged(citizen, number)]
    assert left == [2, 3, 4]
    execute(citizen, state, ["replayed", application_id(3)])
    _days_pass(citizen, 0)
    assert logged(citizen, 3) == ["lost"]


def _days_pass(citizen: Connection, days: float) -> None:
    """All that was captured is so many days older, and the listener has looked."""
    execute(
        citizen,
        "UPDATE synctasks.event_log SET captured_at = captured_at - make_interval(secs => %s)",
        [days * 86_400],
    )
    with transaction(Database.CITIZEN) as source:
        event_log.forget_old(source)
