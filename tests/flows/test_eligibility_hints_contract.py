"""Specification 1.3: which evaluations are refused, and what becomes of hints that were shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from synctasks.flows.to_citizen.eligibility_hints import ELIGIBILITY_HINTS
from tests.conftest import connected
from tests.emptied import empty
from tests.flows.hints import (
    FAMILY,
    OTHER,
    REJECTED,
    UNCHANGED,
    WRITTEN,
    YESTERDAY,
    again,
    change,
    few_are_usual,
    given,
    given_schemes,
    given_scores,
    letters,
    record,
    row_versions,
    run_in_full,
    shown,
    synced,
    verified,
)
from tests.rows import Connection, execute, rows
from tests.syncing import Sync, either_way
from tests.workspace import CITIZEN, WAREHOUSE, Workspace

FLOW = ELIGIBILITY_HINTS
COMPLETENESS, ACCURACY = "completeness", "accuracy"
_MISSING = "is missing"
_BETWEEN = "is not between 0 and 1"
_NO_NUMBER = "is no number"
_NO_UUID = "is no UUID in its canonical form"
_NO_MOMENT = "is no moment of our era"
AHEAD = timedelta(minutes=6)

# What is wrong: the column, its value, the category and what is said of it.
BAD: dict[str, tuple[str, Any, str, str]] = {
    "no code": ("scheme_code", None, COMPLETENESS, _MISSING),
    "empty code": ("scheme_code", "", COMPLETENESS, _MISSING),
    "blank code": ("scheme_code", " \t\u00a0", COMPLETENESS, _MISSING),
    "no score": ("eligibility_score", None, COMPLETENESS, _MISSING),
    "below zero": ("eligibility_score", "-0.0000001", ACCURACY, _BETWEEN),
    "above one": ("eligibility_score", "1.0000001", ACCURACY, _BETWEEN),
    "a percentage": ("eligibility_score", "87.5", ACCURACY, _BETWEEN),
    "NaN": ("eligibility_score", "NaN", ACCURACY, _NO_NUMBER),
    "infinity": ("eligibility_score", "Infinity", ACCURACY, _NO_NUMBER),
    "unsure below zero": ("confidence_score", "-1", ACCURACY, _BETWEEN),
    "more than sure": ("confidence_score", "1.1", ACCURACY, _BETWEEN),
    "NaN sure": ("confidence_score", "NaN", ACCURACY, _NO_NUMBER),
    "no time": ("evaluation_timestamp", None, COMPLETENESS, _MISSING),
    "never": ("evaluation_timestamp", "infinity", ACCURACY, _NO_MOMENT),
    "future": ("evaluation_timestamp", AHEAD, ACCURACY, "lies more than 5 minutes ahead"),
    "no family": ("family_id", None, COMPLETENESS, _MISSING),
    "empty family": ("family_id", "", COMPLETENESS, _MISSING),
    "blank family": ("family_id", "  ", COMPLETENESS, _MISSING),
    "no UUID": ("family_id", "FAM-00000001", ACCURACY, _NO_UUID),
    "upper case": ("family_id", FAMILY.upper(), ACCURACY, _NO_UUID),
    "braces": ("family_id", f"{{{FAMILY}}}", ACCURACY, _NO_UUID),
    "blank after it": ("family_id", f"{FAMILY} ", ACCURACY, _NO_UUID),
}
GOOD: dict[str, tuple[str, Any]] = {
    "nothing at all": ("eligibility_score", "0"),
    "all": ("eligibility_score", "1.000000"),
    "negative zero": ("eligibility_score", "-0"),
    "unsure": ("confidence_score", "0"),
    "sure": ("confidence_score", "1"),
    "no confidence": ("confidence_score", None),
    "no explanation": ("explanation", None),
    "blank explanation": ("explanation", " \n"),
    "a clock that is ahead": ("evaluation_timestamp", timedelta(minutes=4)),
}


class Judged(NamedTuple):
    """What became of all of these in one sync: families shown, and letters, by record."""

    shown: set[str]
    letters: dict[str, tuple[str, str]]
    snapshots: dict[str, int]


def family_of(name: str, column: str, chosen: Any) -> Any:
    """The family of the evaluation of this name: each its own."""
    number = list({**BAD, **GOOD}).index(name)
    return chosen if column == "family_id" else str(UUID(int=number + 1))


def record_of(name: str, snapshot: int) -> str:
    """The record of the evaluation of this name."""
    column, chosen, *_ = BAD[name]
    family = family_of(name, column, chosen)
    if not family or (column == "scheme_code" and chosen is None):
        return f"snapshot_id {snapshot}"
    return record(chosen if column == "scheme_code" else "A", family)


@pytest.fixture(scope="module", params=["events", "full run"])
def judged(renewed: Workspace, request: pytest.FixtureRequest) -> Judged:
    empty(renewed)
    with (
        connected(renewed.environment[WAREHOUSE]) as warehouse,
        connected(renewed.environment[CITIZEN]) as citizen,
    ):
        given_schemes(citizen, "A")
        now, snapshots = datetime.now(UTC), {}
        for name, (column, chosen, *_) in {**BAD, **GOOD}.items():
            there = now + chosen if isinstance(chosen, timedelta) else chosen
            row = {"family_id": family_of(name, column, chosen), "scheme_code": "A", column: there}
            snapshots[name] = given(warehouse, **{"scheme": row.pop("scheme_code"), **row})
        assert (synced if request.param == "events" else run_in_full)(warehouse) == {
            "read": len(BAD) + len(GOOD),
            "written": len(GOOD),
            "rejected": len(BAD),
        }
        said = {record: (category, error) for record, category, error in letters(warehouse)}
        found = set(rows(citizen, "SELECT family_id FROM eligibility_hints"))
        return Judged(found, said, snapshots)


@pytest.mark.parametrize("name", BAD)
def test_an_evaluation_that_breaks_a_rule_is_refused(judged: Judged, name: str) -> None:
    column, chosen, category, message = BAD[name]
    letter = judged.letters[record_of(name, judged.snapshots[name])]
    assert letter == (category, f"{column}: {message}")
    assert family_of(name, column, chosen) not in judged.shown


@pytest.mark.parametrize("name", GOOD)
def test_one_that_just_keeps_it_is_shown(judged: Judged, name: str) -> None:
    assert family_of(name, *GOOD[name]) in judged.shown


def test_nothing_else_has_a_letter_or_a_hint(judged: Judged) -> None:
    assert (len(judged.letters), len(judged.shown)) == (len(BAD), len(GOOD))


@pytest.fixture
def known(citizen: Connection) -> None:
    """Schemes that the portal knows."""
    given_schemes(citizen, *"ABCDEF")


@either_way
def test_a_refused_evaluation_holds_up_nobody_and_its_hint_stays_as_it_is(
    warehouse: Connection, citizen: Connection, known: None, sync: Sync
) -> None:
    """Run after run, until it is right again; then, and only then, its letter is closed."""
    given(warehouse, "A")
    bad = given(warehouse, "B")
    given(warehouse, "C", family_id=OTHER)
    sync(warehouse, FLOW)
    before = row_versions(citizen)
    change(warehouse, bad, eligibility_score=None, evaluation_timestamp=YESTERDAY)
    assert sync(warehouse, FLOW)["rejected"] == 1
    for _ in range(2):
        assert again(warehouse) == {"read": 2, "unchanged": 1, "rejected": 1}
        assert run_in_full(warehouse) == {"read": 3, "unchanged": 2, "rejected": 1}
    given(warehouse, "D")
    sync(warehouse, FLOW)
    after = row_versions(citizen)
    assert {name: after.get(name) for name in before} == before
    assert letters(warehouse) == [(record("B"), COMPLETENESS, f"eligibility_score: {_MISSING}")]
    assert verified() == {"matched": 3, "dead_lettered": 1}
    change(warehouse, bad, eligibility_score="0.75")
    sync(warehouse, FLOW)
    assert shown(citizen) == {"A": "0.50", "B": "0.75", "D": "0.50"}
    assert letters(warehouse) == []
    assert [letter[0] for letter in letters(warehouse, "resolved")] == [record("B")]
    assert verified() == {"matched": 4}


@either_way
def test_a_refused_evaluation_that_is_not_eligible_any_more_keeps_its_letter(
    warehouse: Connection, citizen: Connection, known: None, sync: Sync
) -> None:
    """Nobody knows whether it would have passed; its hint goes."""
    few_are_usual(warehouse)
    snapshot = given(warehouse)
    sync(warehouse, FLOW)
    change(warehouse, snapshot, eligibility_score="7")
    assert sync(warehouse, FLOW) == REJECTED
    change(warehouse, snapshot, evaluation_status="NOT_ELIGIBLE")
    assert sync(warehouse, FLOW) == {"read": 1, "filtered": 1, "removed": 1}
    assert [letter[0] for letter in letters(warehouse)] == [record("A")]
    assert shown(citizen) == {}


def test_several_refused_ones_of_a_family_have_a_letter_each(
    warehouse: Connection, citizen: Connection, known: None
) -> None:
    given_scores(warehouse, {"A": "7", "B": "NaN", "C": "0.5"})
    assert synced(warehouse) == {"read": 3, "written": 1, "rejected": 2}
    given(warehouse, "A", "0.5", evaluation_timestamp=YESTERDAY + timedelta(hours=1))
    assert synced(warehouse) == {"read": 3, "written": 1, "unchanged": 1, "rejected": 1}
    assert [letter[0] for letter in letters(warehouse)] == [record("B")]


def test_the_letters_of_evaluations_without_a_family_close_when_they_get_one(
    warehouse: Connection, citizen: Connection, known: None
) -> None:
    first, second = given(warehouse, family_id=None), given(warehouse, family_id=None)
    assert synced(warehouse) == {"read": 2, "rejected": 2}
    change(warehouse, first, family_id=FAMILY)
    assert synced(warehouse) == {"read": 2, "written": 1, "rejected": 1}
    assert shown(citizen) == {"A": "0.50"}
    assert [letter[0] for letter in letters(warehouse)] == [f"snapshot_id {second}"]
    change(warehouse, second, family_id=OTHER, eligibility_score="7")
    assert synced(warehouse) == REJECTED
    assert len(letters(warehouse)) == 2, "it has not passed yet"
    change(warehouse, second, eligibility_score="0.7")
    assert synced(warehouse) == WRITTEN
    assert letters(warehouse) == []
    execute(warehouse, "UPDATE eligibility.eligibility_snapshots SET family_id = ''")
    assert synced(warehouse)["rejected"] == 2


def test_what_was_without_a_code_passes_with_one(
    warehouse: Connection, citizen: Connection, known: None
) -> None:
    snapshot = given(warehouse, None)
    assert synced(warehouse) == REJECTED
    change(warehouse, snapshot, scheme_code="A")
    assert synced(warehouse) == WRITTEN
    assert again(warehouse) == UNCHANGED
    assert letters(warehouse) == []
