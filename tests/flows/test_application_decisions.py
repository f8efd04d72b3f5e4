"""Specification 1.5: given decisions on applications, when synced, then the portal shows them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from synctasks.flows.to_citizen.application_decisions import APPLICATION_DECISIONS
from tests.flows.decisions import (
    DECIDED,
    SHOWN,
    application_id,
    change,
    given_application,
    given_decision,
    shown,
)
from tests.flows.told import asked_for, letters_of, verified
from tests.refreshing import versions
from tests.rows import Connection, execute
from tests.syncing import Sync, by_events, by_full_run, either_way, pending

WRITTEN = {"read": 1, "written": 1}


def row_versions(citizen: Connection) -> dict[str, str]:
    return versions(citizen, "application_decisions", "application_id")


@either_way
def test_a_decision_appears_with_its_application(
    warehouse: Connection, citizen: Connection, sync: Sync
) -> None:
    for number in (1, 2):
        given_application(citizen, number)
    given_decision(warehouse)
    nothing = ("risk_score", "confidence", "reasons")
    given_decision(warehouse, 2, decision="AUTO_REJECTED", **dict.fromkeys(nothing))
    assert sync(warehouse, APPLICATION_DECISIONS) == {"read": 2, "written": 2}
    bare = {"decision_status": "AUTO_REJECTED", "decision_date": DECIDED}
    assert shown(citizen) == {
        application_id(): SHOWN,
        application_id(2): {**dict.fromkeys(SHOWN), **bare},
    }


CHANGES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    *(
        ({"decision": each}, {"decision_status": each})
        for each in ("AUTO_APPROVED", "AUTO_REJECTED", "MANUAL_REVIEW")
    ),
    ({"risk_score": Decimal(0)}, {"risk_score": Decimal(0)}),
    ({"risk_score": None}, {"risk_score": None}),
    ({"confidence": Decimal("0.91250001")}, {"confidence": Decimal("0.91250001")}),
    ({"reasons": []}, {"decision_reasons": []}),
    ({"reasons": None}, {"decision_reasons": None}),
    (
        {"decision_timestamp": DECIDED + timedelta(microseconds=1)},
        {"decision_date": DECIDED + timedelta(microseconds=1)},
    ),
    # An officer put the clock right: what the warehouse says now is what counts.
    (
        {"decision_timestamp": DECIDED - timedelta(days=9)},
        {"decision_date": DECIDED - timedelta(days=9)},
    ),
]


@either_way
@pytest.mark.parametrize(("changes", "seen"), CHANGES, ids=[str(each) for each, _ in CHANGES])
def test_another_decision_overwrites_the_one_before(
    warehouse: Connection,
    citizen: Connection,
    sync: Sync,
    changes: dict[str, Any],
    seen: dict[str, Any],
) -> None:
    given_application(citizen)
    given_decision(warehouse)
    by_events(warehouse, APPLICATION_DECISIONS)
    change(warehouse, **changes)
    assert sync(warehouse, APPLICATION_DECISIONS) == WRITTEN
    assert shown(citizen) == {application_id(): {**SHOWN, **seen}}


def test_insertions_and_updates_are_events_and_deletions_are_none(warehouse: Connection) -> None:
    given_decision(warehouse)
    change(warehouse, decision="MANUAL_REVIEW")
    change(warehouse, decision="MANUAL_REVIEW")
    execute(warehouse, "DELETE FROM decision.applications")
    assert pending(warehouse, APPLICATION_DECISIONS) == [(application_id(), "captured")] * 2


@either_way
def test_a_decision_that_is_gone_stays_at_the_portal(
    warehouse: Connection, citizen: Connection, sync: Sync
) -> None:
    given_application(citizen)
    given_application(citizen, 2)
    given_decision(warehouse)
    given_decision(warehouse, 2)
    by_events(warehouse, APPLICATION_DECISIONS)
    before = row_versions(citizen)
    gone = "DELETE FROM decision.applications WHERE application_id = %s"
    execute(warehouse, gone, [application_id()])
    expected = {} if sync is by_events else {"read": 1, "unchanged": 1}
    assert sync(warehouse, APPLICATION_DECISIONS) == expected
    assert row_versions(citizen) == before


def test_a_repeat_and_a_full_run_after_events_write_nothing(
    warehouse: Connection, citizen: Connection
) -> None:
    for number in (1, 2):
        given_application(citizen, number)
        given_decision(warehouse, number, risk_score=Decimal("0.10"))
    by_events(warehouse, APPLICATION_DECISIONS)
    before = row_versions(citizen)
    unchanged = {"read": 2, "unchanged": 2}
    keys = (application_id(), application_id(2))
    assert asked_for(warehouse, APPLICATION_DECISIONS, *keys) == unchanged
    assert by_full_run(warehouse, APPLICATION_DECISIONS) == unchanged
    assert row_versions(citizen) == before


@either_way
def test_a_decision_that_breaks_a_rule_leaves_the_one_before(
    warehouse: Connection, citizen: Connection, sync: Sync
) -> None:
    given_application(citizen)
    given_decision(warehouse)
    by_events(warehouse, APPLICATION_DECISIONS)
    change(warehouse, decision="APPROVED", risk_score=0)
    assert sync(warehouse, APPLICATION_DECISIONS) == {"read": 1, "rejected": 1}
    assert shown(citizen) == {application_id(): SHOWN}
    assert verified(APPLICATION_DECISIONS) == {"dead_lettered": 1}
    change(warehouse, decision="AUTO_APPROVED")
    assert sync(warehouse, APPLICATION_DECISIONS) == WRITTEN
    assert letters_of(warehouse, APPLICATION_DECISIONS) == []


def test_verify_tells_what_is_missing_different_or_on_its_way(
    warehouse: Connection, citizen: Connection
) -> None:
    for number in range(1, 5):
        given_application(citizen, number)
        given_decision(warehouse, number)
    by_events(warehouse, APPLICATION_DECISIONS)
    of = "application_decisions WHERE application_id"
    execute(citizen, f"DELETE FROM {of} = %s", [application_id(1)])
    execute(
        citizen,
        "UPDATE application_decisions SET risk_score = 0 WHERE application_id = %s",
        [application_id(2)],
    )
    change(warehouse, 3, risk_score=1)
    assert verified(APPLICATION_DECISIONS) == {
        "matched": 1,
        "missing": 1,
        "different": 1,
        "in_flight": 1,
    }
