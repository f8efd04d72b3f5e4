"""Specification 1.1: given schemes in the warehouse, when synced, then these at the portal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from synctasks.capture import change_log
from synctasks.flows.to_citizen.schemes import SCHEMES
from tests.flows.schemes import (
    FARMERS,
    SHOWN,
    UPDATED,
    WIDOW,
    change,
    few_are_usual,
    given,
    letters,
    shown,
    synced,
)
from tests.refreshing import books, carry, run_of, versions
from tests.rows import Connection, execute, insert, rows, value


@pytest.fixture(autouse=True)
def usual(warehouse: Connection) -> None:
    few_are_usual(warehouse)


def test_an_active_scheme_appears_unmasked(warehouse: Connection, citizen: Connection) -> None:
    given(warehouse)
    assert books(synced(warehouse)) == {"read": 1, "written": 1}
    assert shown(citizen) == {"RJ-OLD-AGE": SHOWN}


def test_what_may_be_null_is_null_at_the_portal(warehouse: Connection, citizen: Connection) -> None:
    optional = ("description", "category", "department_name")
    json = ("eligibility_criteria_json", "benefits_json", "documents_required_json")
    given(warehouse, **dict.fromkeys((*optional, *json)))
    assert books(synced(warehouse)) == {"read": 1, "written": 1}
    [scheme] = shown(citizen).values()
    assert [name for name, found in scheme.items() if found is None] == [
        "description",
        "category",
        "department",
        "eligibility_criteria",
        "benefits",
        "documents_required",
    ]


CHANGES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"scheme_name": "Pension"}, {"name": "Pension"}),
    ({"description": None}, {"description": None}),
    ({"category": "welfare"}, {"category": "welfare"}),
    ({"department_name": ""}, {"department": ""}),
    ({"eligibility_criteria_json": "{}"}, {"eligibility_criteria": {}}),
    ({"benefits_json": '{"amount": 2}'}, {"benefits": {"amount": 2}}),
    ({"documents_required_json": "[]"}, {"documents_required": []}),
    (
        {"updated_at": UPDATED + timedelta(seconds=1)},
        {"last_updated": UPDATED + timedelta(seconds=1)},
    ),
]


@pytest.mark.parametrize(
    ("changed", "expected"), CHANGES, ids=[next(iter(each)) for each, _ in CHANGES]
)
def test_a_changed_scheme_is_changed_at_the_portal(
    warehouse: Connection,
    citizen: Connection,
    changed: dict[str, Any],
    expected: dict[str, Any],
) -> None:
    given(warehouse)
    synced(warehouse)
    change(warehouse, **changed)
    assert books(synced(warehouse)) == {"read": 1, "written": 1}
    assert shown(citizen) == {"RJ-OLD-AGE": {**SHOWN, **expected}}


def test_nothing_is_written_twice(warehouse: Connection, citizen: Connection) -> None:
    given(warehouse)
    given(warehouse, **WIDOW, status="DRAFT")
    synced(warehouse)
    before = versions(citizen, "schemes", "code")
    # Equal as JSON, and in another order.
    change(warehouse, eligibility_criteria_json='{"genders":["F"],  "age":{"min":60.0}}')
    assert books(synced(warehouse)) == {"read": 2, "unchanged": 1, "filtered": 1}
    assert versions(citizen, "schemes", "code") == before


@pytest.mark.parametrize("status", ["DRAFT", "INACTIVE", "RETIRED", "active", "ACTIVE ", "", None])
def test_only_active_schemes_cross_however_bad_the_others_are(
    warehouse: Connection, citizen: Connection, status: str | None
) -> None:
    given(warehouse, status=status, scheme_name=None, updated_at=None, benefits_json="1")
    assert books(synced(warehouse)) == {"read": 1, "filtered": 1}
    assert shown(citizen) == {}
    assert letters(warehouse) == []


def leave_the_scope(warehouse: Connection) -> None:
    change(warehouse, status="RETIRED")


def leave_the_table(warehouse: Connection) -> None:
    execute(warehouse, "DELETE FROM eligibility.scheme_master WHERE scheme_code = 'RJ-OLD-AGE'")


@pytest.mark.parametrize(
    ("leave", "expected"),
    [
        (leave_the_scope, {"read": 2, "unchanged": 1, "filtered": 1, "removed": 1}),
        (leave_the_table, {"read": 1, "unchanged": 1, "removed": 1}),
    ],
)
def test_a_scheme_that_is_no_longer_active_becomes_inactive_and_is_never_deleted(
    warehouse: Connection,
    citizen: Connection,
    leave: Callable[[Connection], None],
    expected: dict[str, int],
) -> None:
    given(warehouse)
    given(warehouse, **WIDOW)
    synced(warehouse)
    leave(warehouse)
    run = synced(warehouse)
    assert books(run) == expected
    at = datetime.fromisoformat(run["started_at"])
    assert shown(citizen)["RJ-OLD-AGE"] == {**SHOWN, "status": "INACTIVE", "last_updated": at}
    assert shown(citizen)["RJ-WIDOW"]["status"] == "ACTIVE"
    before = versions(citizen, "schemes", "code")
    assert synced(warehouse)["removed"] == 0
    assert versions(citizen, "schemes", "code") == before, "deactivated once"


def test_an_inactive_scheme_that_is_asked_for_by_its_code_is_not_touched_again(
    warehouse: Connection, citizen: Connection
) -> None:
    given(warehouse)
    synced(warehouse)
    leave_the_scope(warehouse)
    synced(warehouse)
    before = versions(citizen, "schemes", "code")
    run, _ = change_log.request(SCHEMES, ["RJ-OLD-AGE"], origin="key")
    carry(SCHEMES)
    assert books(run_of(warehouse, run)) == {"read": 1, "filtered": 1}
    assert versions(citizen, "schemes", "code") == before


def test_all_that_a_run_deactivates_bears_its_time(
    warehouse: Connection, citizen: Connection
) -> None:
    execute(
        citizen,
        "INSERT INTO schemes (id, code, status) "
        "SELECT gen_random_uuid(), 'old ' || number, 'ACTIVE' "
        "FROM generate_series(1, 40) AS numbered (number)",
    )
    given(warehouse)
    run = synced(warehouse)
    assert run["removed"] == 40
    times = rows(citizen, "SELECT DISTINCT last_updated FROM schemes WHERE status = 'INACTIVE'")
    assert times == [datetime.fromisoformat(run["started_at"])]


def test_a_scheme_that_is_active_again_is_active_at_the_portal(
    warehouse: Connection, citizen: Connection
) -> None:
    given(warehouse)
    synced(warehouse)
    leave_the_scope(warehouse)
    synced(warehouse)
    change(warehouse, status="ACTIVE")
    assert books(synced(warehouse)) == {"read": 1, "written": 1}
    assert shown(citizen) == {"RJ-OLD-AGE": SHOWN}


def test_on_conflict_the_portal_keeps_its_id(warehouse: Connection, citizen: Connection) -> None:
    insert(citizen, "schemes", {"id": FARMERS, "code": "RJ-OLD-AGE", "name": "x", "status": "y"})
    given(warehouse)
    assert books(synced(warehouse)) == {"read": 1, "written": 1}
    assert shown(citizen) == {"RJ-OLD-AGE": {**SHOWN, "id": str(FARMERS)}}
    before = versions(citizen, "schemes", "code")
    assert books(synced(warehouse)) == {"read": 1, "unchanged": 1}
    assert versions(citizen, "schemes", "code") == before


def test_schemes_by_their_codes_only(warehouse: Connection, citizen: Connection) -> None:
    given(warehouse)
    given(warehouse, **WIDOW)
    given(warehouse, scheme_id=FARMERS, scheme_code="RJ-FARM", status="RETIRED")
    insert(citizen, "schemes", {"id": FARMERS, "code": "RJ-FARM", "status": "ACTIVE"})
    run, _ = change_log.request(SCHEMES, ["RJ-OLD-AGE", "RJ-FARM", "RJ-NOBODY"], origin="key")
    carry(SCHEMES)
    ended = run_of(warehouse, run)
    assert (ended["state"], books(ended)) == (
        "succeeded",
        {"read": 2, "written": 1, "filtered": 1, "removed": 1},
    )
    assert {code: each["status"] for code, each in shown(citizen).items()} == {
        "RJ-OLD-AGE": "ACTIVE",
        "RJ-FARM": "INACTIVE",
    }


def test_no_change_of_a_scheme_is_an_event(warehouse: Connection) -> None:
    given(warehouse)
    leave_the_scope(warehouse)
    leave_the_table(warehouse)
    assert value(warehouse, "SELECT count(*) FROM synctasks.change_log") == 0
