"""Whoever brings what a record waits for wakes it; an hourly look finds the rest."""

from __future__ import annotations

from typing import Any

import pytest

from synctasks.capture.change_log import lane_count
from synctasks.capture.waiting import wake_some
from synctasks.database import transaction
from synctasks.engine.drain import Drain, drain
from synctasks.engine.refresh.chunk import Chunk
from synctasks.flow import Database
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.flows.to_warehouse.document_metadata import DOCUMENT_METADATA
from synctasks.flows.to_warehouse.golden_records import GOLDEN_RECORDS
from tests.flows.citizens import ASHA, NUMBERS, OTHER_NUMBER, change
from tests.flows.documents import document_id, given_document, shown
from tests.refreshing import carry, unseen
from tests.rows import Connection, add_record, execute, rows, value
from tests.syncing import by_events, by_full_run, pending
from tests.waiting import (
    WAITING,
    WRITTEN,
    asked_for,
    bring,
    given_waiting_document,
    hour_passes,
    waits,
)

WOKEN = [(document_id(), "woken")]


def test_a_name_in_needs_never_holds_the_number(citizen: Connection) -> None:
    """What is waited for is told by the citizen's id, and the number as the portal may see it."""
    given_waiting_document(citizen)
    masked = f"golden record ****-****-{NUMBERS[ASHA][-4:]}"
    needs = value(citizen, "SELECT needs FROM synctasks.waiting")
    assert sorted(needs) == [f"citizen {ASHA}", masked]
    everything = rows(citizen, "SELECT waiting::text FROM synctasks.waiting")
    assert NUMBERS[ASHA] not in str(everything)


@pytest.mark.parametrize("number", [None, "", "12", "1234567890123456"])
def test_nor_does_that_of_a_citizen_whose_number_is_none(
    citizen: Connection, number: str | None
) -> None:
    change(citizen, aadhaar_number=number)
    given_waiting_document(citizen)
    needs = value(citizen, "SELECT needs FROM synctasks.waiting")
    assert needs[0] == f"citizen {ASHA}"
    assert needs[1] in (None, "golden record ****")


def test_a_profile_that_changes_wakes_those_who_wait_for_its_number(
    citizen: Connection, warehouse: Connection
) -> None:
    """The record was there, with another number, and gets the one that is waited for."""
    add_record(warehouse, "GR-1", jan_aadhaar=NUMBERS[ASHA][:-1] + "2")
    carry(PROFILE_DATA)
    given_waiting_document(citizen)
    execute(warehouse, "UPDATE golden_records SET jan_aadhaar = %s", [NUMBERS[ASHA]])
    carry(PROFILE_DATA)
    assert pending(citizen, DOCUMENT_METADATA) == WOKEN
    assert by_events(citizen, DOCUMENT_METADATA) == WRITTEN


def test_a_full_run_of_profiles_wakes_as_a_drain_does(
    citizen: Connection, warehouse: Connection
) -> None:
    given_waiting_document(citizen)
    with unseen(warehouse):
        bring(warehouse, ASHA)
    assert by_full_run(warehouse, PROFILE_DATA) == WRITTEN
    assert pending(citizen, DOCUMENT_METADATA) == WOKEN


def test_a_full_run_of_golden_records_wakes_as_a_drain_does(citizen: Connection) -> None:
    given_waiting_document(citizen)
    change(citizen, verification_status="verified")
    assert by_full_run(citizen, GOLDEN_RECORDS) == WRITTEN
    assert (document_id(), "woken") in pending(citizen, DOCUMENT_METADATA)


def test_a_record_with_the_longest_of_keys_is_found_like_any_other(
    citizen: Connection, warehouse: Connection
) -> None:
    longest = ("GR-" + "".join(f"{number:08}" for number in range(338)))[:2_700]
    given_waiting_document(citizen)
    bring(warehouse, ASHA, longest)
    carry(PROFILE_DATA)
    assert by_events(citizen, DOCUMENT_METADATA) == WRITTEN
    assert shown(warehouse)[document_id()]["citizen_id"] == longest


@pytest.mark.parametrize("work", [Drain, Chunk])
def test_one_whose_reference_came_between_the_look_and_the_note_is_looked_at_again(
    citizen: Connection, warehouse: Connection, monkeypatch: pytest.MonkeyPatch, work: Any
) -> None:
    """Whoever brought it saw nobody wait: without the second look it would wait for an hour."""
    given_document(citizen)
    execute(citizen, "DELETE FROM synctasks.change_log")
    came = comes_before_the_note(monkeypatch, warehouse, work)
    if work is Chunk:
        assert by_full_run(citizen, DOCUMENT_METADATA) == WAITING
        assert pending(citizen, DOCUMENT_METADATA) == [(document_id(), "repair")]
        assert by_events(citizen, DOCUMENT_METADATA) == WRITTEN
    else:
        assert asked_for(citizen, 1) == {"read": 2, "waiting": 1, "written": 1}
    assert came == [{}], "nobody was seen to wait"
    assert shown(warehouse)[document_id()]["citizen_id"] == "GR-1"
    assert (waits(citizen), pending(citizen, DOCUMENT_METADATA)) == ({}, [])


def comes_before_the_note(
    monkeypatch: pytest.MonkeyPatch, warehouse: Connection, work: Any
) -> list[Any]:
    """Asha's record comes, and is announced, after the first look for it, before the note.

    The list gets what is pending of documents then: who was woken.
    """
    settle = work.settle
    came: list[Any] = []

    def late(self: Any, lane: int, taken: Any, books: Any) -> bool:
        if self._flow == DOCUMENT_METADATA and not came:
            bring(warehouse, ASHA)
            carry(PROFILE_DATA)
            with transaction(Database.CITIZEN) as source:
                came.append(dict(source.rows("SELECT unit, lane FROM synctasks.waiting")))
        more: bool = settle(self, lane, taken, books)
        return more

    monkeypatch.setattr(work, "settle", late)
    return came


def test_one_that_waits_in_vain_is_not_asked_for_again(citizen: Connection) -> None:
    """The second look is for what is new among the waiting, and finds nothing here."""
    given_document(citizen)
    assert by_full_run(citizen, DOCUMENT_METADATA) == WAITING
    for lane in range(lane_count(DOCUMENT_METADATA)):
        assert not drain(DOCUMENT_METADATA, lane)
    assert pending(citizen, DOCUMENT_METADATA) == []


def look_hourly() -> None:
    """What the listener does now and then."""
    with transaction(Database.CITIZEN) as source:
        wake_some(source)


def test_what_nobody_announces_is_found_by_the_hourly_look(
    citizen: Connection, warehouse: Connection
) -> None:
    """Here the record's profile is refused, so the portal never hears of it."""
    given_waiting_document(citizen)
    add_record(warehouse, "GR-1", jan_aadhaar=NUMBERS[ASHA], gender="?")
    assert by_events(warehouse, PROFILE_DATA) == {"read": 1, "rejected": 1}
    look_hourly()
    assert pending(citizen, DOCUMENT_METADATA) == [], "its hour has not passed"
    hour_passes(citizen)
    look_hourly()
    look_hourly()
    assert pending(citizen, DOCUMENT_METADATA) == WOKEN, "once an hour"
    assert by_events(citizen, DOCUMENT_METADATA) == WRITTEN
    assert waits(citizen) == {}


def test_one_that_is_looked_at_in_vain_waits_since_the_same_time_for_another_hour(
    citizen: Connection,
) -> None:
    given_waiting_document(citizen)
    since = value(citizen, "SELECT since FROM synctasks.waiting")
    hour_passes(citizen)
    look_hourly()
    assert by_events(citizen, DOCUMENT_METADATA) == WAITING
    left = "SELECT next_look - statement_timestamp() > interval '59 minutes' FROM synctasks.waiting"
    assert value(citizen, left)
    assert value(citizen, "SELECT since FROM synctasks.waiting") == since


def test_one_that_is_still_tried_comes_by_itself_not_by_the_hourly_look(
    citizen: Connection,
) -> None:
    given_document(citizen)
    by_events(citizen, DOCUMENT_METADATA)
    hour_passes(citizen)
    look_hourly()
    assert pending(citizen, DOCUMENT_METADATA) == [(document_id(), "captured")]


def test_whoever_settles_late_leaves_nobody_waiting_whose_reference_has_come(
    citizen: Connection, warehouse: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker has brought the record over meanwhile: the note would stay for ever."""
    given_document(citizen)
    bring(warehouse, ASHA)
    execute(warehouse, "UPDATE golden_records SET jan_aadhaar = %s", [OTHER_NUMBER])
    settle = Drain.settle
    late: list[bool] = []

    def overtaken(self: Any, lane: int, taken: Any, books: Any) -> bool:
        if self._flow == DOCUMENT_METADATA and not late:
            late.append(True)
            execute(warehouse, "UPDATE golden_records SET jan_aadhaar = %s", [NUMBERS[ASHA]])
            drain(DOCUMENT_METADATA, lane)
        more: bool = settle(self, lane, taken, books)
        return more

    monkeypatch.setattr(Drain, "settle", overtaken)
    carry(DOCUMENT_METADATA)
    assert late
    assert shown(warehouse)[document_id()]["citizen_id"] == "GR-1"
    assert (waits(citizen), pending(citizen, DOCUMENT_METADATA)) == ({}, [])
