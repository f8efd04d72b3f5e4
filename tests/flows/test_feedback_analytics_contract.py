"""Specification 2.5: which feedback is refused, and what is said of it."""

from __future__ import annotations

from typing import Any

import pytest

from synctasks.flows.to_warehouse.feedback_analytics import FEEDBACK_ANALYTICS
from tests.conftest import connected
from tests.emptied import empty
from tests.flows.citizens import given_citizen, given_record
from tests.flows.feedbacks import given_feedback
from tests.flows.judged import (
    LONG_WORD,
    MISSING,
    MOMENTS,
    NO_MOMENTS,
    Bad,
    Good,
    Judged,
    judge,
    names_of,
)
from tests.rows import Connection, execute
from tests.workspace import CITIZEN, WAREHOUSE, Workspace

_RATING = ("accuracy", "is not between 1 and 5")
_LONG = ("accuracy", "is longer than 10,000 characters")

BAD: list[Bad] = [
    ("citizen_id", None, MISSING),
    *(("feedback_type", bad, MISSING) for bad in (None, "", " \u00a0")),
    ("feedback_type", "x" * 65, LONG_WORD),
    *(("rating", bad, _RATING) for bad in (0, 6, -1, 2**31 - 1)),
    *(("comment", bad, _LONG) for bad in ("x" * 10_001, "\u0905" * 10_001, " " * 10_001)),
    *(("created_at", *each) for each in NO_MOMENTS),
]
GOOD: list[Good] = [
    *(("feedback_type", good) for good in ("x" * 64, "\u0905" * 64)),
    *(("rating", good) for good in (None, 1, 5)),
    *(("comment", good) for good in (None, "", " ", "x" * 10_000, "\u0905" * 10_000, "****")),
    ("scheme_id", None),
    *(("created_at", good) for good in MOMENTS),
]


def given_released(citizen: Connection, number: int, **columns: Any) -> str:
    """Feedback that does not rest any more: its slot is another test's business."""
    made = given_feedback(citizen, number, **columns)
    execute(citizen, "UPDATE synctasks.change_log SET rests = false WHERE rests")
    return made


@pytest.fixture(scope="module")
def judged(renewed: Workspace) -> Judged:
    """What became of all of these in one go."""
    empty(renewed)
    with (
        connected(renewed.environment[WAREHOUSE]) as warehouse,
        connected(renewed.environment[CITIZEN]) as citizen,
    ):
        given_citizen(citizen)
        given_record(warehouse)
        return judge(FEEDBACK_ANALYTICS, citizen, warehouse, given_released, [*BAD, *GOOD])


@pytest.mark.parametrize("number", range(len(BAD)), ids=names_of(BAD))
def test_feedback_that_breaks_a_rule_is_refused(judged: Judged, number: int) -> None:
    assert judged.refused(number, BAD[number])


@pytest.mark.parametrize("number", range(len(GOOD)), ids=names_of(GOOD))
def test_feedback_that_just_keeps_them_crosses(judged: Judged, number: int) -> None:
    assert judged.accepted(len(BAD) + number)
