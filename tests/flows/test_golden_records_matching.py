"""Specification 2.1: whose golden record is it? By Aadhaar number, also once that is corrected."""

from __future__ import annotations

from datetime import timedelta

import pytest

from synctasks.flows.to_warehouse.golden_records import GOLDEN_RECORDS
from tests.flows.citizens import (
    ASHA,
    HELD,
    NUMBERS,
    OTHER_NUMBER,
    RAVI,
    SECOND,
    UPDATED,
    brief,
    change,
    given_citizen,
    given_record,
    letters,
    made_for,
    records,
    row_versions,
)
from tests.rows import Connection, execute
from tests.syncing import Sync, by_events, either_way

WRITTEN = {"read": 1, "written": 1}
REJECTED = {"read": 1, "rejected": 1}
PENDING, DONE = "PENDING_REVIEW", "DONE"
LATER = UPDATED + SECOND


def reviewed(warehouse: Connection) -> None:
    """Somebody has looked at all records that are flagged."""
    execute(warehouse, f"UPDATE golden_records SET review_status = '{DONE}'")


@either_way
def test_a_number_that_several_records_have_is_a_dead_letter_until_one_is_left(
    citizen: Connection, warehouse: Connection, sync: Sync
) -> None:
    given_record(warehouse, "GR-1")
    given_record(warehouse, "GR-2")
    given_citizen(citizen)
    before = row_versions(warehouse)
    assert sync(citizen, GOLDEN_RECORDS) == REJECTED
    several = "aadhaar_number: means several rows of public.golden_records"
    assert letters(citizen) == [(ASHA, "consistency", several)]
    assert row_versions(warehouse) == before
    execute(warehouse, "DELETE FROM golden_records WHERE gr_id = 'GR-2'")
    change(citizen, updated_at=LATER)
    assert sync(citizen, GOLDEN_RECORDS) == WRITTEN
    assert letters(citizen) == []


@either_way
def test_a_corrected_number_that_a_record_has_updates_that_one_and_flags_the_one_once_made(
    citizen: Connection, warehouse: Connection, sync: Sync
) -> None:
    given_record(warehouse, "GR-1", jan_aadhaar=OTHER_NUMBER, review_status=DONE)
    own = made_for(citizen, warehouse, ASHA, "Asha")
    execute(warehouse, f"UPDATE golden_records SET review_status = '{DONE}'")
    change(citizen, aadhaar_number=OTHER_NUMBER, updated_at=LATER)
    assert sync(citizen, GOLDEN_RECORDS) == WRITTEN
    assert brief(warehouse) == {
        own: (NUMBERS[ASHA], "Asha", PENDING),
        "GR-1": (OTHER_NUMBER, "Asha", DONE),
    }
    before = row_versions(warehouse)
    assert sync(citizen, GOLDEN_RECORDS).get("written", 0) == 0
    assert row_versions(warehouse) == before


@either_way
def test_a_corrected_number_that_no_record_has_is_corrected_in_the_one_once_made(
    citizen: Connection, warehouse: Connection, sync: Sync
) -> None:
    own = made_for(citizen, warehouse, ASHA, "Asha")
    reviewed(warehouse)
    change(citizen, aadhaar_number=OTHER_NUMBER, updated_at=LATER, family_id=None)
    assert sync(citizen, GOLDEN_RECORDS) == WRITTEN
    assert brief(warehouse) == {own: (OTHER_NUMBER, "Asha", PENDING)}
    assert records(warehouse)[own]["created_at"] == UPDATED


@either_way
def test_a_corrected_number_that_no_record_has_becomes_a_new_one_where_none_was_made(
    citizen: Connection, warehouse: Connection, sync: Sync
) -> None:
    given_record(warehouse)
    given_citizen(citizen)
    sync(citizen, GOLDEN_RECORDS)
    change(citizen, aadhaar_number=OTHER_NUMBER, updated_at=LATER)
    assert sync(citizen, GOLDEN_RECORDS) == WRITTEN
    found = brief(warehouse)
    assert found.pop("GR-1") == (NUMBERS[ASHA], "Asha Devi", HELD["review_status"])
    assert list(found.values()) == [(OTHER_NUMBER, "Asha Devi", PENDING)]


@either_way
def test_a_record_that_somebody_corrected_later_is_not_corrected_back(
    citizen: Connection, warehouse: Connection, sync: Sync
) -> None:
    own = made_for(citizen, warehouse, ASHA, "Asha")
    later = "UPDATE golden_records SET jan_aadhaar = %s, updated_at = %s"
    execute(warehouse, later, [OTHER_NUMBER, LATER])
    assert by_events(citizen, GOLDEN_RECORDS) == {}
    change(citizen, city="Amber")
    assert sync(citizen, GOLDEN_RECORDS) == {"read": 1, "superseded": 1}
    assert brief(warehouse) == {own: (OTHER_NUMBER, "Asha", PENDING)}


def swap(citizen: Connection, *, times: tuple[timedelta, timedelta]) -> None:
    """Asha and Ravi have each other's number now; one application transaction."""
    statement = "UPDATE citizens SET aadhaar_number = %s, updated_at = %s WHERE id = %s;"
    asha, ravi = UPDATED + times[0], UPDATED + times[1]
    execute(
        citizen,
        statement * 3,
        [
            *(OTHER_NUMBER, asha, ASHA),
            *(NUMBERS[ASHA], ravi, RAVI),
            *(NUMBERS[RAVI], asha, ASHA),
        ],
    )


@either_way
@pytest.mark.parametrize(
    "times",
    [(SECOND, SECOND), (SECOND, 2 * SECOND), (2 * SECOND, SECOND)],
    ids=["at once", "Ravi later", "Asha later"],
)
def test_after_a_swap_each_number_has_the_data_of_the_one_who_has_it(
    citizen: Connection,
    warehouse: Connection,
    sync: Sync,
    times: tuple[timedelta, timedelta],
) -> None:
    """In one batch: a number is a person, so the records change hands, whoever comes first."""
    asha = made_for(citizen, warehouse, ASHA, "Asha")
    ravi = made_for(citizen, warehouse, RAVI, "Ravi")
    reviewed(warehouse)
    swap(citizen, times=times)
    assert sync(citizen, GOLDEN_RECORDS) == {"read": 2, "written": 2}
    assert brief(warehouse) == {
        asha: (NUMBERS[ASHA], "Ravi", PENDING),
        ravi: (NUMBERS[RAVI], "Asha", PENDING),
    }
    before = row_versions(warehouse)
    sync(citizen, GOLDEN_RECORDS)
    assert row_versions(warehouse) == before


def test_after_a_swap_in_separate_batches_each_number_has_the_data_of_the_one_who_has_it(
    citizen: Connection, warehouse: Connection
) -> None:
    asha = made_for(citizen, warehouse, ASHA, "Asha")
    ravi = made_for(citizen, warehouse, RAVI, "Ravi")
    steps = [(ASHA, OTHER_NUMBER), (RAVI, NUMBERS[ASHA]), (ASHA, NUMBERS[RAVI])]
    for seconds, (who, number) in enumerate(steps, 1):
        change(citizen, who, aadhaar_number=number, updated_at=UPDATED + seconds * SECOND)
        assert by_events(citizen, GOLDEN_RECORDS) == WRITTEN
    assert brief(warehouse) == {
        asha: (NUMBERS[RAVI], "Asha", PENDING),
        ravi: (NUMBERS[ASHA], "Ravi", PENDING),
    }


@either_way
def test_numbers_that_move_on_in_one_batch_are_corrected_in_place(
    citizen: Connection, warehouse: Connection, sync: Sync
) -> None:
    """Ravi takes the number that Asha gives up."""
    asha = made_for(citizen, warehouse, ASHA, "Asha")
    ravi = made_for(citizen, warehouse, RAVI, "Ravi")
    change(citizen, ASHA, aadhaar_number=OTHER_NUMBER, updated_at=LATER)
    change(citizen, RAVI, aadhaar_number=NUMBERS[ASHA], updated_at=LATER)
    assert sync(citizen, GOLDEN_RECORDS) == {"read": 2, "written": 2}
    assert brief(warehouse) == {
        asha: (OTHER_NUMBER, "Asha", PENDING),
        ravi: (NUMBERS[ASHA], "Ravi", PENDING),
    }


@either_way
def test_a_number_is_not_given_up_by_a_citizen_who_is_refused(
    citizen: Connection, warehouse: Connection, sync: Sync
) -> None:
    """Her record keeps it, and is the one that matches: no second one may get it."""
    asha = made_for(citizen, warehouse, ASHA, "Asha")
    ravi = made_for(citizen, warehouse, RAVI, "Ravi")
    refused = {"aadhaar_number": OTHER_NUMBER, "district": "Atlantis", "updated_at": LATER}
    change(citizen, ASHA, **refused)
    change(citizen, RAVI, aadhaar_number=NUMBERS[ASHA], updated_at=LATER)
    assert sync(citizen, GOLDEN_RECORDS) == {"read": 2, "written": 1, "rejected": 1}
    assert brief(warehouse) == {
        asha: (NUMBERS[ASHA], "Ravi", PENDING),
        ravi: (NUMBERS[RAVI], "Ravi", PENDING),
    }


def test_a_record_with_the_longest_of_keys_is_matched_like_any_other(
    citizen: Connection, warehouse: Connection
) -> None:
    longest = "GR-" + "".join(f"{number:08}" for number in range(337)) + "x"
    assert len(longest) == 2_700
    given_record(warehouse, longest)
    given_citizen(citizen)
    assert by_events(citizen, GOLDEN_RECORDS) == WRITTEN
    assert brief(warehouse) == {longest: (NUMBERS[ASHA], "Asha Devi", HELD["review_status"])}
