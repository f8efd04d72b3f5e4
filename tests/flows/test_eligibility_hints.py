"""Specification 1.3: given evaluations of families, when synced, then the hints at the portal."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from synctasks.flows.to_citizen.eligibility_hints import ELIGIBILITY_HINTS
from tests.flows.hints import (
    EVALUATION,
    FAMILY,
    HINT,
    OTHER,
    SECOND,
    UNCHANGED,
    WRITTEN,
    YESTERDAY,
    again,
    change,
    delete,
    given,
    given_schemes,
    hints,
    letters,
    row_versions,
    run_in_full,
    shown,
    synced,
)
from tests.rows import Connection, execute, rows
from tests.syncing import Sync, either_way, pending

FLOW = ELIGIBILITY_HINTS


@pytest.fixture(autouse=True)
def known(citizen: Connection) -> None:
    """Schemes that the portal knows."""
    given_schemes(citizen, "A", "B", "C")


@either_way
def test_an_evaluation_by_which_a_family_is_eligible_is_a_hint(
    warehouse: Connection, citizen: Connection, sync: Sync
) -> None:
    given(warehouse)
    given(warehouse, "B", evaluation_status="POSSIBLE_ELIGIBLE", family_id=OTHER)
    assert sync(warehouse, FLOW) == {"read": 2, "written": 2}
    assert hints(citizen) == {"A": HINT}
    assert hints(citizen, OTHER) == {"B": {**HINT, "eligibility_status": "POSSIBLE_ELIGIBLE"}}


@either_way
def test_what_may_be_missing_is_missing(
    warehouse: Connection, citizen: Connection, sync: Sync
) -> None:
    given(warehouse, confidence_score=None, explanation=None)
    assert sync(warehouse, FLOW) == WRITTEN
    assert hints(citizen) == {"A": {**HINT, "confidence": None, "explanation": None}}


@pytest.mark.parametrize("status", ["NOT_ELIGIBLE", "rule_eligible", "RULE_ELIGIBLE ", "", None])
@either_way
def test_any_other_status_is_no_hint(
    warehouse: Connection, citizen: Connection, sync: Sync, status: str | None
) -> None:
    given(warehouse, evaluation_status=status)
    assert sync(warehouse, FLOW) == {"read": 1, "filtered": 1}
    assert hints(citizen) == {}


@either_way
def test_the_filter_comes_before_the_contract(
    warehouse: Connection, citizen: Connection, sync: Sync
) -> None:
    given(warehouse, score="NaN", evaluation_status="NOT_ELIGIBLE")
    given(warehouse, "B", None, evaluation_timestamp=YESTERDAY - timedelta(days=30))
    given(warehouse, None, evaluation_status=None)
    given(warehouse, family_id="nobody", evaluation_status="NOT_ELIGIBLE")
    given(warehouse, family_id=None, evaluation_status="NOT_ELIGIBLE")
    assert sync(warehouse, FLOW) == {"read": 5, "filtered": 5}
    assert letters(warehouse) == []


def test_only_an_insert_or_an_update_is_an_event(warehouse: Connection) -> None:
    snapshot = given(warehouse)
    assert pending(warehouse, FLOW) == [(FAMILY, "captured")]
    execute(warehouse, "DELETE FROM synctasks.change_log")
    change(warehouse, snapshot, explanation=EVALUATION["explanation"])
    assert pending(warehouse, FLOW) == [], "nothing has changed"
    change(warehouse, snapshot, explanation="Over seventy.")
    assert pending(warehouse, FLOW) == [(FAMILY, "captured")]
    execute(warehouse, "DELETE FROM synctasks.change_log")
    delete(warehouse)
    assert pending(warehouse, FLOW) == []


@pytest.mark.parametrize(
    ("column", "chosen"),
    [
        ("evaluation_status", "POSSIBLE_ELIGIBLE"),
        ("eligibility_score", Decimal("0.75")),
        ("confidence_score", Decimal("0.25")),
        ("explanation", None),
        ("evaluation_timestamp", YESTERDAY + SECOND),
    ],
)
@either_way
def test_a_change_of_any_column_is_carried(
    warehouse: Connection, citizen: Connection, sync: Sync, column: str, chosen: Any
) -> None:
    snapshot = given(warehouse)
    sync(warehouse, FLOW)
    change(warehouse, snapshot, **{column: chosen})
    assert sync(warehouse, FLOW) == WRITTEN
    named = {
        "evaluation_status": "eligibility_status",
        "confidence_score": "confidence",
        "evaluation_timestamp": "updated_at",
    }
    assert hints(citizen) == {"A": {**HINT, named.get(column, column): chosen}}


def test_repeats_and_a_full_run_after_events_write_nothing(
    warehouse: Connection, citizen: Connection
) -> None:
    for number, scheme in enumerate("ABC"):
        given(warehouse, scheme, f"0.{number}05", explanation="\u0905" * 501)
        given(warehouse, scheme, f"0.{number}05", family_id=OTHER, confidence_score=None)
    assert synced(warehouse) == {"read": 6, "written": 6}
    before = row_versions(citizen)
    assert len(before) == 6
    execute(warehouse, "UPDATE eligibility.eligibility_snapshots SET explanation = explanation")
    assert synced(warehouse) == {}
    assert again(warehouse, FAMILY, OTHER) == {"read": 6, "unchanged": 6}
    for _ in range(2):
        assert run_in_full(warehouse) == {"read": 6, "unchanged": 6}
    assert row_versions(citizen) == before


@pytest.mark.parametrize(
    ("score", "rounded"),
    [
        ("0.005", "0.01"),
        ("0.675", "0.68"),
        ("0.995", "1.00"),
        ("0.6749999999999999999999999999999999999999", "0.67"),
        ("0.004999999999999999999", "0.00"),
        ("0", "0.00"),
        ("1", "1.00"),
        ("1.000", "1.00"),
    ],
)
@either_way
def test_scores_and_confidences_are_rounded_half_away_from_zero(
    warehouse: Connection, citizen: Connection, sync: Sync, score: str, rounded: str
) -> None:
    given(warehouse, score=score, confidence_score=score)
    assert sync(warehouse, FLOW) == WRITTEN
    found = rows(citizen, "SELECT eligibility_score::text, confidence::text FROM eligibility_hints")
    assert found == [(rounded, rounded)]


@pytest.mark.parametrize("character", ["x", "\u0905", "\U0001f33e", " "])
@either_way
def test_an_explanation_is_cut_after_500_characters_not_bytes(
    warehouse: Connection, citizen: Connection, sync: Sync, character: str
) -> None:
    given(warehouse, explanation=character * 501)
    given(warehouse, "B", explanation="y" + character * 499)
    assert sync(warehouse, FLOW) == {"read": 2, "written": 2}
    found = {scheme: hint["explanation"] for scheme, hint in hints(citizen).items()}
    assert found == {"A": character * 500, "B": "y" + character * 499}


def test_a_family_id_that_is_corrected_moves_its_hints(
    warehouse: Connection, citizen: Connection
) -> None:
    moved = given(warehouse, "A")
    given(warehouse, "B")
    given(warehouse, "C", family_id=OTHER)
    synced(warehouse)
    before = row_versions(citizen)
    change(warehouse, moved, family_id=OTHER)
    assert {key for key, _ in pending(warehouse, FLOW)} == {FAMILY, OTHER}
    assert synced(warehouse) == {"read": 3, "written": 1, "unchanged": 2, "removed": 1}
    assert (shown(citizen), shown(citizen, OTHER)) == ({"B": "0.50"}, {"A": "0.50", "C": "0.50"})
    after = row_versions(citizen)
    assert {name: after[name] for name in before.keys() & after.keys()} == {
        name: before[name] for name in (f"{FAMILY} B", f"{OTHER} C")
    }


def test_a_family_whose_only_evaluation_is_anothers_has_no_hints(
    warehouse: Connection, citizen: Connection
) -> None:
    moved = given(warehouse)
    synced(warehouse)
    change(warehouse, moved, family_id=OTHER)
    assert synced(warehouse) == {"read": 1, "written": 1, "removed": 1}
    assert (shown(citizen), shown(citizen, OTHER)) == ({}, {"A": "0.50"})


def test_what_somebody_changed_at_the_portal_is_put_right(
    warehouse: Connection, citizen: Connection
) -> None:
    given(warehouse)
    synced(warehouse)
    execute(citizen, "UPDATE eligibility_hints SET explanation = 'x', confidence = NULL")
    assert run_in_full(warehouse) == WRITTEN
    assert hints(citizen) == {"A": HINT}
    assert again(warehouse) == UNCHANGED
