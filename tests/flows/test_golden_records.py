"""Specification 2.1: given verified citizens, when synced, then these golden records."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from synctasks.flows.to_warehouse.golden_records import GOLDEN_RECORDS
from tests.flows.citizens import (
    ASHA,
    FIXED,
    HELD,
    NUMBERS,
    RAVI,
    RECORD,
    SECOND,
    UPDATED,
    change,
    given_citizen,
    given_record,
    letters,
    made,
    records,
    row_versions,
)
from tests.rows import Connection, execute
from tests.syncing import Sync, by_events, by_full_run, either_way, pending

UNCHANGED = {"read": 1, "unchanged": 1}
WRITTEN = {"read": 1, "written": 1}
SUPERSEDED = {"read": 1, "superseded": 1}
# A citizen without anything that may be null.
SPARSE = dict.fromkeys(
    ("date_of_birth", "gender", "mobile_number", "email", "city", "district", "pincode")
)


@either_way
def test_a_verified_citizen_whom_nobody_knows_becomes_a_record_flagged_for_review(
    citizen: Connection, warehouse: Connection, sync: Sync
) -> None:
    given_citizen(citizen)
    assert sync(citizen, GOLDEN_RECORDS) == WRITTEN
    assert list(records(warehouse).values()) == [RECORD]


def test_a_record_made_again_for_a_citizen_has_the_same_id(
    citizen: Connection, warehouse: Connection
) -> None:
    """So a repeat meets itself: the id follows from the citizen's."""
    given_citizen(citizen)
    by_events(citizen, GOLDEN_RECORDS)
    first = made(warehouse, ASHA, "Asha Devi")
    execute(warehouse, "DELETE FROM golden_records")
    by_full_run(citizen, GOLDEN_RECORDS)
    assert list(records(warehouse)) == [first]


@either_way
def test_what_a_citizen_does_not_say_is_null_in_a_new_record(
    citizen: Connection, warehouse: Connection, sync: Sync
) -> None:
    given_citizen(citizen, **SPARSE, family_id=None)
    assert sync(citizen, GOLDEN_RECORDS) == WRITTEN
    empty = ("family_id", "date_of_birth", "gender", "district_id", "city_village", "pincode")
    [record] = records(warehouse).values()
    assert record == {**RECORD, **dict.fromkeys((*empty, "mobile_number", "email"))}


@either_way
def test_a_later_citizen_overwrites_the_record_with_the_number_but_not_what_is_the_warehouses(
    citizen: Connection, warehouse: Connection, sync: Sync
) -> None:
    given_record(warehouse)
    given_citizen(citizen)
    assert sync(citizen, GOLDEN_RECORDS) == WRITTEN
    assert records(warehouse) == {"GR-1": {**RECORD, **{each: HELD[each] for each in FIXED}}}


CHANGES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"full_name": "Asha"}, {"full_name": "Asha"}),
    ({"date_of_birth": "1981-01-01"}, {"date_of_birth": date(1981, 1, 1)}),
    ({"gender": "O"}, {"gender": "O"}),
    ({"mobile_number": "9876543211"}, {"mobile_number": "9876543211"}),
    ({"email": "a@b"}, {"email": "a@b"}),
    ({"city": "Amber"}, {"city_village": "Amber"}),
    ({"district": "Alwar"}, {"district_id": 2}),
    ({"pincode": "301001"}, {"pincode": "301001"}),
    ({"family_id": "0b5bd3c2-8f6f-4f6e-9a55-0f2a3c1d4e5f"}, {}),
    ({}, {}),
]


@pytest.mark.parametrize(
    ("changed", "expected"), CHANGES, ids=[next(iter(each), "time") for each, _ in CHANGES]
)
def test_a_change_of_a_citizen_is_an_event_that_changes_the_record(
    citizen: Connection,
    warehouse: Connection,
    changed: dict[str, Any],
    expected: dict[str, Any],
) -> None:
    given_citizen(citizen)
    by_events(citizen, GOLDEN_RECORDS)
    change(citizen, **changed, updated_at=UPDATED + SECOND)
    assert by_events(citizen, GOLDEN_RECORDS) == WRITTEN
    later = {"updated_at": UPDATED + SECOND}
    assert list(records(warehouse).values()) == [{**RECORD, **expected, **later}]


def test_what_the_flow_does_not_read_is_no_event(citizen: Connection) -> None:
    given_citizen(citizen)
    by_events(citizen, GOLDEN_RECORDS)
    change(citizen, is_family_head=False)
    assert pending(citizen, GOLDEN_RECORDS) == []


@either_way
@pytest.mark.parametrize("status", ["pending", "Verified", "verified ", None])
def test_only_verified_citizens_cross_however_bad_the_others_are(
    citizen: Connection, warehouse: Connection, sync: Sync, status: str | None
) -> None:
    """The filter comes before the contract."""
    bad = {"aadhaar_number": "12", "full_name": None, "gender": "?", "district": "Atlantis"}
    given_citizen(citizen, verification_status=status, **bad)
    assert sync(citizen, GOLDEN_RECORDS) == {"read": 1, "filtered": 1}
    assert (records(warehouse), letters(citizen)) == ({}, [])


@either_way
def test_a_citizen_crosses_once_verified_and_the_record_stays_when_that_is_withdrawn(
    citizen: Connection, warehouse: Connection, sync: Sync
) -> None:
    given_citizen(citizen, verification_status="pending")
    sync(citizen, GOLDEN_RECORDS)
    change(citizen, verification_status="verified")
    assert sync(citizen, GOLDEN_RECORDS) == WRITTEN
    before = row_versions(warehouse)
    change(citizen, verification_status="rejected", full_name="X", updated_at=UPDATED + SECOND)
    assert sync(citizen, GOLDEN_RECORDS) == {"read": 1, "filtered": 1}
    assert row_versions(warehouse) == before


def test_a_citizen_who_is_gone_keeps_the_record(citizen: Connection, warehouse: Connection) -> None:
    """Nor does the sync take notice: deletions are not captured."""
    given_citizen(citizen)
    by_events(citizen, GOLDEN_RECORDS)
    before = row_versions(warehouse)
    execute(citizen, "DELETE FROM citizens")
    assert pending(citizen, GOLDEN_RECORDS) == []
    assert by_full_run(citizen, GOLDEN_RECORDS) == {}
    assert row_versions(warehouse) == before


@either_way
@pytest.mark.parametrize(
    ("age", "changes", "expected"),
    [
        (SECOND, {}, SUPERSEDED),
        (0 * SECOND, {}, SUPERSEDED),
        (0 * SECOND, {"full_name": "Asha Devi"}, UNCHANGED),
        (SECOND, {"full_name": "Asha Devi"}, UNCHANGED),
        (-SECOND / 1_000_000, {}, WRITTEN),
    ],
    ids=["earlier", "equal", "equal and the same", "earlier and the same", "just later"],
)
def test_the_later_of_two_states_wins_and_what_does_not_differ_is_not_written(
    citizen: Connection,
    warehouse: Connection,
    sync: Sync,
    age: Any,
    changes: dict[str, Any],
    expected: dict[str, int],
) -> None:
    """The record is so much newer than the citizen, and has another name unless it is given."""
    held = {**RECORD, "full_name": "Asha Kumari", "updated_by": "office", "review_status": "DONE"}
    given_record(warehouse, **{**held, "updated_at": UPDATED + age, **changes})
    given_citizen(citizen)
    before = row_versions(warehouse)
    assert sync(citizen, GOLDEN_RECORDS) == expected
    assert (row_versions(warehouse) == before) == (expected != WRITTEN)


@either_way
def test_a_record_of_an_unknown_time_is_older_than_any_citizen(
    citizen: Connection, warehouse: Connection, sync: Sync
) -> None:
    given_record(warehouse, updated_at=None)
    given_citizen(citizen)
    assert sync(citizen, GOLDEN_RECORDS) == WRITTEN
    assert records(warehouse)["GR-1"]["full_name"] == "Asha Devi"


@either_way
@pytest.mark.parametrize("nothing", [None, "", " \t\u00a0"], ids=["null", "empty", "blank"])
def test_what_a_citizen_does_not_say_never_erases_what_the_warehouse_knows(
    citizen: Connection, warehouse: Connection, sync: Sync, nothing: str | None
) -> None:
    given_record(warehouse)
    given_citizen(citizen, **{**SPARSE, "city": nothing, "district": nothing})
    assert sync(citizen, GOLDEN_RECORDS) == WRITTEN
    said = {"full_name": "Asha Devi", "updated_by": "citizen_portal", "updated_at": UPDATED}
    assert records(warehouse) == {"GR-1": {**HELD, **said}}


def test_repeats_write_nothing(citizen: Connection, warehouse: Connection) -> None:
    given_record(warehouse, "GR-2", jan_aadhaar=NUMBERS[RAVI])
    given_citizen(citizen)
    given_citizen(citizen, RAVI, district=" JAIPUR ", city=None)
    assert by_events(citizen, GOLDEN_RECORDS) == {"read": 2, "written": 2}
    before = row_versions(warehouse)
    assert by_full_run(citizen, GOLDEN_RECORDS) == {"read": 2, "unchanged": 2}
    # A rewrite of the row as it is: no event, and were it one, nothing to write.
    execute(citizen, "UPDATE citizens SET full_name = full_name")
    assert by_events(citizen, GOLDEN_RECORDS) == {}
    execute(
        citizen,
        "INSERT INTO synctasks.change_log (flow, lane, key, operation, origin) "
        "SELECT 'golden_records', 0, id::text, 'request', 'key' FROM citizens",
    )
    assert by_events(citizen, GOLDEN_RECORDS) == {"read": 2, "unchanged": 2}
    assert row_versions(warehouse) == before
