"""Specification 1.3: of a history the latest evaluation counts, and older never wins over later."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from synctasks.flows.to_citizen.eligibility_hints import ELIGIBILITY_HINTS
from tests.flows.hints import (
    HINT,
    HOUR,
    REJECTED,
    SECOND,
    UNCHANGED,
    WRITTEN,
    YESTERDAY,
    again,
    change,
    given,
    given_hint,
    given_schemes,
    given_scores,
    hints,
    letters,
    record,
    row_versions,
    run_in_full,
    shown,
    synced,
    verified,
)
from tests.rows import Connection, execute
from tests.syncing import Sync, either_way

FLOW = ELIGIBILITY_HINTS
MICROSECOND = timedelta(microseconds=1)
SUPERSEDED = {"read": 1, "superseded": 1}
FILTERED = {"read": 1, "filtered": 1}


@pytest.fixture(autouse=True)
def known(citizen: Connection) -> None:
    """Schemes that the portal knows."""
    given_schemes(citizen, *"ABCDEF")


@either_way
def test_of_several_evaluations_of_a_scheme_the_latest_counts(
    warehouse: Connection, citizen: Connection, sync: Sync
) -> None:
    given(warehouse, score="0.2", evaluation_timestamp=YESTERDAY - HOUR)
    given(warehouse, score="0.4")
    given(warehouse, score="0.9", evaluation_timestamp=YESTERDAY - MICROSECOND)
    assert sync(warehouse, FLOW) == WRITTEN
    assert hints(citizen) == {"A": {**HINT, "eligibility_score": Decimal("0.40")}}


@either_way
def test_of_the_same_moment_the_last_inserted_counts(
    warehouse: Connection, citizen: Connection, sync: Sync
) -> None:
    for score in ("0.2", "0.9", "0.4"):
        given(warehouse, score=score)
    assert sync(warehouse, FLOW) == WRITTEN
    assert shown(citizen) == {"A": "0.40"}


@either_way
def test_an_older_evaluation_that_arrives_late_changes_nothing(
    warehouse: Connection, citizen: Connection, sync: Sync
) -> None:
    given(warehouse)
    sync(warehouse, FLOW)
    before = row_versions(citizen)
    given(warehouse, score="0.9", evaluation_timestamp=YESTERDAY - HOUR)
    given(warehouse, evaluation_status="NOT_ELIGIBLE", evaluation_timestamp=YESTERDAY - SECOND)
    given(warehouse, score="8", evaluation_timestamp=YESTERDAY - MICROSECOND)
    assert sync(warehouse, FLOW) == UNCHANGED
    assert row_versions(citizen) == before
    assert letters(warehouse) == []


@either_way
def test_a_latest_evaluation_that_is_not_eligible_takes_the_hint_away(
    warehouse: Connection, citizen: Connection, sync: Sync
) -> None:
    given(warehouse)
    given(warehouse, "B")
    sync(warehouse, FLOW)
    given(warehouse, evaluation_status="NOT_ELIGIBLE", evaluation_timestamp=YESTERDAY + SECOND)
    counts = {"read": 2, "unchanged": 1, "filtered": 1, "removed": 1}
    assert sync(warehouse, FLOW) == counts
    assert shown(citizen) == {"B": "0.50"}
    given(warehouse, score="0.8", evaluation_timestamp=YESTERDAY + 2 * SECOND)
    assert sync(warehouse, FLOW) == {"read": 2, "written": 1, "unchanged": 1}
    assert shown(citizen) == {"A": "0.80", "B": "0.50"}


@either_way
def test_a_latest_evaluation_of_long_ago_is_none_of_an_older_one_either(
    warehouse: Connection, citizen: Connection, sync: Sync
) -> None:
    given(warehouse, evaluation_timestamp=YESTERDAY - timedelta(days=40))
    given(warehouse, evaluation_timestamp=YESTERDAY - timedelta(days=35), score="7")
    assert sync(warehouse, FLOW) == FILTERED
    assert shown(citizen) == {}


@either_way
def test_an_older_state_never_overwrites_a_later_hint(
    warehouse: Connection, citizen: Connection, sync: Sync
) -> None:
    given_hint(citizen, updated_at=YESTERDAY + MICROSECOND, explanation="later")
    before = row_versions(citizen)
    given(warehouse, score="0.9")
    assert sync(warehouse, FLOW) == SUPERSEDED
    assert again(warehouse) == SUPERSEDED
    assert row_versions(citizen) == before
    assert verified() == {"superseded": 1}


@either_way
def test_a_later_state_overwrites_an_older_hint_even_if_nothing_else_differs(
    warehouse: Connection, citizen: Connection, sync: Sync
) -> None:
    given_hint(citizen, updated_at=YESTERDAY - MICROSECOND)
    given(warehouse)
    assert sync(warehouse, FLOW) == WRITTEN
    assert hints(citizen) == {"A": HINT}


@either_way
def test_a_hint_of_the_same_moment_is_written_if_it_differs(
    warehouse: Connection, citizen: Connection, sync: Sync
) -> None:
    given_hint(citizen, explanation="other")
    given(warehouse)
    assert sync(warehouse, FLOW) == WRITTEN
    assert hints(citizen) == {"A": HINT}


@either_way
def test_a_hint_of_the_same_moment_that_is_equal_is_left_as_it_is(
    warehouse: Connection, citizen: Connection, sync: Sync
) -> None:
    given_hint(citizen)
    before = row_versions(citizen)
    given(warehouse)
    assert sync(warehouse, FLOW) == UNCHANGED
    assert row_versions(citizen) == before


@either_way
def test_a_hint_of_no_moment_is_older_than_any(
    warehouse: Connection, citizen: Connection, sync: Sync
) -> None:
    given_hint(citizen, updated_at=None, explanation="other")
    given(warehouse)
    assert sync(warehouse, FLOW) == WRITTEN
    assert hints(citizen) == {"A": HINT}


def test_a_later_hint_counts_among_the_five_by_its_stored_score(
    warehouse: Connection, citizen: Connection
) -> None:
    """Scheme F is shown with 0.95 since a moment; A has fallen to 0.01 there."""
    given_hint(citizen, "F", updated_at=YESTERDAY + SECOND, eligibility_score="0.95")
    given_hint(citizen, "A", updated_at=YESTERDAY + SECOND, eligibility_score="0.01")
    given_scores(warehouse, {"A": "0.9", **dict.fromkeys("BCDE", "0.5"), "F": "0.1"})
    counts = {"read": 6, "written": 4, "filtered": 1, "superseded": 1, "removed": 1}
    assert synced(warehouse) == counts
    assert list(shown(citizen)) == list("FBCDE")


def test_one_without_a_time_is_the_latest_until_another_is_inserted(
    warehouse: Connection, citizen: Connection
) -> None:
    given(warehouse)
    synced(warehouse)
    before = row_versions(citizen)
    given(warehouse, score="0.9", evaluation_timestamp=None)
    assert synced(warehouse) == REJECTED
    missing = "evaluation_timestamp: is missing"
    assert letters(warehouse) == [(record("A"), "completeness", missing)]
    assert row_versions(citizen) == before
    given(warehouse, score="0.6", evaluation_timestamp=YESTERDAY + SECOND)
    assert synced(warehouse) == WRITTEN
    assert shown(citizen) == {"A": "0.60"}
    assert letters(warehouse) == []


@either_way
def test_one_of_the_future_is_the_latest_until_it_is_corrected(
    warehouse: Connection, citizen: Connection, sync: Sync
) -> None:
    given(warehouse)
    future = given(warehouse, score="0.9", evaluation_timestamp="infinity")
    assert sync(warehouse, FLOW) == REJECTED
    assert shown(citizen) == {}
    change(warehouse, future, evaluation_timestamp=YESTERDAY - HOUR)
    assert sync(warehouse, FLOW) == WRITTEN
    assert shown(citizen) == {"A": "0.50"}
    assert letters(warehouse) == []


@either_way
def test_a_long_history_is_one_record(
    warehouse: Connection, citizen: Connection, sync: Sync
) -> None:
    snapshots = (
        "INSERT INTO eligibility.eligibility_snapshots "
        "(family_id, scheme_code, evaluation_status, eligibility_score, evaluation_timestamp) "
        "SELECT family_id, scheme_code, evaluation_status, number / 1000.0, "
        "evaluation_timestamp + number * interval '1 second' "
        "FROM eligibility.eligibility_snapshots, generate_series(1, 900) AS number"
    )
    given(warehouse)
    given(warehouse, "B")
    execute(warehouse, snapshots)
    assert sync(warehouse, FLOW) == {"read": 2, "written": 2}
    assert shown(citizen) == {"A": "0.90", "B": "0.90"}
    assert run_in_full(warehouse) == {"read": 2, "unchanged": 2}
