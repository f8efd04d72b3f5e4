"""Specification 2.3: which documents are refused, and what is said of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from synctasks.flows.to_warehouse.document_metadata import DOCUMENT_METADATA
from tests.conftest import connected
from tests.emptied import empty
from tests.flows.citizens import given_citizen, given_record, letters
from tests.flows.documents import document_id, given_document, shown
from tests.rows import value
from tests.syncing import by_events
from tests.workspace import CITIZEN, WAREHOUSE, Workspace

_MISSING = ("completeness", "is missing")
_BLANK = ("accuracy", "is blank")
_LONG = ("accuracy", "is longer than 64 characters")
_NEGATIVE = ("accuracy", "is not 0 or more")
_NO_MOMENT = ("accuracy", "is no moment of our era")
_AHEAD = ("accuracy", "lies more than 5 minutes ahead")

BAD: list[tuple[str, Any, tuple[str, str]]] = [
    ("citizen_id", None, _MISSING),
    *(("document_type", bad, _MISSING) for bad in (None, "", " \u00a0")),
    *(("document_type", "x" * length, _LONG) for length in (65, 10_000)),
    *(("file_name", bad, _MISSING) for bad in (None, "", "\t\n")),
    ("file_size", None, _MISSING),
    *(("file_size", bad, _NEGATIVE) for bad in (-1, -(2**63))),
    ("uploaded_at", None, _MISSING),
    *(("uploaded_at", bad, _NO_MOMENT) for bad in ("infinity", "-infinity", "0044-03-15 BC")),
    ("uploaded_at", timedelta(minutes=6), _AHEAD),
    *(("verification_status", bad, _BLANK) for bad in ("", "  ")),
    ("verification_status", "x" * 65, _LONG),
]
GOOD: list[tuple[str, Any]] = [
    *(("document_type", good) for good in ("x", "x" * 64, "\u0905" * 64)),
    *(("file_name", good) for good in ("\u0906\u092f.pdf", "x" * 3_000, "****")),
    *(("file_size", good) for good in (0, 2**63 - 1)),
    *(("uploaded_at", good) for good in (timedelta(minutes=4), "0001-01-01 00:00+00")),
    *(("verification_status", good) for good in (None, "x" * 64)),
]

Judged = tuple[set[str], dict[str, tuple[str, str]]]


@pytest.fixture(scope="module")
def judged(renewed: Workspace) -> Judged:
    """What became of all of these documents in one go: those that crossed, and the letters."""
    empty(renewed)
    with (
        connected(renewed.environment[WAREHOUSE]) as warehouse,
        connected(renewed.environment[CITIZEN]) as citizen,
    ):
        given_citizen(citizen)
        given_record(warehouse)
        now = value(citizen, "SELECT statement_timestamp()")
        for number, (column, chosen, *_) in enumerate([*BAD, *GOOD]):
            there = now + chosen if isinstance(chosen, timedelta) else chosen
            given_document(citizen, number, **{column: there})
        assert by_events(citizen, DOCUMENT_METADATA) == {
            "read": len(BAD) + len(GOOD),
            "written": len(GOOD),
            "rejected": len(BAD),
        }
        said = {record: (category, error) for record, category, error in letters(citizen)}
        return set(shown(warehouse)), said


@pytest.mark.parametrize(
    "number", range(len(BAD)), ids=[f"{column}={chosen!a:.30}" for column, chosen, _ in BAD]
)
def test_a_document_that_breaks_a_rule_is_refused(judged: Judged, number: int) -> None:
    crossed, said = judged
    column, _, (category, message) = BAD[number]
    assert said[document_id(number)] == (category, f"{column}: {message}")
    assert document_id(number) not in crossed


@pytest.mark.parametrize(
    "number", range(len(GOOD)), ids=[f"{column}={chosen!a:.30}" for column, chosen in GOOD]
)
def test_one_that_just_keeps_them_crosses(judged: Judged, number: int) -> None:
    crossed, said = judged
    assert document_id(len(BAD) + number) in crossed
    assert document_id(len(BAD) + number) not in said
