"""Specification 1.6: given alerts of three use cases, when synced, then the portal shows them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from synctasks.flows.to_citizen.ml_alerts import ML_ALERTS
from tests.flows.alerts import (
    CREATED,
    FOURTEENTH,
    NINTH,
    SEVENTH,
    SHOWN,
    TABLES,
    alert_id,
    change,
    given_alert,
    key_of,
    shown,
    whose,
)
from tests.flows.citizens import ASHA, FAMILY, given_citizen
from tests.flows.told import asked_for, letters_of, verified
from tests.refreshing import versions
from tests.rows import Connection, execute
from tests.syncing import Sync, by_events, by_full_run, either_way, pending

WRITTEN = {"read": 1, "written": 1}
REJECTED = {"read": 1, "rejected": 1}
TAKEN = "alert_id: is known at the target from another unit"

each_use_case = pytest.mark.parametrize("use_case", TABLES)


@pytest.fixture(autouse=True)
def known(citizen: Connection) -> None:
    """Asha, the verified head of the family that the alerts are about."""
    given_citizen(citizen)


def row_versions(citizen: Connection) -> dict[str, str]:
    return versions(citizen, "ml_alerts", "alert_id")


@either_way
@each_use_case
def test_an_alert_appears_to_the_head_of_its_family(
    warehouse: Connection, citizen: Connection, sync: Sync, use_case: str
) -> None:
    given_alert(warehouse, 1, use_case)
    given_alert(warehouse, 2, use_case, action_url=None)
    assert sync(warehouse, ML_ALERTS) == {"read": 2, "written": 2}
    assert shown(citizen) == {alert_id(1): SHOWN, alert_id(2): {**SHOWN, "action_url": None}}
    assert whose(citizen) == {alert_id(1): ASHA, alert_id(2): ASHA}


@either_way
def test_those_of_all_three_use_cases_arrive_at_once(
    warehouse: Connection, citizen: Connection, sync: Sync
) -> None:
    for number, use_case in enumerate(TABLES):
        given_alert(warehouse, number, use_case, message=use_case)
    assert sync(warehouse, ML_ALERTS) == {"read": 3, "written": 3}
    messages = {alert: each["message"] for alert, each in shown(citizen).items()}
    assert messages == {alert_id(number): use_case for number, use_case in enumerate(TABLES)}
    assert verified(ML_ALERTS) == {"matched": 3}


CHANGES: list[dict[str, Any]] = [
    {"alert_type": "x" * 64},
    *({"severity": each} for each in ("LOW", "MEDIUM", "CRITICAL")),
    {"message": "\u0906\u092f"},
    {"action_url": "https://portal.example/schemes"},
    {"action_url": None},
    {"created_at": CREATED + timedelta(microseconds=1)},
    # The use case put its clock right: what it says now is what counts.
    {"created_at": CREATED - timedelta(days=1)},
]


@either_way
@each_use_case
@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_a_change_of_an_alert_arrives(
    warehouse: Connection, citizen: Connection, sync: Sync, use_case: str, changes: dict[str, Any]
) -> None:
    given_alert(warehouse, 1, use_case)
    by_events(warehouse, ML_ALERTS)
    change(warehouse, 1, use_case, **changes)
    assert sync(warehouse, ML_ALERTS) == WRITTEN
    assert shown(citizen) == {alert_id(): {**SHOWN, **changes}}
    assert whose(citizen) == {alert_id(): ASHA}


@each_use_case
def test_insertions_and_updates_are_events_and_deletions_are_none(
    warehouse: Connection, use_case: str
) -> None:
    given_alert(warehouse, 1, use_case)
    change(warehouse, 1, use_case, severity="LOW")
    change(warehouse, 1, use_case, severity="LOW")
    execute(warehouse, f"DELETE FROM {TABLES[use_case]}")
    assert pending(warehouse, ML_ALERTS) == [(key_of(1, use_case), "captured")] * 2


@either_way
def test_an_alert_that_is_gone_stays_at_the_portal(
    warehouse: Connection, citizen: Connection, sync: Sync
) -> None:
    given_alert(warehouse)
    given_alert(warehouse, 2)
    by_events(warehouse, ML_ALERTS)
    before = row_versions(citizen)
    gone = f"DELETE FROM {TABLES[SEVENTH]} WHERE alert_id = %s"
    execute(warehouse, gone, [alert_id()])
    expected = {} if sync is by_events else {"read": 1, "unchanged": 1}
    assert sync(warehouse, ML_ALERTS) == expected
    assert asked_for(warehouse, ML_ALERTS, key_of()) == {}
    assert row_versions(citizen) == before
    assert verified(ML_ALERTS) == {"matched": 1}


def test_a_repeat_and_a_full_run_after_events_write_nothing(
    warehouse: Connection, citizen: Connection
) -> None:
    keys = [given_alert(warehouse, number, each) for number, each in enumerate(TABLES)]
    by_events(warehouse, ML_ALERTS)
    before = row_versions(citizen)
    unchanged = {"read": 3, "unchanged": 3}
    assert asked_for(warehouse, ML_ALERTS, *keys) == unchanged
    assert by_full_run(warehouse, ML_ALERTS) == unchanged
    assert row_versions(citizen) == before


@either_way
def test_an_id_of_another_use_case_is_refused_and_the_first_ones_alert_stays(
    warehouse: Connection, citizen: Connection, sync: Sync
) -> None:
    given_alert(warehouse, 1, NINTH)
    by_events(warehouse, ML_ALERTS)
    before = row_versions(citizen)
    second = given_alert(warehouse, 1, SEVENTH, created_at=CREATED + timedelta(hours=1))
    third = given_alert(
        warehouse, 1, FOURTEENTH, created_at=CREATED + timedelta(hours=1), severity="?"
    )
    expected = {"read": 2, "rejected": 2}
    assert sync(warehouse, ML_ALERTS) == (
        expected if sync is by_events else {"read": 3, "rejected": 2, "unchanged": 1}
    )
    unknown = "severity: is none of LOW, MEDIUM, HIGH, CRITICAL"
    assert letters_of(warehouse, ML_ALERTS) == [
        (second, "consistency", TAKEN),
        (third, "accuracy", unknown),
    ]
    assert row_versions(citizen) == before
    assert verified(ML_ALERTS) == {"matched": 1, "dead_lettered": 2}


def test_of_one_id_that_comes_from_all_three_at_once_only_the_first_ones_alert_appears(
    warehouse: Connection, citizen: Connection
) -> None:
    for hours, use_case in enumerate((FOURTEENTH, SEVENTH, NINTH)):
        created = CREATED + timedelta(hours=hours)
        given_alert(warehouse, 1, use_case, created_at=created, message=use_case)
    assert by_events(warehouse, ML_ALERTS) == {"read": 3, "written": 1, "rejected": 2}
    assert shown(citizen)[alert_id()]["message"] == FOURTEENTH


def test_the_first_ones_alert_goes_on_changing(warehouse: Connection, citizen: Connection) -> None:
    given_alert(warehouse, 1, SEVENTH)
    given_alert(warehouse, 1, NINTH, created_at=CREATED + timedelta(hours=1))
    by_events(warehouse, ML_ALERTS)
    change(warehouse, 1, SEVENTH, severity="LOW")
    change(warehouse, 1, NINTH, severity="CRITICAL")
    assert by_events(warehouse, ML_ALERTS) == {"read": 2, "written": 1, "rejected": 1}
    assert shown(citizen) == {alert_id(): {**SHOWN, "severity": "LOW"}}


def test_an_alert_under_another_id_is_another_row(
    warehouse: Connection, citizen: Connection
) -> None:
    given_alert(warehouse)
    by_events(warehouse, ML_ALERTS)
    execute(warehouse, f"UPDATE {TABLES[SEVENTH]} SET alert_id = %s", [alert_id(2)])
    assert by_events(warehouse, ML_ALERTS) == WRITTEN
    assert shown(citizen) == {alert_id(1): SHOWN, alert_id(2): SHOWN}


def test_an_alert_that_breaks_a_rule_leaves_the_one_before(
    warehouse: Connection, citizen: Connection
) -> None:
    given_alert(warehouse)
    by_events(warehouse, ML_ALERTS)
    change(warehouse, action_url="javascript:alert(1)", severity="LOW")
    assert by_events(warehouse, ML_ALERTS) == REJECTED
    assert shown(citizen) == {alert_id(): SHOWN}
    change(warehouse, action_url="/")
    assert by_events(warehouse, ML_ALERTS) == WRITTEN
    assert letters_of(warehouse, ML_ALERTS) == []


def test_verify_tells_what_is_missing_different_or_on_its_way(
    warehouse: Connection, citizen: Connection
) -> None:
    for number in range(1, 5):
        given_alert(warehouse, number, family_id=FAMILY)
    by_events(warehouse, ML_ALERTS)
    execute(citizen, "DELETE FROM ml_alerts WHERE alert_id = %s", [alert_id(1)])
    execute(citizen, "UPDATE ml_alerts SET message = 'x' WHERE alert_id = %s", [alert_id(2)])
    change(warehouse, 3, severity="LOW")
    assert verified(ML_ALERTS) == {"matched": 1, "missing": 1, "different": 1, "in_flight": 1}
