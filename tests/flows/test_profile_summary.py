"""Specification 1.2: given 360-degree profiles, when synced, then their summaries at the portal."""

from __future__ import annotations

from typing import Any

import pytest
from psycopg2.extras import Json

from synctasks.capture.triggers import CHANNEL, SLEEP_LOCK
from synctasks.flow import Everything
from synctasks.flows.to_citizen.profile_summary import PROFILE_SUMMARY
from tests.conftest import connected
from tests.flows.profiles import SHOWN, change, given_profile, shown
from tests.flows.told import asked_for, letters_of, verified
from tests.refreshing import versions
from tests.rows import Connection, execute, rows
from tests.syncing import Sync, by_events, by_full_run, either_way, pending
from tests.workspace import WAREHOUSE

WRITTEN = {"read": 1, "written": 1}
UNCHANGED = {"read": 1, "unchanged": 1}


def row_versions(citizen: Connection) -> dict[str, str]:
    return versions(citizen, "profile_summary", "family_id")


@either_way
def test_a_profile_appears_with_its_income_confidential(
    warehouse: Connection, citizen: Connection, sync: Sync
) -> None:
    given_profile(warehouse)
    assert sync(warehouse, PROFILE_SUMMARY) == WRITTEN
    assert shown(citizen) == {"GR-1": SHOWN}


@either_way
@pytest.mark.parametrize("band", [None, "", "BELOW_POVERTY_LINE", "CONFIDENTIAL"])
def test_every_income_is_confidential_an_unknown_one_too(
    warehouse: Connection, citizen: Connection, sync: Sync, band: str | None
) -> None:
    given_profile(warehouse, inferred_income_band=band)
    assert sync(warehouse, PROFILE_SUMMARY) == WRITTEN
    assert shown(citizen) == {"GR-1": SHOWN}


CHANGES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"vulnerability_level": "x" * 64}, {"vulnerability": "x" * 64}),
    ({"under_coverage_indicator": False}, {"under_coverage": False}),
    ({"under_coverage_indicator": None}, {"under_coverage": None}),
    ({"cluster_id": "RJ-08"}, {"region": "RJ-08"}),
    ({"cluster_id": ""}, {"region": ""}),
    ({"cluster_id": None}, {"region": None}),
    ({"cluster_id": "RJ-09", "risk_features": None}, {"region": "RJ-09"}),
]


@either_way
@pytest.mark.parametrize(("changes", "seen"), CHANGES, ids=[str(each) for each, _ in CHANGES])
def test_a_change_of_what_is_shown_arrives(
    warehouse: Connection,
    citizen: Connection,
    sync: Sync,
    changes: dict[str, Any],
    seen: dict[str, Any],
) -> None:
    given_profile(warehouse)
    by_events(warehouse, PROFILE_SUMMARY)
    change(warehouse, **changes)
    assert sync(warehouse, PROFILE_SUMMARY) == WRITTEN
    assert shown(citizen) == {"GR-1": {**SHOWN, **seen}}


UNREAD: list[dict[str, Any]] = [
    {"inferred_income_band": "MIDDLE"},
    {"inferred_income_band": None},
    {"age_encoded": 0.1},
    {"gender_encoded": None},
    {"risk_features": Json({"debt": 0.4})},
    {"profile_data": Json([])},
    {"model_version": "v9"},
    {"updated_at": "2025-07-01 00:00+00"},
    {"vulnerability_level": "HIGH", "cluster_id": "RJ-07", "updated_at": "2025-07-01 00:00+00"},
]


def heard(listening: Connection) -> bool:
    """Whether somebody who sleeps was woken since he was last asked."""
    execute(listening, "SELECT")
    listening.poll()
    found = bool(listening.notifies)
    listening.notifies.clear()
    return found


@pytest.mark.parametrize("changes", UNREAD, ids=lambda changes: ", ".join(changes))
def test_what_the_models_rewrite_is_no_change_no_message_and_no_write(
    databases: dict[str, str],
    warehouse: Connection,
    citizen: Connection,
    changes: dict[str, Any],
) -> None:
    with connected(databases[WAREHOUSE]) as listening:
        # Whoever holds this lock sleeps, and is woken if there is anything to see.
        execute(listening, "SELECT pg_advisory_lock(%s, %s)", SLEEP_LOCK)
        execute(listening, f"LISTEN {CHANNEL}")
        given_profile(warehouse)
        assert heard(listening)
        by_events(warehouse, PROFILE_SUMMARY)
        before = row_versions(citizen)
        change(warehouse, **changes)
        assert not heard(listening)
    assert pending(warehouse, PROFILE_SUMMARY) == []
    assert rows(warehouse, "SELECT FROM synctasks.run") == []
    assert by_full_run(warehouse, PROFILE_SUMMARY) == UNCHANGED
    assert row_versions(citizen) == before


def test_a_statement_that_rewrites_all_profiles_logs_those_that_look_different(
    warehouse: Connection,
) -> None:
    for number in range(1, 6):
        given_profile(warehouse, f"GR-{number}")
    execute(warehouse, "DELETE FROM synctasks.change_log")
    execute(
        warehouse,
        "UPDATE profile_360 SET age_encoded = random(), updated_at = clock_timestamp(),"
        " cluster_id = CASE gr_id WHEN 'GR-3' THEN 'RJ-99' ELSE cluster_id END",
    )
    assert pending(warehouse, PROFILE_SUMMARY) == [("GR-3", "captured")]


@either_way
def test_a_profile_that_is_gone_leaves_the_portal(
    warehouse: Connection, citizen: Connection, sync: Sync
) -> None:
    given_profile(warehouse)
    given_profile(warehouse, "GR-2")
    by_events(warehouse, PROFILE_SUMMARY)
    execute(warehouse, "DELETE FROM profile_360 WHERE gr_id = 'GR-1'")
    counts = {"removed": 1} if sync is by_events else {"removed": 1, **UNCHANGED}
    # A run that finds half of what there was removes nothing: here it finds just so much.
    assert sync(warehouse, PROFILE_SUMMARY) == counts
    assert set(shown(citizen)) == {"GR-2"}


def test_a_profile_under_another_id_is_another_row(
    warehouse: Connection, citizen: Connection
) -> None:
    given_profile(warehouse)
    by_events(warehouse, PROFILE_SUMMARY)
    execute(warehouse, "UPDATE profile_360 SET gr_id = 'GR-2'")
    assert by_events(warehouse, PROFILE_SUMMARY) == {**WRITTEN, "removed": 1}
    assert shown(citizen) == {"GR-2": SHOWN}


def test_a_repeat_writes_nothing(warehouse: Connection, citizen: Connection) -> None:
    given_profile(warehouse)
    given_profile(warehouse, "GR-2", cluster_id=None)
    by_events(warehouse, PROFILE_SUMMARY)
    before = row_versions(citizen)
    assert asked_for(warehouse, PROFILE_SUMMARY, "GR-1", "GR-2") == {"read": 2, "unchanged": 2}
    assert by_full_run(warehouse, PROFILE_SUMMARY) == {"read": 2, "unchanged": 2}
    assert row_versions(citizen) == before


@either_way
@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (None, ("completeness", "vulnerability_level: is missing")),
        (" \u00a0", ("completeness", "vulnerability_level: is missing")),
        ("x" * 65, ("accuracy", "vulnerability_level: is longer than 64 characters")),
    ],
)
def test_a_profile_that_breaks_a_rule_stops_only_itself_and_removes_nothing(
    warehouse: Connection,
    citizen: Connection,
    sync: Sync,
    bad: str | None,
    error: tuple[str, str],
) -> None:
    given_profile(warehouse)
    by_events(warehouse, PROFILE_SUMMARY)
    change(warehouse, vulnerability_level=bad, cluster_id="RJ-99")
    given_profile(warehouse, "GR-2")
    given_profile(warehouse, "GR-3", vulnerability_level=bad)
    assert sync(warehouse, PROFILE_SUMMARY) == {"read": 3, "written": 1, "rejected": 2}
    assert shown(citizen) == {"GR-1": SHOWN, "GR-2": SHOWN}
    assert letters_of(warehouse, PROFILE_SUMMARY) == [("GR-1", *error), ("GR-3", *error)]
    change(warehouse, vulnerability_level="LOW")
    assert by_events(warehouse, PROFILE_SUMMARY) == WRITTEN
    assert letters_of(warehouse, PROFILE_SUMMARY) == [("GR-3", *error)], "the other passed"


def test_it_is_due_each_hour_in_full() -> None:
    schedule = PROFILE_SUMMARY.schedule
    assert schedule is not None
    assert (str(schedule), schedule.asks_for) == ("hourly, minute 0", Everything())


def test_verify_finds_what_somebody_did_at_the_portal(
    warehouse: Connection, citizen: Connection
) -> None:
    for number in range(1, 5):
        given_profile(warehouse, f"GR-{number}")
    by_events(warehouse, PROFILE_SUMMARY)
    assert verified(PROFILE_SUMMARY) == {"matched": 4}
    execute(citizen, "UPDATE profile_summary SET income_category = 'x' WHERE family_id = 'GR-1'")
    execute(citizen, "DELETE FROM profile_summary WHERE family_id = 'GR-2'")
    execute(citizen, "INSERT INTO profile_summary (family_id) VALUES ('GR-9')")
    change(warehouse, "GR-3", cluster_id="RJ-99")
    assert verified(PROFILE_SUMMARY) == {
        "matched": 1,
        "different": 1,
        "missing": 1,
        "in_flight": 1,
        "extra": 1,
    }
