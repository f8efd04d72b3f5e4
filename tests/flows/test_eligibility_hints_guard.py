"""Specification 1.3: many hints that go at once are more likely a mistake than a wish."""

from __future__ import annotations

import pytest

from synctasks.capture import removals
from synctasks.flows.to_citizen.eligibility_hints import ELIGIBILITY_HINTS
from tests.flows.hints import (
    OTHER,
    UNCHANGED,
    few_are_usual,
    given,
    given_families,
    given_hint,
    given_schemes,
    row_versions,
    run_in_full,
    shown,
    synced,
    verified,
)
from tests.refreshing import books, carry, full_run, held
from tests.rows import Connection, execute, rows, value
from tests.syncing import pending

FLOW = ELIGIBILITY_HINTS
_FALL = "UPDATE eligibility.eligibility_snapshots SET evaluation_status = 'NOT_ELIGIBLE' WHERE {}"
_COUNT = "SELECT count(*) FROM eligibility_hints"


@pytest.fixture(autouse=True)
def known(citizen: Connection) -> None:
    """Schemes that the portal knows."""
    given_schemes(citizen, *"ABCDE")


def given_both(warehouse: Connection, families: int, schemes: int) -> None:
    """So many families with so many hints each, and nothing in the history."""
    given_families(warehouse, families, schemes)
    run_in_full(warehouse)
    execute(warehouse, "DELETE FROM synctasks.run; DELETE FROM synctasks.history")


def fall(warehouse: Connection, which: str = "true") -> None:
    """Evaluations are not eligible any more, by one statement."""
    execute(warehouse, _FALL.format(which))


def test_hints_of_families_that_the_source_does_not_know_are_removed_by_a_full_run(
    warehouse: Connection, citizen: Connection
) -> None:
    few_are_usual(warehouse)
    given(warehouse)
    synced(warehouse)
    given_hint(citizen, family_id=OTHER)
    given_hint(citizen, "nowhere", family_id="nobody")
    assert verified() == {"matched": 1, "extra": 2}
    assert run_in_full(warehouse) == {**UNCHANGED, "removed": 2}
    assert rows(citizen, "SELECT DISTINCT family_id FROM eligibility_hints") != [OTHER]
    assert verified() == {"matched": 1}


def test_a_full_run_that_finds_less_than_half_of_what_is_usual_removes_nothing(
    warehouse: Connection, citizen: Connection
) -> None:
    given_both(warehouse, 10, 5)
    before = row_versions(citizen)
    fall(warehouse, "scheme_code <> 'A'")
    execute(warehouse, "DELETE FROM synctasks.change_log")
    given_hint(citizen, family_id=OTHER)
    run = full_run(warehouse, FLOW)
    assert run["state"] == "guarded"
    assert books(run) == {"read": 50, "unchanged": 10, "filtered": 40}
    assert row_versions(citizen).items() >= before.items()
    accepted = full_run(warehouse, FLOW, accepts_shrink=True)
    assert accepted["state"] == "succeeded"
    assert books(accepted) == {"read": 50, "unchanged": 10, "filtered": 40, "removed": 41}
    assert value(citizen, _COUNT) == 10


def test_a_source_that_was_emptied_asks_for_a_full_run_which_removes_nothing(
    warehouse: Connection, citizen: Connection
) -> None:
    given_both(warehouse, 10, 1)
    execute(warehouse, "TRUNCATE eligibility.eligibility_snapshots")
    assert rows(warehouse, "SELECT flow, state, reason FROM synctasks.run") == [
        (FLOW.name, "requested", "the source table was truncated")
    ]
    assert pending(warehouse, FLOW) == []
    assert full_run(warehouse, FLOW)["state"] == "guarded"
    assert value(citizen, _COUNT) == 10


def test_a_statement_about_very_many_families_asks_for_a_full_run(
    warehouse: Connection,
) -> None:
    given_families(warehouse, 50_001)
    assert pending(warehouse, FLOW) == []
    assert rows(warehouse, "SELECT flow, reason FROM synctasks.run") == [
        (FLOW.name, "one statement changed more than 50000 units")
    ]


@pytest.mark.parametrize(
    ("families", "schemes", "going"),
    [(1_001, 1, "true"), (300, 4, "true")],
    ids=["families with one each", "families with several"],
)
def test_more_than_a_thousand_and_a_fifth_are_held_until_somebody_accepts_them(
    warehouse: Connection, citizen: Connection, families: int, schemes: int, going: str
) -> None:
    given_both(warehouse, families, schemes)
    before = value(citizen, _COUNT)
    fall(warehouse, going)
    carry(FLOW)
    assert value(citizen, _COUNT) == before, "pending ones count, too"
    assert len(held(warehouse)) == families
    assert pending(warehouse, FLOW) == []
    assert verified().get("extra") is None
    removals.accept(FLOW)
    carry(FLOW)
    assert held(warehouse) == pending(warehouse, FLOW) == []
    gone = value(warehouse, _FALLEN)
    assert value(citizen, _COUNT) == before - gone


_FALLEN = """\
SELECT count(*)
FROM eligibility.eligibility_snapshots
WHERE evaluation_status = 'NOT_ELIGIBLE'
"""


@pytest.mark.parametrize(
    ("families", "schemes", "going"),
    [(1_000, 1, "true"), (200, 5, "true"), (2_600, 2, "scheme_code = 'A' AND snapshot_id % 5 < 2")],
    ids=["a thousand", "a thousand of few families", "no more than a fifth"],
)
def test_fewer_go(
    warehouse: Connection, citizen: Connection, families: int, schemes: int, going: str
) -> None:
    given_both(warehouse, families, schemes)
    before = value(citizen, _COUNT)
    fall(warehouse, going)
    gone = value(warehouse, _FALLEN)
    carry(FLOW)
    assert held(warehouse) == pending(warehouse, FLOW) == []
    assert value(citizen, _COUNT) == before - gone
    assert verified() == ({"matched": before - gone} if before > gone else {})


def test_of_families_that_have_others_no_more_than_a_thousand_go_before_they_are_held(
    warehouse: Connection, citizen: Connection
) -> None:
    """Which of their hints fall out shows only when they are looked at: lane by lane."""
    given_both(warehouse, 1_000, 3)
    fall(warehouse, "scheme_code <> 'A'")
    carry(FLOW)
    most_of_a_lane = 2 * value(
        warehouse,
        "SELECT count(*) FROM synctasks.held GROUP BY lane ORDER BY 1 DESC LIMIT 1",
    )
    gone = 3_000 - value(citizen, _COUNT)
    assert 0 < gone <= 1_000 + most_of_a_lane
    assert len(held(warehouse)) == 1_000 - gone / 2


def test_what_else_is_new_of_a_family_whose_removals_are_held_is_carried_all_the_same(
    warehouse: Connection, citizen: Connection
) -> None:
    given_both(warehouse, 1_200, 1)
    fall(warehouse)
    family = value(citizen, "SELECT min(family_id) FROM eligibility_hints")
    given(warehouse, "E", family_id=family)
    given(warehouse, "B", family_id=OTHER)
    carry(FLOW)
    assert len(held(warehouse)) == 1_200
    assert shown(citizen, family) == {"A": "0.01", "E": "0.50"}
    assert shown(citizen, OTHER) == {"B": "0.50"}


def test_a_nightly_run_does_not_remove_what_is_held_of_families_that_are_there(
    warehouse: Connection, citizen: Connection
) -> None:
    given_both(warehouse, 1_100, 3)
    fall(warehouse, "scheme_code = 'A'")
    execute(warehouse, _HOLD)
    given_hint(citizen, "E", family_id=OTHER)
    before = row_versions(citizen)
    counts = {"read": 3_300, "unchanged": 2_200, "filtered": 1_100, "removed": 1}
    assert run_in_full(warehouse) == counts
    assert len(held(warehouse)) == 1_100
    assert row_versions(citizen).items() <= before.items()
    assert value(citizen, _COUNT) == 3_300


_HOLD = """\
WITH held AS (
    DELETE FROM synctasks.change_log RETURNING flow, lane, key, captured_at
)
INSERT INTO synctasks.held (flow, lane, key, captured_at)
SELECT flow, lane, key, min(captured_at) FROM held GROUP BY flow, lane, key
"""
