"""Every alert has its threshold and its section in the runbook, and nothing is left over."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import click
import pytest

from synctasks.cli import cli
from synctasks.monitoring.alerts.condition import RUNBOOK, anchor, runbook
from synctasks.monitoring.alerts.conditions import NAMES
from synctasks.monitoring.thresholds import DEFAULTS, FILE

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / RUNBOOK).read_text(encoding="utf-8")
SECTIONS = {
    part.partition("\n")[0]: part.partition("\n")[2]
    for part in re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]
}
CONFIGURED = tomllib.loads((ROOT / FILE).read_text(encoding="utf-8"))
COMMANDS = sorted(
    set(re.findall(r"(?<!-A )\bsynctasks ((?:[a-z]+(?:-[a-z]+)*)(?: [^`\n|;#)]+)?)", TEXT))
)
PARTS = ("What it means", "See more", "What to do", "If nothing is done", "Threshold")

every_alert = pytest.mark.parametrize("name", NAMES)


def test_every_alert_has_a_section_everywhere_and_nothing_is_left_over() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert sorted(SECTIONS) == sorted(NAMES)
    anchors = {anchor(name) for name in NAMES}
    assert CONFIGURED.keys() == DEFAULTS.keys() == {"all", *anchors}


def test_the_file_of_thresholds_says_what_holds_without_it() -> None:
    assert CONFIGURED == DEFAULTS


@every_alert
def test_a_section_says_what_it_means_what_to_do_and_its_threshold(name: str) -> None:
    section = SECTIONS[name]
    assert tuple(re.findall(r"^\*\*(.+?)\.\*\*", section, flags=re.MULTILINE)) == PARTS
    threshold = section.partition("**Threshold.**")[2]
    assert f"`[{anchor(name)}]`" in threshold
    told = {key: float(number) for key, number in re.findall(r"`([\w-]+) = ([\d.]+)`", threshold)}
    expected = DEFAULTS[anchor(name)]
    assert told == (expected["minutes"] if name == "batch window missed" else expected)


@every_alert
def test_an_alert_links_to_its_section(name: str) -> None:
    # As a page makes an anchor of a heading: lower case, hyphens for spaces.
    assert runbook(name) == f"{RUNBOOK}#{name.lower().replace(' ', '-')}"


def test_links_within_the_runbook_lead_somewhere() -> None:
    assert set(re.findall(r"\(#([\w-]+)\)", TEXT)) <= {anchor(name) for name in NAMES}


def test_the_specifications_alerts_have_the_numbers_of_the_rulings() -> None:
    rulings = {
        "failure-rate": {"share": 0.01, "minutes": 15, "of-at-least": 100},
        "dead-letters": {"open": 1000},
        "volume-drop-of-events": {"share": 0.5, "weeks": 4, "of-at-least": 100},
    }
    assert {name: DEFAULTS[name] for name in rulings} == rulings
    assert DEFAULTS["latency"]["seconds"] == 10
    assert DEFAULTS["volume-drop"]["runs"] == 1
    assert DEFAULTS["batch-window-missed"]["minutes"] == {
        "schemes": 5,
        "profile_data": 30,
        "profile_summary": 20,
        "user_behavior": 30,
        "feedback_analytics": 10,
    }


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_that_the_runbook_names_is_one(line: str) -> None:
    """With the options it has there; capitals stand for what the reader knows."""
    words = ["17" if word in ("ID", "RUN") else word for word in line.split()]
    command: click.Command = cli
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), words.pop(0))
        assert found is not None, line
        command = found
    command.make_context(line, words)
