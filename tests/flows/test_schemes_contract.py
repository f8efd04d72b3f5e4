"""Specification 1.1: which schemes are refused, and what becomes of those that were shown."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

from tests.conftest import connected
from tests.emptied import empty
from tests.flows.schemes import (
    FARMERS,
    OLD_AGE,
    SHOWN,
    WIDOW,
    change,
    few_are_usual,
    given,
    letters,
    shown,
    synced,
)
from tests.refreshing import books, versions
from tests.rows import Connection, execute, insert, value
from tests.workspace import CITIZEN, WAREHOUSE, Workspace

COMPLETENESS, ACCURACY, CONSISTENCY = "completeness", "accuracy", "consistency"
_NO_JSON = "is no JSON object or array"
_NO_MOMENT = "is no moment of our era"

# What is wrong: the column, its value, the category and what is said of it.
BAD: dict[str, tuple[str, Any, str, str]] = {
    "no name": ("scheme_name", None, COMPLETENESS, "is missing"),
    "empty name": ("scheme_name", "", COMPLETENESS, "is missing"),
    "blank name": ("scheme_name", " \t\u00a0", COMPLETENESS, "is missing"),
    "blank code": ("scheme_code", " ", COMPLETENESS, "is missing"),
    "long code": ("scheme_code", "x" * 2_701, ACCURACY, "is longer than 2,700 bytes"),
    "wide code": ("scheme_code", "\u0905" * 901, ACCURACY, "is longer than 2,700 bytes"),
    "empty category": ("category", "", ACCURACY, "is blank"),
    "blank category": ("category", "  ", ACCURACY, "is blank"),
    "long category": ("category", "x" * 65, ACCURACY, "is longer than 64 characters"),
    "text as criteria": ("eligibility_criteria_json", '"60"', ACCURACY, _NO_JSON),
    "null as criteria": ("eligibility_criteria_json", "null", ACCURACY, _NO_JSON),
    "number as benefits": ("benefits_json", "1500", ACCURACY, _NO_JSON),
    "truth as documents": ("documents_required_json", "true", ACCURACY, _NO_JSON),
    "no time": ("updated_at", None, COMPLETENESS, "is missing"),
    "never": ("updated_at", "infinity", ACCURACY, _NO_MOMENT),
    "always": ("updated_at", "-infinity", ACCURACY, _NO_MOMENT),
    "antiquity": ("updated_at", "0044-03-15 00:00+00 BC", ACCURACY, _NO_MOMENT),
    "future": ("updated_at", timedelta(minutes=6), ACCURACY, "lies more than 5 minutes ahead"),
}
GOOD: dict[str, tuple[str, Any]] = {
    "a name in Hindi": ("scheme_name", "\u0935\u0943\u0926\u094d\u0927"),
    "the longest code": ("scheme_code", "x" * 2_700),
    "the widest code": ("scheme_code", "\u0905" * 900),
    "the longest category": ("category", "x" * 64),
    "the widest category": ("category", "\u0905" * 64),
    "no category": ("category", None),
    "a blank description": ("description", " "),
    "an empty array": ("benefits_json", "[]"),
    "an empty object": ("benefits_json", "{}"),
    "a clock that is ahead": ("updated_at", timedelta(minutes=4)),
    "the first moment": ("updated_at", "0001-01-01 00:00+00"),
}


class Judged(NamedTuple):
    """What became of all of these schemes in one run: those shown, and the letters, by code."""

    shown: dict[str, dict[str, Any]]
    letters: dict[str, tuple[str, str]]


def code_of(name: str, column: str, chosen: Any) -> str:
    """The code of the scheme of this name."""
    return str(chosen) if column == "scheme_code" else name


@pytest.fixture(scope="module")
def judged(renewed: Workspace) -> Judged:
    empty(renewed)
    with (
        connected(renewed.environment[WAREHOUSE]) as warehouse,
        connected(renewed.environment[CITIZEN]) as citizen,
    ):
        now = value(warehouse, "SELECT statement_timestamp()")
        for name, (column, chosen, *_) in {**BAD, **GOOD}.items():
            there = now + chosen if isinstance(chosen, timedelta) else chosen
            code = code_of(name, column, chosen)
            given(warehouse, **{"scheme_id": str(uuid4()), "scheme_code": code, column: there})
        assert books(synced(warehouse)) == {
            "read": len(BAD) + len(GOOD),
            "written": len(GOOD),
            "rejected": len(BAD),
        }
        said = {record: (category, error) for record, category, error in letters(warehouse)}
        return Judged(shown(citizen), said)


@pytest.mark.parametrize("name", BAD)
def test_a_scheme_that_breaks_a_rule_is_refused(judged: Judged, name: str) -> None:
    column, chosen, category, message = BAD[name]
    code = code_of(name, column, chosen)
    assert judged.letters[code] == (category, f"{column}: {message}")
    assert code not in judged.shown


@pytest.mark.parametrize("name", GOOD)
def test_one_that_just_keeps_it_is_shown(judged: Judged, name: str) -> None:
    code = code_of(name, *GOOD[name])
    assert code in judged.shown
    assert code not in judged.letters


@pytest.fixture
def before(warehouse: Connection, citizen: Connection) -> dict[str, str]:
    """Two schemes that are shown: the versions of their rows."""
    few_are_usual(warehouse)
    given(warehouse)
    given(warehouse, **WIDOW)
    synced(warehouse)
    return versions(citizen, "schemes", "code")


def test_a_refused_scheme_that_was_shown_stays_as_it_is(
    warehouse: Connection, citizen: Connection, before: dict[str, str]
) -> None:
    """It is neither changed nor deactivated, run after run, until it is right again."""
    change(warehouse, scheme_name=" ", description="new")
    for _ in range(2):
        assert books(synced(warehouse)) == {"read": 2, "unchanged": 1, "rejected": 1}
        assert versions(citizen, "schemes", "code") == before
    change(warehouse, scheme_name="Pension")
    assert books(synced(warehouse)) == {"read": 2, "written": 1, "unchanged": 1}
    assert shown(citizen)["RJ-OLD-AGE"] == {**SHOWN, "name": "Pension", "description": "new"}
    assert letters(warehouse) == []


def test_a_renamed_scheme_is_a_dead_letter_and_its_row_stays_as_it_is(
    warehouse: Connection, citizen: Connection, before: dict[str, str]
) -> None:
    change(warehouse, scheme_code="RJ-SENIORS")
    for _ in range(2):
        assert books(synced(warehouse)) == {"read": 2, "unchanged": 1, "rejected": 1}
        assert versions(citizen, "schemes", "code") == before
    [(record, category, _)] = letters(warehouse)
    assert (record, category) == ("RJ-SENIORS", CONSISTENCY)
    change(warehouse, "RJ-SENIORS", scheme_code="RJ-OLD-AGE")
    assert books(synced(warehouse)) == {"read": 2, "unchanged": 2}


def test_a_scheme_renamed_to_a_code_of_another_row_is_a_dead_letter_too(
    warehouse: Connection, citizen: Connection, before: dict[str, str]
) -> None:
    insert(citizen, "schemes", {"id": FARMERS, "code": "RJ-FARM", "status": "INACTIVE"})
    change(warehouse, scheme_code="RJ-FARM")
    assert books(synced(warehouse)) == {"read": 2, "unchanged": 1, "rejected": 1}
    assert [letter[:2] for letter in letters(warehouse)] == [("RJ-FARM", CONSISTENCY)]
    after = versions(citizen, "schemes", "code")
    assert shown(citizen)["RJ-FARM"]["status"] == "INACTIVE"
    assert {code: after[code] for code in before} == before


def test_schemes_without_a_code_have_a_letter_each_until_they_get_one(
    warehouse: Connection, citizen: Connection, before: dict[str, str]
) -> None:
    execute(warehouse, "UPDATE eligibility.scheme_master SET scheme_code = NULL")
    assert books(synced(warehouse)) == {"read": 2, "rejected": 2}
    found = letters(warehouse)
    assert [error for *_, error in found] == ["scheme_code: is missing"] * 2
    assert {record.split()[1] for record, *_ in found} == {str(OLD_AGE), str(WIDOW["scheme_id"])}
    assert versions(citizen, "schemes", "code") == before
    named = "UPDATE eligibility.scheme_master SET scheme_code = 'RJ-OLD-AGE' WHERE scheme_id = %s"
    execute(warehouse, named, [str(OLD_AGE)])
    assert books(synced(warehouse)) == {"read": 2, "unchanged": 1, "rejected": 1}
    assert [record.split()[1] for record, *_ in letters(warehouse)] == [str(WIDOW["scheme_id"])]
