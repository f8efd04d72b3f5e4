"""Specification 1.5: a decision about an application that the portal does not know waits for it."""

from __future__ import annotations

import pytest

from synctasks.flows.to_citizen.application_decisions import APPLICATION_DECISIONS
from synctasks.flows.to_warehouse.application_events import APPLICATION_EVENTS
from tests.flows.citizens import ASHA, NUMBERS, given_citizen, given_record
from tests.flows.decisions import (
    DECIDED,
    SHOWN,
    application_id,
    change,
    given_application,
    given_decision,
    shown,
)
from tests.flows.told import asked_for, letters_of, look_hourly, status_of, verified, waits
from tests.rows import Connection, execute, value
from tests.syncing import Sync, by_events, by_full_run, either_way, pending
from tests.waiting import age, due_now, hour_passes

WAITING = {"read": 1, "waiting": 1}
WRITTEN = {"read": 1, "written": 1}


def given_waiting_decision(warehouse: Connection, number: int = 1) -> None:
    """A decision that waits already."""
    given_decision(warehouse, number)
    assert by_full_run(warehouse, APPLICATION_DECISIONS)["waiting"]


def test_it_is_tried_again_and_then_waits_without_being_a_failure(
    warehouse: Connection, citizen: Connection
) -> None:
    given_decision(warehouse)
    for _ in range(5):
        assert by_events(warehouse, APPLICATION_DECISIONS) == {}
        assert waits(warehouse, APPLICATION_DECISIONS) == {application_id(): False}
        due_now(warehouse)
    assert by_events(warehouse, APPLICATION_DECISIONS) == WAITING
    assert waits(warehouse, APPLICATION_DECISIONS) == {application_id(): True}
    assert letters_of(warehouse, APPLICATION_DECISIONS) == []
    assert pending(warehouse, APPLICATION_DECISIONS) == []
    assert status_of(APPLICATION_DECISIONS)["waiting"] == 1
    assert verified(APPLICATION_DECISIONS) == {"waiting": 1}
    assert shown(citizen) == {}


def test_others_of_its_batch_do_not_wait_with_it(
    warehouse: Connection, citizen: Connection
) -> None:
    for number in (1, 3):
        given_application(citizen, number)
    for number in (1, 2, 3):
        given_decision(warehouse, number)
    assert by_full_run(warehouse, APPLICATION_DECISIONS) == {"read": 3, "written": 2, "waiting": 1}
    assert set(shown(citizen)) == {application_id(1), application_id(3)}


def test_what_brings_its_application_wakes_it(warehouse: Connection, citizen: Connection) -> None:
    """An application that was submitted is an event of the warehouse; that one announces it."""
    given_waiting_decision(warehouse, 1)
    given_waiting_decision(warehouse, 2)
    given_citizen(citizen)
    given_record(warehouse, jan_aadhaar=NUMBERS[ASHA])
    given_application(citizen, status="submitted", submitted_at=DECIDED)
    assert by_events(warehouse, APPLICATION_DECISIONS) == {}, "nobody has said so yet"
    assert by_events(citizen, APPLICATION_EVENTS) == WRITTEN
    assert pending(warehouse, APPLICATION_DECISIONS) == [(application_id(), "woken")]
    assert by_events(warehouse, APPLICATION_DECISIONS) == WRITTEN
    assert shown(citizen) == {application_id(): SHOWN}
    assert waits(warehouse, APPLICATION_DECISIONS) == {application_id(2): True}


@either_way
def test_so_does_a_full_run_that_brings_it(
    warehouse: Connection, citizen: Connection, sync: Sync
) -> None:
    given_waiting_decision(warehouse)
    given_citizen(citizen)
    given_record(warehouse, jan_aadhaar=NUMBERS[ASHA])
    given_application(citizen, status="approved", submitted_at=DECIDED, approved_at=DECIDED)
    assert sync(citizen, APPLICATION_EVENTS)["written"]
    assert by_events(warehouse, APPLICATION_DECISIONS) == WRITTEN
    assert verified(APPLICATION_DECISIONS) == {"matched": 1}


def test_an_hourly_look_finds_an_application_that_nobody_announced(
    warehouse: Connection, citizen: Connection
) -> None:
    """A draft is no event; yet somebody may have decided about it."""
    given_waiting_decision(warehouse)
    given_application(citizen)
    assert by_events(citizen, APPLICATION_EVENTS) == {"read": 1, "filtered": 1}
    look_hourly(APPLICATION_DECISIONS)
    assert pending(warehouse, APPLICATION_DECISIONS) == []
    hour_passes(warehouse)
    look_hourly(APPLICATION_DECISIONS)
    assert by_events(warehouse, APPLICATION_DECISIONS) == WRITTEN
    assert shown(citizen) == {application_id(): SHOWN}


@pytest.mark.parametrize("decision", ["AUTO_APPROVED", "AUTO_REJECTED"])
def test_a_later_decision_replaces_the_one_that_waited(
    warehouse: Connection, citizen: Connection, decision: str
) -> None:
    given_waiting_decision(warehouse)
    given_application(citizen)
    change(warehouse, decision=decision)
    assert by_events(warehouse, APPLICATION_DECISIONS) == WRITTEN
    assert shown(citizen) == {application_id(): {**SHOWN, "decision_status": decision}}
    assert waits(warehouse, APPLICATION_DECISIONS) == {}


def test_one_that_waits_and_becomes_bad_is_a_dead_letter_and_waits_no_more(
    warehouse: Connection,
) -> None:
    given_waiting_decision(warehouse)
    change(warehouse, decision="MAYBE")
    assert by_events(warehouse, APPLICATION_DECISIONS) == {"read": 1, "rejected": 1}
    assert waits(warehouse, APPLICATION_DECISIONS) == {}
    [(record, category, _)] = letters_of(warehouse, APPLICATION_DECISIONS)
    assert (record, category) == (application_id(), "accuracy")


def test_after_thirty_days_it_is_a_dead_letter_of_consistency(
    warehouse: Connection, citizen: Connection
) -> None:
    given_waiting_decision(warehouse)
    age(warehouse, 30.001)
    asked_for(warehouse, APPLICATION_DECISIONS, application_id())
    never = "application_id: never came: the record has waited for 30 days"
    assert letters_of(warehouse, APPLICATION_DECISIONS) == [
        (application_id(), "consistency", never)
    ]
    assert waits(warehouse, APPLICATION_DECISIONS) == {}
    given_application(citizen)
    assert asked_for(warehouse, APPLICATION_DECISIONS, application_id()) == WRITTEN
    assert letters_of(warehouse, APPLICATION_DECISIONS) == []


def test_an_application_that_is_gone_takes_its_decision_with_it_and_a_new_one_waits(
    warehouse: Connection, citizen: Connection
) -> None:
    """The portal's own doing: its decisions refer to its applications."""
    given_application(citizen)
    given_decision(warehouse)
    by_events(warehouse, APPLICATION_DECISIONS)
    execute(citizen, "DELETE FROM application_decisions; DELETE FROM service_applications")
    assert by_full_run(warehouse, APPLICATION_DECISIONS) == WAITING
    assert value(citizen, "SELECT count(*) FROM application_decisions") == 0
