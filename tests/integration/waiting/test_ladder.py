"""A record whose reference is missing is tried by itself a few times, then it waits."""

from __future__ import annotations

from datetime import timedelta

import pytest

from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.flows.to_warehouse.document_metadata import DOCUMENT_METADATA
from tests.flows.citizens import ASHA, RAVI, given_citizen
from tests.flows.documents import document_id, given_document, shown
from tests.refreshing import books, carry, full_run
from tests.rows import Connection, execute, value
from tests.syncing import by_events, by_full_run, pending
from tests.waiting import (
    WAITING,
    WRITTEN,
    asked_for,
    bring,
    due_now,
    put_off,
    status,
    verified,
    waits,
)

LADDER = (1, 2, 4, 8, 8)
NOT_BEFORE = "SELECT not_before FROM synctasks.change_log WHERE flow = 'document_metadata'"


def climb(citizen: Connection, steps: int) -> None:
    """Try what is put off so many times, its time come."""
    for _ in range(steps):
        due_now(citizen)
        assert by_events(citizen, DOCUMENT_METADATA) == {}


def test_it_is_tried_after_1_2_4_8_and_8_seconds_and_rests_after_that(citizen: Connection) -> None:
    given_document(citizen)
    for seconds in LADDER:
        before = value(citizen, "SELECT clock_timestamp()")
        assert by_events(citizen, DOCUMENT_METADATA) == {}, "nothing is decided"
        after = value(citizen, "SELECT clock_timestamp()")
        wait = timedelta(seconds=seconds)
        assert before + wait <= value(citizen, NOT_BEFORE) <= after + wait
        assert waits(citizen) == {document_id(): False}
        due_now(citizen)
    before = value(citizen, "SELECT clock_timestamp()")
    assert by_events(citizen, DOCUMENT_METADATA) == WAITING
    since = value(citizen, "SELECT since FROM synctasks.waiting")
    assert before <= since <= value(citizen, "SELECT clock_timestamp()")
    assert pending(citizen, DOCUMENT_METADATA) == []


def test_a_change_that_is_put_off_is_not_looked_at_before_its_time(
    citizen: Connection, warehouse: Connection
) -> None:
    given_document(citizen)
    by_events(citizen, DOCUMENT_METADATA)
    bring(warehouse, ASHA)
    put_off(citizen)
    assert by_events(citizen, DOCUMENT_METADATA) == {}
    assert shown(warehouse) == {}
    due_now(citizen)
    assert by_events(citizen, DOCUMENT_METADATA) == WRITTEN


def test_the_others_of_its_lane_go_on(citizen: Connection, warehouse: Connection) -> None:
    """Those of the same batch, and those that come while it is put off."""
    given_citizen(citizen, RAVI)
    bring(warehouse, RAVI)
    execute(citizen, "DELETE FROM synctasks.change_log")
    of_ravi = range(2, 18)
    given_document(citizen)
    for number in of_ravi:
        given_document(citizen, number, citizen_id=RAVI)
    lanes = "SELECT count(DISTINCT lane), count(*) FROM synctasks.change_log"
    assert value(citizen, lanes)[0] < value(citizen, lanes)[1]
    execute(citizen, "UPDATE synctasks.change_log SET lane = 0")
    assert by_events(citizen, DOCUMENT_METADATA) == {"read": 16, "written": 16}
    given_document(citizen, 18, citizen_id=RAVI)
    assert by_events(citizen, DOCUMENT_METADATA) == WRITTEN
    assert waits(citizen) == {document_id(): False}
    assert pending(citizen, DOCUMENT_METADATA) == [(document_id(), "captured")]


@pytest.mark.parametrize("tries", [1, 3, 5])
def test_it_arrives_at_the_next_try_once_its_reference_is_there(
    citizen: Connection, warehouse: Connection, tries: int
) -> None:
    given_document(citizen)
    climb(citizen, tries)
    bring(warehouse, ASHA)
    due_now(citizen)
    assert by_events(citizen, DOCUMENT_METADATA) == WRITTEN
    assert shown(warehouse)[document_id()]["citizen_id"] == "GR-1"
    assert (waits(citizen), pending(citizen, DOCUMENT_METADATA)) == ({}, [])


def test_one_that_is_still_tried_is_woken_like_those_that_rest(
    citizen: Connection, warehouse: Connection
) -> None:
    given_document(citizen)
    by_events(citizen, DOCUMENT_METADATA)
    put_off(citizen)
    bring(warehouse, ASHA)
    carry(PROFILE_DATA)
    assert by_events(citizen, DOCUMENT_METADATA) == WRITTEN, "not a second later"
    due_now(citizen)
    assert by_events(citizen, DOCUMENT_METADATA) == {"read": 1, "unchanged": 1}
    assert waits(citizen) == {}


@pytest.mark.parametrize("rests", [False, True], ids=["tried", "resting"])
def test_a_document_that_is_deleted_waits_no_more(citizen: Connection, rests: bool) -> None:
    given_document(citizen)
    climb(citizen, 5)
    if rests:
        due_now(citizen)
        assert by_events(citizen, DOCUMENT_METADATA) == WAITING
        execute(citizen, "DELETE FROM documents")
        assert asked_for(citizen, 1) == {}
    else:
        execute(citizen, "DELETE FROM documents")
        due_now(citizen)
        assert by_events(citizen, DOCUMENT_METADATA) == {}
    assert (waits(citizen), pending(citizen, DOCUMENT_METADATA)) == ({}, [])


def test_in_a_full_run_it_waits_at_once(citizen: Connection) -> None:
    given_document(citizen)
    assert by_full_run(citizen, DOCUMENT_METADATA) == WAITING
    assert waits(citizen) == {document_id(): True}
    assert pending(citizen, DOCUMENT_METADATA) == []


def test_asked_for_by_its_key_it_waits_at_once(citizen: Connection) -> None:
    given_document(citizen)
    execute(citizen, "DELETE FROM synctasks.change_log")
    assert asked_for(citizen, 1) == WAITING
    assert waits(citizen) == {document_id(): True}


def test_a_full_run_meanwhile_ends_no_ladder_and_begins_no_second_wait(
    citizen: Connection,
) -> None:
    given_document(citizen)
    by_events(citizen, DOCUMENT_METADATA)
    run = full_run(citizen, DOCUMENT_METADATA)
    assert books(run) == WAITING
    since = value(citizen, "SELECT since FROM synctasks.waiting")
    climb(citizen, 4)
    due_now(citizen)
    assert by_events(citizen, DOCUMENT_METADATA) == WAITING
    assert value(citizen, "SELECT since FROM synctasks.waiting") == since


def test_those_that_wait_are_counted_by_themselves(citizen: Connection) -> None:
    """No dead letters, and nothing that is pending."""
    for number in (1, 2):
        given_document(citizen, number)
    assert by_full_run(citizen, DOCUMENT_METADATA) == {"read": 2, "waiting": 2}
    said = status()
    counts = ("waiting", "pending", "dead_letters_open")
    assert [said[each] for each in counts] == [2, 0, 0]
    assert said["last_run"]["waiting"] == 2
    assert verified() == {"waiting": 2}


def test_one_that_is_still_tried_is_pending_and_does_not_wait_yet(citizen: Connection) -> None:
    given_document(citizen)
    by_events(citizen, DOCUMENT_METADATA)
    said = status()
    assert [said[each] for each in ("waiting", "pending")] == [0, 1]
    assert verified() == {"in_flight": 1}
