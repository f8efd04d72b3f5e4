"""Specification 1.3: a refused evaluation among the five best, its hint, and its letter."""

from __future__ import annotations

import pytest

from synctasks.flows.to_citizen.eligibility_hints import ELIGIBILITY_HINTS
from tests.flows.hints import (
    SECOND,
    YESTERDAY,
    again,
    change,
    given,
    given_hint,
    given_schemes,
    given_scores,
    letters,
    record,
    row_versions,
    shown,
    synced,
    verified,
)
from tests.rows import Connection
from tests.syncing import Sync, either_way

FLOW = ELIGIBILITY_HINTS
FIVE = {"A": "0.9", "B": "0.8", "C": "0.7", "D": "0.6", "E": "0.5"}
SHOWN = {"A": "0.90", "B": "0.80", "C": "0.70", "D": "0.60", "E": "0.50"}


@pytest.fixture(autouse=True)
def known(citizen: Connection) -> None:
    """Schemes that the portal knows."""
    given_schemes(citizen, *"ABCDEFG")


@either_way
def test_a_refused_one_keeps_its_hint_which_counts_by_its_score(
    warehouse: Connection, citizen: Connection, sync: Sync
) -> None:
    given_scores(warehouse, FIVE)
    sync(warehouse, FLOW)
    before = row_versions(citizen)
    given(warehouse, "C", "7", evaluation_timestamp=YESTERDAY + SECOND)
    given(warehouse, "F", "0.55")
    counts = {"read": 6, "written": 1, "unchanged": 3, "filtered": 1, "rejected": 1, "removed": 1}
    assert sync(warehouse, FLOW) == counts
    assert shown(citizen) == {"A": "0.90", "B": "0.80", "C": "0.70", "D": "0.60", "F": "0.55"}
    assert row_versions(citizen)[record("C")] == before[record("C")]
    assert [name for name, *_ in letters(warehouse)] == [record("C")]


@either_way
def test_a_refused_one_without_a_hint_takes_no_place(
    warehouse: Connection, citizen: Connection, sync: Sync
) -> None:
    given_scores(warehouse, {"F": "1.5", "G": "NaN", **FIVE})
    assert sync(warehouse, FLOW) == {"read": 7, "written": 5, "rejected": 2}
    assert shown(citizen) == SHOWN


@either_way
def test_the_hint_of_a_refused_one_falls_out_where_five_are_better(
    warehouse: Connection, citizen: Connection, sync: Sync
) -> None:
    given_scores(warehouse, FIVE)
    sync(warehouse, FLOW)
    given(warehouse, "E", "2", evaluation_timestamp=YESTERDAY + SECOND)
    given(warehouse, "F", "0.51")
    counts = {"read": 6, "written": 1, "unchanged": 4, "rejected": 1, "removed": 1}
    assert sync(warehouse, FLOW) == counts
    assert shown(citizen) == {"A": "0.90", "B": "0.80", "C": "0.70", "D": "0.60", "F": "0.51"}
    repeat = {"read": 6, "unchanged": 5, "rejected": 1}
    assert sync(warehouse, FLOW) in ({}, repeat)
    assert again(warehouse) == repeat
    assert verified() == {"matched": 5, "dead_lettered": 1}


def test_the_hint_of_a_refused_one_counts_by_what_is_stored_not_by_what_it_was(
    warehouse: Connection, citizen: Connection
) -> None:
    """Its 0.554 is stored as 0.55: a 0.552 is better."""
    given_scores(warehouse, {**FIVE, "E": "0.554"})
    synced(warehouse)
    given(warehouse, "E", "NaN", evaluation_timestamp=YESTERDAY + SECOND)
    given(warehouse, "F", "0.552")
    synced(warehouse)
    assert set(shown(citizen)) == {"A", "B", "C", "D", "F"}


def test_a_hint_without_a_score_is_the_last_of_all(
    warehouse: Connection, citizen: Connection
) -> None:
    given_scores(warehouse, {**FIVE, "F": "7"})
    given_hint(citizen, "F", eligibility_score=None)
    counts = {"read": 6, "written": 5, "rejected": 1, "removed": 1}
    assert synced(warehouse) == counts
    assert shown(citizen) == SHOWN


def test_a_refused_one_that_is_corrected_competes_again(
    warehouse: Connection, citizen: Connection
) -> None:
    given_scores(warehouse, FIVE)
    bad = given(warehouse, "F", "8.5")
    synced(warehouse)
    assert shown(citizen) == SHOWN
    assert [letter[0] for letter in letters(warehouse)] == [record("F")]
    change(warehouse, bad, eligibility_score="0.85")
    synced(warehouse)
    assert set(shown(citizen)) == {"A", "B", "C", "D", "F"}
    assert letters(warehouse) == []
    assert [letter[0] for letter in letters(warehouse, "resolved")] == [record("F")]


def test_a_refused_one_that_is_corrected_and_is_the_sixth_is_no_dead_letter_any_more(
    warehouse: Connection, citizen: Connection
) -> None:
    given_scores(warehouse, FIVE)
    bad = given(warehouse, "F", "8.5")
    synced(warehouse)
    change(warehouse, bad, eligibility_score="0.1")
    assert synced(warehouse) == {"read": 6, "unchanged": 5, "filtered": 1}
    assert letters(warehouse) == []
