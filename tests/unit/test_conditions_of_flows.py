"""A flow's conditions: silent at their thresholds, and with a reason in numbers above them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from synctasks.flow import Database
from synctasks.flows import by_name
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.flows.to_warehouse.user_behavior import USER_BEHAVIOR
from synctasks.monitoring.alerts.of_flows import NAMES, of_flow
from synctasks.monitoring.thresholds import DEFAULTS
from tests.figures import NOW, entry, figures

DAY = 86_400
HOUR = 3_600
DUE = NOW.replace(minute=0)
MISSED = timedelta(seconds=300)


def ended(state: str, times: int = 1) -> dict[str, Any]:
    return {"ended": {"state": state, "error": "E", "in_scope": 1_234, "times": times}}


def found(told: dict[str, Any] | None = None, **changes: Any) -> dict[str, str]:
    """The reasons by alert, of a flow without a slot that is due."""
    changed = {**DEFAULTS, **(told or {})}
    conditions = of_flow(
        by_name("ml_alerts"), figures(flows={"ml_alerts": entry(**changes)}), changed
    )
    return {each.name: each.reason for each in conditions}


# What fires, and what is only just no reason for it.
EDGES: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    (
        "failure rate",
        {"records": 1_000, "rejected": 10},
        {"records": 1_000, "rejected": 11},
        "11 of 1,000 records of the last 15 minutes were rejected (1.1%, more than 1.0%)",
    ),
    (
        "failure rate",
        {"records": 99, "rejected": 99},
        {"records": 100, "rejected": 2},
        "2 of 100 records",
    ),
    (
        "latency",
        {"changes": 7, "late": 0},
        {"changes": 7, "late": 1},
        "1 of 7 changes of the last 5 minutes took more than 10 s",
    ),
    ("latency", {"late_seconds": 10.0}, {"late_seconds": 10.1}, "pending for 10.1 s"),
    ("latency", {"late_seconds": None}, {"late_seconds": 600.0}, "pending for 10 min"),
    ("latency", {"late_seconds": 99, "paused": True}, {"late_seconds": 99}, "pending for 99.0 s"),
    ("volume drop", ended("succeeded"), ended("guarded"), "found 1,234 records, less than half"),
    ("volume drop of events", {"captured": (50, 100)}, {"captured": (49, 100)}, "captured 49"),
    ("volume drop of events", {"captured": (0, 99)}, {"captured": (0, 100)}, "of the 100 that are"),
    ("volume drop of events", {"captured": None}, {"captured": (0, 1e6)}, "of the 1,000,000 that"),
    ("run failed", ended("succeeded"), ended("failed"), "the last full run failed: E"),
    ("contract mismatch", ended("failed"), ended("stopped"), "the last full run was stopped: E"),
    (
        "breaker open",
        {"breaker": None},
        {"breaker": "target: it is down", "breaker_seconds": 0.0},
        "tried every 5 s: target: it is down",
    ),
    ("removals held", {"held": 0}, {"held": 1}, "1 removals are held"),
    (
        "waiting too long",
        {"waiting": 3, "oldest_waiting_seconds": 7 * DAY},
        {"waiting": 3, "oldest_waiting_seconds": 8 * DAY},
        "of 3 records that wait for their reference one has waited for 8 d, longer than 7 days",
    ),
    (
        "stale data",
        {"review": 500, "reviewed": 1_000},
        {"review": 501, "reviewed": 1_000},
        "501 of 1,000 source rows were not updated for 180 days",
    ),
    ("stale data", {"review": 99, "reviewed": 99}, {"review": 51, "reviewed": 100}, "51 of 100"),
    (
        "paused too long",
        {"paused": True, "paused_seconds": 24 * HOUR, "pending": 12_345},
        {"paused": True, "paused_seconds": 25 * HOUR, "pending": 12_345},
        "paused for 25 h, and 12,345 changes are pending",
    ),
]


@pytest.mark.parametrize(("name", "quiet", "loud", "reason"), EDGES)
def test_a_condition_is_silent_at_its_threshold_and_says_why_above_it(
    name: str, quiet: dict[str, Any], loud: dict[str, Any], reason: str
) -> None:
    assert name not in found(**quiet)
    assert reason in found(**loud)[name]


def test_a_flow_to_which_nothing_happened_has_no_condition() -> None:
    assert found() == {}


def test_every_condition_of_a_flow_has_its_edges_tested() -> None:
    of_slots = {"slot missed", "batch window missed"}
    assert {name for name, *_ in EDGES} | of_slots == set(NAMES)


@pytest.mark.parametrize(
    ("name", "state"),
    [("volume drop", "guarded"), ("run failed", "failed"), ("contract mismatch", "stopped")],
)
def test_a_run_that_ends_badly_may_do_so_a_few_times(name: str, state: str) -> None:
    section = {name.replace(" ", "-"): {"runs": 3}}
    assert name not in found(section, **ended(state, times=2))
    assert name in found(section, **ended(state, times=3))


def test_a_contract_that_does_not_fit_is_one_alert() -> None:
    rejected = {"records": 2_000, "rejected": 1_500}
    assert list(found(**rejected)) == ["failure rate"]
    assert list(found(**rejected, **ended("stopped"))) == ["contract mismatch"]


def test_what_is_pending_for_a_side_that_does_not_work_is_told_once() -> None:
    broken = {"breaker": "target: it is down", "breaker_seconds": 9.0}
    assert list(found(late_seconds=600.0, **broken)) == ["breaker open"]


def of_slot(
    slot: dict[str, Any] | None,
    *,
    installed_ago: timedelta = timedelta(days=9),
    passed: timedelta = timedelta(minutes=10),
    **changes: Any,
) -> dict[str, str]:
    """The reasons of `user_behavior`, so long after its slot of 01:00."""
    taken = {
        "slot": {"due_at": DUE, "taken_at": DUE, "finished_at": None, **slot} if slot else None
    }
    made = figures(
        Database.CITIZEN,
        {USER_BEHAVIOR.name: entry(**taken, **changes)},
        now=DUE + passed,
        installed_ago=installed_ago,
    )
    return {each.name: each.reason for each in of_flow(USER_BEHAVIOR, made, DEFAULTS)}


def test_a_slot_that_nobody_takes_is_missed() -> None:
    assert of_slot(None, passed=MISSED) == {}
    late = of_slot(None, passed=MISSED + timedelta(seconds=1))
    assert late == {"slot missed": "nobody has taken the slot of 2031-03-05 01:00 UTC"}
    yesterdays = {"due_at": DUE - timedelta(days=1), "state": "succeeded"}
    assert of_slot(yesterdays, passed=MISSED + timedelta(seconds=1)) == late


@pytest.mark.parametrize(
    "nobodys",
    [
        {"installed_ago": timedelta(minutes=9)},
        {"resumed_at": DUE + timedelta(minutes=1)},
        {"paused": True},
    ],
    ids=["before we were installed", "during a pause that is over", "during a pause"],
)
def test_a_slot_that_was_nobodys_to_take_is_not_missed(nobodys: dict[str, Any]) -> None:
    assert of_slot(None, passed=timedelta(minutes=50)).keys() == {
        "slot missed",
        "batch window missed",
    }
    ago = {"installed_ago": timedelta(minutes=49)} if "installed_ago" in nobodys else nobodys
    assert of_slot(None, passed=timedelta(minutes=50), **ago) == {}


def test_a_slot_that_was_taken_late_is_told_for_an_hour() -> None:
    late = {"taken_at": DUE + timedelta(minutes=6), "state": "succeeded", "finished_at": DUE}
    told = of_slot(late, passed=timedelta(minutes=7))
    assert told == {"slot missed": "the slot of 01:00 UTC was taken 6 min late"}
    assert of_slot(late, passed=timedelta(minutes=66)) == told
    assert of_slot(late, passed=timedelta(minutes=67)) == {}


def test_a_batch_has_its_window() -> None:
    running = {"state": "running"}
    assert of_slot(running, passed=timedelta(minutes=30)) == {}
    late = of_slot(running, passed=timedelta(minutes=31))["batch window missed"]
    assert late == "the run that was due at 01:00 UTC is running; its window is 30 minutes"
    in_time = {"state": "succeeded", "finished_at": DUE + timedelta(minutes=30)}
    assert of_slot(in_time, passed=timedelta(hours=9)) == {}
    too_late = {"state": "succeeded", "finished_at": DUE + timedelta(minutes=30, seconds=1)}
    told = of_slot(too_late, passed=timedelta(hours=9))["batch window missed"]
    assert "took until 01:30:01" in told
    nobody = of_slot(None, passed=timedelta(minutes=31))["batch window missed"]
    assert "is not begun" in nobody


def test_a_flow_without_a_window_of_its_own_has_none() -> None:
    flow = by_name("eligibility_hints")
    assert flow.schedule is not None
    made = figures(flows={flow.name: entry()}, now=NOW + timedelta(hours=9))
    assert [each.name for each in of_flow(flow, made, DEFAULTS)] == ["slot missed"]


def test_a_condition_is_about_its_flow_and_links_to_the_runbook() -> None:
    made = figures(flows={PROFILE_DATA.name: entry(held=7)}, installed_ago=timedelta(0))
    [condition] = of_flow(PROFILE_DATA, made, DEFAULTS)
    assert (condition.name, condition.about) == ("removals held", "profile_data")
    assert condition.runbook == "docs/runbook.md#removals-held"
