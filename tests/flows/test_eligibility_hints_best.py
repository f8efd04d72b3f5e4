"""Specification 1.3: of a family's evaluations the five best are shown."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from synctasks.engine import stage
from synctasks.flows.to_citizen.eligibility_hints import ELIGIBILITY_HINTS
from tests.flows.hints import (
    OTHER,
    SECOND,
    YESTERDAY,
    given,
    given_families,
    given_hint,
    given_schemes,
    given_scores,
    record,
    row_versions,
    run_in_full,
    shown,
    synced,
    verified,
)
from tests.rows import Connection, execute, rows
from tests.syncing import Sync, either_way

FLOW = ELIGIBILITY_HINTS
FIVE = {"A": "0.9", "B": "0.8", "C": "0.7", "D": "0.6", "E": "0.5"}
SHOWN = {"A": "0.90", "B": "0.80", "C": "0.70", "D": "0.60", "E": "0.50"}


@pytest.fixture(autouse=True)
def known(citizen: Connection) -> None:
    """Schemes that the portal knows."""
    given_schemes(citizen, *"ABCDEFG")


@either_way
def test_of_seven_the_five_best_are_shown(
    warehouse: Connection, citizen: Connection, sync: Sync
) -> None:
    given_scores(warehouse, {"F": "0.4", "G": "0.1", **FIVE})
    given_scores(warehouse, {"F": "0.4", "G": "0.1"}, OTHER)
    assert sync(warehouse, FLOW) == {"read": 9, "written": 7, "filtered": 2}
    assert shown(citizen) == SHOWN
    assert shown(citizen, OTHER) == {"F": "0.40", "G": "0.10"}


@either_way
def test_a_sixth_that_overtakes_the_fifth_takes_its_place(
    warehouse: Connection, citizen: Connection, sync: Sync
) -> None:
    given_scores(warehouse, {**FIVE, "F": "0.4"})
    sync(warehouse, FLOW)
    before = row_versions(citizen)
    given(warehouse, "F", "0.55", evaluation_timestamp=YESTERDAY + SECOND)
    counts = {"read": 6, "written": 1, "unchanged": 4, "filtered": 1, "removed": 1}
    assert sync(warehouse, FLOW) == counts
    assert shown(citizen) == {"A": "0.90", "B": "0.80", "C": "0.70", "D": "0.60", "F": "0.55"}
    after = row_versions(citizen)
    assert {name: after.get(name) for name in before if name != record("E")} == {
        name: version for name, version in before.items() if name != record("E")
    }


@either_way
def test_when_the_best_falls_to_not_eligible_the_sixth_is_shown(
    warehouse: Connection, citizen: Connection, sync: Sync
) -> None:
    given_scores(warehouse, {**FIVE, "F": "0.4"})
    sync(warehouse, FLOW)
    later = YESTERDAY + SECOND
    given(warehouse, "A", "0.95", evaluation_status="NOT_ELIGIBLE", evaluation_timestamp=later)
    counts = {"read": 6, "written": 1, "unchanged": 4, "filtered": 1, "removed": 1}
    assert sync(warehouse, FLOW) == counts
    assert list(shown(citizen)) == ["B", "C", "D", "E", "F"]
    assert sync(warehouse, FLOW) in ({}, {"read": 6, "unchanged": 5, "filtered": 1})


@either_way
def test_the_score_before_it_is_rounded_decides(
    warehouse: Connection, citizen: Connection, sync: Sync
) -> None:
    """All of them are shown as 0.68, and the last one is the latest, and first by its code."""
    scores = {each: f"0.67{9 - number}" for number, each in enumerate("BCDEF")}
    given_scores(warehouse, scores)
    given(warehouse, "A", "0.674999999", evaluation_timestamp=YESTERDAY + SECOND)
    given(warehouse, "G", "0.6750000001")
    assert sync(warehouse, FLOW) == {"read": 7, "written": 5, "filtered": 2}
    assert set(shown(citizen)) == {"B", "C", "D", "E", "G"}
    assert set(shown(citizen).values()) == {"0.68"}


@either_way
def test_among_equals_the_newer_evaluation_is_better(
    warehouse: Connection, citizen: Connection, sync: Sync
) -> None:
    for number, scheme in enumerate("ABCDEFG"):
        later = YESTERDAY + number * timedelta(microseconds=1)
        # The same score, however it is written.
        given(warehouse, scheme, Decimal("0.5" + "0" * number), evaluation_timestamp=later)
    assert sync(warehouse, FLOW) == {"read": 7, "written": 5, "filtered": 2}
    assert list(shown(citizen)) == ["C", "D", "E", "F", "G"]


@either_way
def test_among_quite_equal_ones_the_code_decides_byte_by_byte(
    warehouse: Connection, citizen: Connection, sync: Sync
) -> None:
    codes = ["a-1", "A_1", "A-1", "Z", "a", "\u00c4", "\u0905", "\U0001f33e", "A 1"]
    given_schemes(citizen, *codes)
    given_scores(warehouse, dict.fromkeys(reversed(codes), "0.5"))
    best = sorted(codes, key=str.encode)[:5]
    assert best == ["A 1", "A-1", "A_1", "Z", "a"]
    assert sync(warehouse, FLOW) == {"read": 9, "written": 5, "filtered": 4}
    assert set(shown(citizen)) == set(best)


@either_way
def test_codes_that_no_ascii_holds_are_codes_like_others(
    warehouse: Connection, citizen: Connection, sync: Sync
) -> None:
    codes = ["\u0905", "\u0906", "\U0001f33e", "\u00c4", "\ufb01", "A\u0308"]
    given_schemes(citizen, *codes)
    given_scores(warehouse, dict.fromkeys(codes, "0.5"))
    sync(warehouse, FLOW)
    assert set(shown(citizen)) == {"A\u0308", "\u00c4", "\u0905", "\u0906", "\ufb01"}


def test_hints_beyond_the_five_that_somebody_put_there_are_removed(
    warehouse: Connection, citizen: Connection
) -> None:
    given_scores(warehouse, {**FIVE, "F": "0.4"})
    synced(warehouse)
    given_hint(citizen, "F", eligibility_score="1.00")
    given_hint(citizen, "nowhere", eligibility_score="1.00")
    assert verified() == {"matched": 5, "extra": 2}
    assert run_in_full(warehouse) == {"read": 6, "unchanged": 5, "filtered": 1, "removed": 2}
    assert shown(citizen) == SHOWN


@pytest.mark.parametrize("most_keys", [500, 1], ids=["as a document", "as a stream"])
@either_way
def test_the_families_of_a_batch_are_ranked_each_by_itself(
    warehouse: Connection,
    citizen: Connection,
    monkeypatch: pytest.MonkeyPatch,
    sync: Sync,
    most_keys: int,
) -> None:
    monkeypatch.setattr(stage, "MOST_KEYS", most_keys)
    given_families(warehouse, 100, schemes=7)
    refused = "UPDATE eligibility.eligibility_snapshots SET eligibility_score = 7 WHERE {}"
    execute(warehouse, refused.format("scheme_code = 'G' AND snapshot_id % 2 = 0"))
    counts = {"read": 700, "written": 500, "filtered": 150, "rejected": 50}
    assert sync(warehouse, FLOW) == counts
    scores = "SELECT DISTINCT scheme_code, count(*) FROM eligibility_hints GROUP BY 1 ORDER BY 1"
    shown_of = [("B", 50), ("C", 100), ("D", 100), ("E", 100), ("F", 100), ("G", 50)]
    assert rows(citizen, scores) == shown_of
    assert run_in_full(warehouse) == {
        "read": 700,
        "unchanged": 500,
        "filtered": 150,
        "rejected": 50,
    }
