"""Prometheus' own tool finds no fault with the rules and a scrape, and the rules do as they say."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.scraping import RULES, rules, scrape
from tests.system.rule_cases import CASES, SCRAPED

_PASSED_ON = {
    "name": "what is passed on leads into the runbook",
    "interval": "15s",
    "input_series": [
        {"series": f'synctasks_alert_firing{{alert="slot missed",about="x",{each}}}', "values": "1"}
        for each in SCRAPED
    ],
    "alert_rule_test": [
        {
            "eval_time": "0m",
            "alertname": "SynctasksOther",
            "exp_alerts": [
                {
                    "exp_labels": {"severity": "warning", "alert": "slot missed", "about": "x"},
                    "exp_annotations": {
                        "summary": "x: slot missed",
                        "runbook_url": "docs/runbook.md#slot-missed",
                    },
                }
            ],
        }
    ],
}


def promtool(*arguments: str, words: str = "") -> str:
    """What promtool has to say; it must be content."""
    try:
        done = subprocess.run(
            ["promtool", *arguments], input=words, capture_output=True, text=True, timeout=60
        )
    except FileNotFoundError:
        pytest.fail("there is no promtool: apt-get install prometheus")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_it_finds_no_fault_with_the_rules() -> None:
    assert f"SUCCESS: {len(list(rules()))} rules found" in promtool("check", "rules", str(RULES))


def test_it_finds_no_fault_with_a_scrape(databases: dict[str, str]) -> None:
    assert promtool("check", "metrics", words=scrape().text) == ""


def test_each_rule_fires_where_it_should_and_nowhere_else(tmp_path: Path) -> None:
    assert {case.rule for case in CASES} == {rule["alert"] for rule in rules()}
    file = tmp_path / "tests.yaml"
    told = {"rule_files": [str(RULES)], "tests": [*(case.test for case in CASES), _PASSED_ON]}
    file.write_text(yaml.safe_dump(told))
    assert "SUCCESS" in promtool("test", "rules", str(file))
