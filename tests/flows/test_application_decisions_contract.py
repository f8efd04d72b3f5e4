"""Specification 1.5: which decisions are refused, and what is said of them."""

from __future__ import annotations

from typing import Any

import pytest

from synctasks.flows.to_citizen.application_decisions import APPLICATION_DECISIONS
from tests.conftest import connected
from tests.emptied import empty
from tests.flows.decisions import given_application, given_decision
from tests.flows.judged import (
    MISSING,
    MOMENTS,
    NO_MOMENTS,
    NO_NUMBER,
    Bad,
    Good,
    Judged,
    judge,
    names_of,
)
from tests.workspace import CITIZEN, WAREHOUSE, Workspace

_UNKNOWN = (
    "accuracy",
    "is none of AUTO_APPROVED, AUTO_REJECTED, ROUTE_TO_OFFICER, MANUAL_REVIEW",
)
_NO_SHARE = ("accuracy", "is not between 0 and 1")
_NO_ARRAY = ("accuracy", "is no JSON array")
_NO_SHARES: list[tuple[Any, tuple[str, str]]] = [
    *((bad, _NO_SHARE) for bad in ("-0.000000001", -1, "1.000000001", 2, 95)),
    *((bad, NO_NUMBER) for bad in ("NaN", "Infinity", "-Infinity")),
]
_NO_ARRAYS = ["{}", '{"0": []}', '"[]"', '""', "7", "true", "null"]

BAD: list[Bad] = [
    *(("decision", bad, MISSING) for bad in (None, "", " ")),
    *(("decision", bad, _UNKNOWN) for bad in ("APPROVED", "auto_approved", "AUTO_APPROVED ")),
    *(("risk_score", *each) for each in _NO_SHARES),
    *(("confidence", *each) for each in _NO_SHARES),
    # JSON's own null is none, either: it is a value, and no array.
    *(("reasons", bad, _NO_ARRAY) for bad in _NO_ARRAYS),
    *(("decision_timestamp", *each) for each in NO_MOMENTS),
]
GOOD: list[Good] = [
    *(("risk_score", good) for good in (None, 0, 1, "0.5", f"0.{'9' * 40}", f"1.{'0' * 40}")),
    *(("confidence", good) for good in (None, 0, 1)),
    *(("reasons", good) for good in (None, "[]", "[null]", f'[{{"a": "{"x" * 100_000}"}}]')),
    *(("decision_timestamp", good) for good in MOMENTS),
]


@pytest.fixture(scope="module")
def judged(renewed: Workspace) -> Judged:
    """What became of all of these in one go."""
    empty(renewed)
    values = [*BAD, *GOOD]
    with (
        connected(renewed.environment[WAREHOUSE]) as warehouse,
        connected(renewed.environment[CITIZEN]) as citizen,
    ):
        for number in range(len(values)):
            given_application(citizen, number)
        return judge(APPLICATION_DECISIONS, warehouse, citizen, given_decision, values)


@pytest.mark.parametrize("number", range(len(BAD)), ids=names_of(BAD))
def test_a_decision_that_breaks_a_rule_is_refused(judged: Judged, number: int) -> None:
    assert judged.refused(number, BAD[number])


@pytest.mark.parametrize("number", range(len(GOOD)), ids=names_of(GOOD))
def test_one_that_just_keeps_them_crosses(judged: Judged, number: int) -> None:
    assert judged.accepted(len(BAD) + number)
