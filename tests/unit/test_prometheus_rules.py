"""The rules for Alertmanager are the alerts of synctasks, with the same numbers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from synctasks.monitoring.alerts.condition import runbook
from synctasks.monitoring.alerts.conditions import NAMES
from synctasks.monitoring.thresholds import thresholds
from tests.scraping import rules

TOLD = thresholds()

# The numbers that each rule's condition must hold, and no others. 86400 and 3600 are seconds.
NUMBERS: dict[str, set[float]] = {
    "failure rate": {
        TOLD["failure-rate"]["share"],
        TOLD["failure-rate"]["minutes"],
        TOLD["failure-rate"]["of-at-least"],
    },
    "latency": {TOLD["latency"]["seconds"], TOLD["latency"]["minutes"]},
    "dead letters": {TOLD["dead-letters"]["open"]},
    "volume drop": {TOLD["volume-drop"]["runs"]},
    "run failed": {TOLD["run-failed"]["runs"]},
    "contract mismatch": {TOLD["contract-mismatch"]["runs"]},
    "breaker open": set(),
    "removals held": {TOLD["removals-held"]["units"]},
    "waiting too long": {TOLD["waiting-too-long"]["days"], 86_400},
    "stale data": {TOLD["stale-data"]["share"], TOLD["stale-data"]["of-at-least"]},
    "paused too long": {TOLD["paused-too-long"]["hours"], 3_600},
    "messages refused": {TOLD["messages-refused"]["ways"]},
    "books out of balance": {TOLD["books-out-of-balance"]["rows"]},
    "away": set(),
    "no heartbeat": {
        TOLD["no-heartbeat"]["listener-seconds"],
        TOLD["no-heartbeat"]["beat-seconds"],
        TOLD["no-heartbeat"]["worker-seconds"],
    },
    "heartbeat late": {TOLD["heartbeat-late"]["seconds"]},
}

RULES: dict[str, Any] = {rule["alert"]: rule for rule in rules()}
PASSED_ON = RULES["SynctasksOther"]
OWN = ("SynctasksSilent", "SynctasksUnwatched", "SynctasksOther")


def rule_of(name: str) -> Any:
    return RULES["Synctasks" + name.title().replace(" ", "")]


def test_each_alert_has_one_rule_and_each_rule_an_alert() -> None:
    [passed_on] = re.findall(r'alert=~"([^"]+)"', PASSED_ON["expr"])
    assert sorted([*passed_on.split("|"), *NUMBERS]) == sorted(NAMES)
    assert len(RULES) == len(list(rules())) == len(NUMBERS) + len(OWN)


@pytest.mark.parametrize("name", NUMBERS)
def test_the_numbers_of_a_rule_are_those_of_the_alert(name: str) -> None:
    expression = re.sub(r"== [01]\b", "", rule_of(name)["expr"])
    numbers = {float(each) for each in re.findall(r"(?<![\w.])\d+(?:\.\d+)?", expression)}
    assert numbers == NUMBERS[name]


@pytest.mark.parametrize("name", NUMBERS)
def test_a_rule_leads_to_the_alerts_place_in_the_runbook(name: str) -> None:
    assert rule_of(name)["annotations"]["runbook_url"] == runbook(name)


def test_those_that_are_passed_on_lead_there_too() -> None:
    template = PASSED_ON["annotations"]["runbook_url"]
    assert template == runbook("") + '{{ $labels.alert | reReplaceAll " " "-" }}'


@pytest.mark.parametrize("name", OWN[:2])
def test_rules_that_are_no_alert_of_ours_lead_into_the_docs(name: str) -> None:
    page, _, anchor = RULES[name]["annotations"]["runbook_url"].partition("#")
    headings = re.findall(r"^#+ (.+)$", (Path(__file__).parents[2] / page).read_text(), re.M)
    assert anchor in [heading.lower().replace(" ", "-") for heading in headings]


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_says_what_it_is_about_and_how_bad(rule: Any) -> None:
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert rule["annotations"]["summary"]
    # Of any number of web processes, which all say the same, an alert is one.
    assert re.search(r"\b(max|min|sum|absent)\b", rule["expr"])


def test_an_open_breaker_is_told_as_late_as_by_synctasks() -> None:
    assert rule_of("breaker open")["for"] == f"{TOLD['breaker-open']['seconds']}s"
