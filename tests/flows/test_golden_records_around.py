"""Specification 2.1 among its neighbours: a missing column, and the way back to the portal."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from synctasks.bind import bound
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.flows.to_warehouse.golden_records import GOLDEN_RECORDS
from tests.flows.citizens import (
    ASHA,
    RECORD,
    SECOND,
    change,
    given_citizen,
    letters,
    made,
    records,
    row_versions,
)
from tests.refreshing import unseen, versions
from tests.rows import Connection, execute, rows, value
from tests.syncing import Sync, by_events, by_full_run, either_way, pending

NOW = "SELECT date_trunc('second', clock_timestamp())"


@pytest.fixture(params=["mobile_number", "email"])
def without(request: pytest.FixtureRequest, warehouse: Connection) -> Iterator[str]:
    """A deployment whose golden records lack one of the columns that may be missing.

    The triggers of profile_data read it, too; what becomes of these is tested where they are.
    """
    missing: str = request.param
    execute(warehouse, f"ALTER TABLE golden_records RENAME {missing} TO elsewhere")
    bound.cache_clear()
    with unseen(warehouse):
        yield missing
    execute(warehouse, f"ALTER TABLE golden_records RENAME elsewhere TO {missing}")
    bound.cache_clear()


@either_way
def test_a_deployment_may_lack_a_column_that_is_optional(
    citizen: Connection, warehouse: Connection, without: str, sync: Sync
) -> None:
    given_citizen(citizen)
    assert sync(citizen, GOLDEN_RECORDS) == {"read": 1, "written": 1}
    there = [name for name in RECORD if name != without]
    found = rows(warehouse, f"SELECT {', '.join(there)} FROM golden_records")
    assert found == [tuple(RECORD[name] for name in there)]
    change(citizen, full_name="Asha", **{without: None})
    change(citizen, updated_at=RECORD["updated_at"] + SECOND)
    assert sync(citizen, GOLDEN_RECORDS) == {"read": 1, "written": 1}
    assert value(warehouse, "SELECT full_name, elsewhere FROM golden_records") == ("Asha", None)


def test_the_contract_judges_what_a_deployment_does_not_carry(
    citizen: Connection, without: str
) -> None:
    """A malformed value is the portal's to mend, whoever has a column for it."""
    given_citizen(citizen, **{without: "****"})
    assert by_events(citizen, GOLDEN_RECORDS) == {"read": 1, "rejected": 1}
    assert [record for record, *_ in letters(citizen)] == [ASHA]


def test_an_update_at_the_portal_goes_round_once_and_ends(
    citizen: Connection, warehouse: Connection
) -> None:
    """To the golden record, from there to the portal's profile, masked; and no further."""
    now = value(citizen, NOW)
    given_citizen(citizen, updated_at=now)
    assert by_events(citizen, GOLDEN_RECORDS) == {"read": 1, "written": 1}
    assert by_events(warehouse, PROFILE_DATA) == {"read": 1, "written": 1}
    gr_id = made(warehouse, ASHA, "Asha Devi")
    change(citizen, city="Amber", updated_at=now + SECOND)
    assert by_events(citizen, GOLDEN_RECORDS) == {"read": 1, "written": 1}
    assert by_events(warehouse, PROFILE_DATA) == {"read": 1, "written": 1}
    profile = "SELECT record_id, city, jan_aadhaar, mobile_number, email FROM profile_data"
    masked = ("****-****-1111", "******3210", "a***@example.com")
    assert rows(citizen, profile) == [(gr_id, "Amber", *masked)]
    for source, flow in ((citizen, GOLDEN_RECORDS), (warehouse, PROFILE_DATA)):
        assert pending(source, flow) == []


def test_what_the_warehouse_wrote_last_is_not_undone_from_the_portal(
    citizen: Connection, warehouse: Connection
) -> None:
    """The conflict goes to the later state, both ways, until the citizen says something new."""
    now = value(citizen, NOW)
    given_citizen(citizen, updated_at=now - 2 * SECOND)
    by_events(citizen, GOLDEN_RECORDS)
    by_events(warehouse, PROFILE_DATA)
    execute(warehouse, "UPDATE golden_records SET city_village = 'Pali', updated_at = %s", [now])
    assert by_events(warehouse, PROFILE_DATA) == {"read": 1, "written": 1}
    before = row_versions(warehouse)
    change(citizen, pincode="302002", updated_at=now - SECOND)
    assert by_events(citizen, GOLDEN_RECORDS) == {"read": 1, "superseded": 1}
    assert row_versions(warehouse) == before
    assert rows(citizen, "SELECT city FROM profile_data") == ["Pali"]


def test_a_full_run_of_each_flow_after_the_events_writes_nothing(
    citizen: Connection, warehouse: Connection
) -> None:
    given_citizen(citizen, updated_at=value(citizen, NOW))
    by_events(citizen, GOLDEN_RECORDS)
    by_events(warehouse, PROFILE_DATA)
    before = row_versions(warehouse), versions(citizen)
    for source, flow in ((citizen, GOLDEN_RECORDS), (warehouse, PROFILE_DATA)):
        assert by_full_run(source, flow) == {"read": 1, "unchanged": 1}
    assert (row_versions(warehouse), versions(citizen)) == before
    assert [records(warehouse)[each]["full_name"] for each in records(warehouse)] == ["Asha Devi"]
