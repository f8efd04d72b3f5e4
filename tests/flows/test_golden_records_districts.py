"""Specification 2.1: district names become the warehouse's numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from synctasks.flows.to_warehouse.golden_records import GOLDEN_RECORDS
from tests.flows.citizens import ASHA, SECOND, UPDATED, change, given_citizen, letters, records
from tests.rows import Connection, execute, insert
from tests.syncing import Sync, by_events, either_way

WRITTEN = {"read": 1, "written": 1}
REJECTED = {"read": 1, "rejected": 1}


@pytest.fixture
def add_district(warehouse: Connection) -> Iterator[Callable[[str], None]]:
    """Name a district of number 99, for one test: districts are not emptied."""
    yield lambda name: insert(warehouse, "districts", {"district_id": 99, "district_name": name})
    execute(warehouse, "DELETE FROM districts WHERE district_id = 99")


DISTRICTS = ["Jaipur", "JAIPUR", "jaipur", "  Jaipur", "Jaipur\n", "\u00a0jAiPuR\u3000\t"]


@pytest.mark.parametrize("name", DISTRICTS)
def test_districts_are_known_by_name_whatever_its_case_and_the_white_space_around_it(
    citizen: Connection, warehouse: Connection, name: str
) -> None:
    given_citizen(citizen, district=name)
    assert by_events(citizen, GOLDEN_RECORDS) == WRITTEN
    assert [each["district_id"] for each in records(warehouse).values()] == [17]


@either_way
def test_a_district_that_the_warehouse_does_not_know_is_a_dead_letter_until_it_does(
    citizen: Connection,
    warehouse: Connection,
    add_district: Callable[[str], None],
    sync: Sync,
) -> None:
    given_citizen(citizen, district="Sanchore")
    assert sync(citizen, GOLDEN_RECORDS) == REJECTED
    unknown = "district: is unknown to public.districts"
    assert letters(citizen) == [(ASHA, "consistency", unknown)]
    assert records(warehouse) == {}
    add_district(" SANCHORE ")
    change(citizen, updated_at=UPDATED + SECOND)
    assert sync(citizen, GOLDEN_RECORDS) == WRITTEN
    assert [each["district_id"] for each in records(warehouse).values()] == [99]
    assert letters(citizen) == []


def test_a_district_name_that_means_several_is_a_dead_letter(
    citizen: Connection, add_district: Callable[[str], None]
) -> None:
    add_district("JAIPUR")
    given_citizen(citizen)
    assert by_events(citizen, GOLDEN_RECORDS) == REJECTED
    several = "district: means several rows of public.districts"
    assert letters(citizen) == [(ASHA, "consistency", several)]
