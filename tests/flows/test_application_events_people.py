"""Specification 2.2: whose applications they are, as the warehouse knows people."""

from __future__ import annotations

from typing import Any

import pytest

from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.flows.to_warehouse.application_events import APPLICATION_EVENTS
from synctasks.flows.to_warehouse.golden_records import GOLDEN_RECORDS
from tests.flows.applications import (
    SUBMITTED,
    application_id,
    asked_for,
    becomes,
    given_application,
    given_scheme,
    letters,
)
from tests.flows.citizens import (
    NUMBERS,
    RAVI,
    change,
    given_citizen,
    given_record,
)
from tests.flows.documents import waiting
from tests.rows import Connection, add_record, execute, value
from tests.syncing import Sync, by_events, either_way

WRITTEN = {"read": 1, "written": 1}
REJECTED = {"read": 1, "rejected": 1}
GOOD: dict[str, Any] = {"status": "submitted", "submitted_at": SUBMITTED}


@pytest.fixture(autouse=True)
def known(citizen: Connection, warehouse: Connection) -> None:
    """Asha, whom the warehouse knows, and a scheme to apply for."""
    given_citizen(citizen)
    given_record(warehouse)
    given_scheme(citizen)


@either_way
def test_a_citizen_unknown_to_the_warehouse_is_waited_for(
    citizen: Connection, warehouse: Connection, sync: Sync
) -> None:
    """Who brings the golden record wakes the events; all of them arrive."""
    given_citizen(citizen, RAVI, verification_status="pending")
    given_application(citizen, citizen_id=RAVI, **GOOD)
    becomes(citizen, "rejected")
    by_events(citizen, GOLDEN_RECORDS)
    expected = {} if sync is by_events else {"read": 2, "waiting": 2}
    assert sync(citizen, APPLICATION_EVENTS) == expected
    assert (letters(citizen), len(waiting(citizen))) == ([], 1)
    change(citizen, RAVI, verification_status="verified")
    by_events(citizen, GOLDEN_RECORDS)
    assert by_events(citizen, APPLICATION_EVENTS) == {"read": 2, "written": 2}
    kinds = "SELECT array_agg(event_type ORDER BY event_type) FROM decision.application_events"
    assert value(warehouse, kinds) == ["APPLICATION_REJECTED", "APPLICATION_SUBMITTED"]
    assert waiting(citizen) == {}


def test_it_is_woken_by_a_record_that_others_brought(
    citizen: Connection, warehouse: Connection
) -> None:
    given_citizen(citizen, RAVI, verification_status="pending")
    given_application(citizen, citizen_id=RAVI, **GOOD)
    execute(citizen, "DELETE FROM service_applications; DELETE FROM synctasks.change_log")
    assert asked_for(citizen, 1) == {"read": 1, "waiting": 1}
    add_record(warehouse, "GR-7", jan_aadhaar=NUMBERS[RAVI])
    by_events(warehouse, PROFILE_DATA)
    assert by_events(citizen, APPLICATION_EVENTS) == WRITTEN
    assert value(warehouse, "SELECT citizen_id FROM decision.application_events") == "GR-7"


@either_way
def test_a_citizen_who_means_several_records_is_a_dead_letter(
    citizen: Connection, warehouse: Connection, sync: Sync
) -> None:
    given_record(warehouse, "GR-2")
    given_application(citizen, **GOOD)
    assert sync(citizen, APPLICATION_EVENTS) == REJECTED
    several = "citizen_id: means several rows of public.golden_records"
    assert letters(citizen) == [(application_id(), "consistency", several)]


@either_way
@pytest.mark.parametrize("number", [None, "", "  "], ids=["no", "an empty", "a blank"])
def test_a_citizen_with_no_number_is_nobody_in_the_warehouse(
    citizen: Connection, warehouse: Connection, number: str | None, sync: Sync
) -> None:
    """Though the warehouse, too, has people without one."""
    given_record(warehouse, "GR-8", jan_aadhaar=number)
    given_citizen(citizen, RAVI, aadhaar_number=number)
    given_application(citizen, citizen_id=RAVI, **GOOD)
    sync(citizen, APPLICATION_EVENTS)
    assert value(warehouse, "SELECT count(*) FROM decision.application_events") == 0
    assert len(waiting(citizen)) == 1
