"""Specification 1.3: an evaluation for a scheme that the portal does not know waits for it."""

from __future__ import annotations

import pytest

from synctasks.engine.changes import LADDER_STEPS
from synctasks.flows.to_citizen.eligibility_hints import ELIGIBILITY_HINTS
from synctasks.flows.to_citizen.schemes import SCHEMES
from tests.flows.hints import (
    HINT,
    OTHER,
    SECOND,
    UNCHANGED,
    WRITTEN,
    YESTERDAY,
    again,
    bring_scheme,
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
    waiting,
)
from tests.letters import add_scheme
from tests.refreshing import finish, full_run
from tests.rows import Connection, execute, rows
from tests.syncing import pending
from tests.waiting import age, due_now, put_off

FLOW = ELIGIBILITY_HINTS
WAITING = {"read": 1, "waiting": 1}
FIVE = {"A": "0.9", "B": "0.8", "C": "0.7", "D": "0.6", "E": "0.5"}
_RUNS = "SELECT flow, kind, state, reason FROM synctasks.run ORDER BY id"


@pytest.fixture(autouse=True)
def known(warehouse: Connection, citizen: Connection) -> None:
    """Schemes that the warehouse and the portal know."""
    for code in "ABCDE":
        add_scheme(warehouse, code)
    given_schemes(citizen, *"ABCDE")


def test_an_evaluation_for_an_unknown_scheme_waits_and_is_woken_by_a_run_that_brings_it(
    warehouse: Connection, citizen: Connection
) -> None:
    given(warehouse, "NEW")
    assert run_in_full(warehouse) == WAITING
    assert waiting(warehouse) == {record("NEW"): True}
    assert (shown(citizen), letters(warehouse)) == ({}, [])
    assert verified() == {"waiting": 1}
    bring_scheme(warehouse, "OLD")
    assert pending(warehouse, FLOW) == [], "that is another one"
    bring_scheme(warehouse, "NEW")
    assert [origin for _, origin in pending(warehouse, FLOW)] == ["woken"]
    assert synced(warehouse) == WRITTEN
    assert hints(citizen) == {"NEW": HINT}
    assert waiting(warehouse) == {}


def test_an_unknown_scheme_asks_for_one_run_of_schemes_which_wakes_it(
    warehouse: Connection, citizen: Connection
) -> None:
    add_scheme(warehouse, "NEW")
    given(warehouse, "NEW")
    given(warehouse, "NEVER", family_id=OTHER)
    assert synced(warehouse) == {}, "it is tried again in a second"
    assert waiting(warehouse) == {record("NEW"): False, record("NEVER", OTHER): False}
    asked = [("schemes", "full", "requested", "eligibility_hints waits")]
    assert rows(warehouse, _RUNS) == asked
    due_now(warehouse)
    synced(warehouse)
    assert rows(warehouse, _RUNS) == asked, "once is enough"
    put_off(warehouse)
    finish(SCHEMES)
    assert {each[:3] for each in rows(warehouse, _RUNS)} == {("schemes", "full", "succeeded")}
    assert synced(warehouse) == WRITTEN
    assert waiting(warehouse) == {record("NEVER", OTHER): False}
    due_now(warehouse)
    synced(warehouse)
    assert hints(citizen) == {"NEW": HINT}
    assert hints(citizen, OTHER) == {}
    assert [flow for flow, *_ in rows(warehouse, _RUNS)] == ["schemes"], "nobody asks for ever"


def test_it_is_tried_as_often_as_the_ladder_has_steps_and_rests_then(
    warehouse: Connection,
) -> None:
    given(warehouse, "NEW")
    for _ in range(LADDER_STEPS):
        assert synced(warehouse) == {}
        assert waiting(warehouse) == {record("NEW"): False}
        due_now(warehouse)
    assert synced(warehouse) == WAITING
    assert waiting(warehouse) == {record("NEW"): True}
    assert pending(warehouse, FLOW) == []


def test_one_that_waits_takes_no_place_and_holds_up_no_other(
    warehouse: Connection, citizen: Connection
) -> None:
    given_scores(warehouse, {"NEW": "1", "MORE": "0.99", **FIVE})
    assert synced(warehouse) == {"read": 5, "written": 5}
    assert list(shown(citizen)) == list("ABCDE")
    assert run_in_full(warehouse) == {"read": 7, "unchanged": 5, "waiting": 2}
    bring_scheme(warehouse, "NEW")
    counts = {"read": 7, "written": 1, "unchanged": 4, "filtered": 1, "waiting": 1, "removed": 1}
    assert synced(warehouse) == counts
    assert list(shown(citizen)) == ["NEW", *"ABCD"]
    assert waiting(warehouse) == {record("MORE"): True}


def test_what_is_done_of_a_family_counts_even_if_one_of_its_evaluations_waits(
    warehouse: Connection, citizen: Connection
) -> None:
    fell = given(warehouse, "A")
    given_scores(warehouse, {"B": "0.5", "NEW": "0.5"})
    assert synced(warehouse) == {"read": 2, "written": 2}
    change(warehouse, fell, evaluation_status="NOT_ELIGIBLE")
    assert synced(warehouse) == {"removed": 1}
    due_now(warehouse)
    assert synced(warehouse) == {}
    counts = {"read": 3, "unchanged": 1, "filtered": 1, "waiting": 1}
    assert run_in_full(warehouse) == counts


def test_one_that_is_right_and_below_the_fifth_waits_no_longer_once_its_scheme_is_known(
    warehouse: Connection, citizen: Connection
) -> None:
    given_scores(warehouse, {"NEW": "0.1", **FIVE})
    run_in_full(warehouse)
    bring_scheme(warehouse, "NEW")
    assert synced(warehouse) == {"read": 6, "unchanged": 5, "filtered": 1}
    assert (waiting(warehouse), letters(warehouse)) == ({}, [])
    assert verified() == {"matched": 5}


def test_a_scheme_that_is_not_active_any_more_is_known_all_the_same(
    warehouse: Connection, citizen: Connection
) -> None:
    execute(citizen, "UPDATE schemes SET status = 'INACTIVE'")
    given(warehouse)
    assert synced(warehouse) == WRITTEN


def test_codes_are_known_exactly_as_they_are_written(
    warehouse: Connection, citizen: Connection
) -> None:
    given_scores(warehouse, {"a": "0.5", "A ": "0.5", "\uff21": "0.5"})
    assert run_in_full(warehouse) == {"read": 3, "waiting": 3}
    assert shown(citizen) == {}


def test_what_is_wrong_need_not_wait(warehouse: Connection) -> None:
    bad = given(warehouse, "NEW", "7")
    assert run_in_full(warehouse) == {"read": 1, "rejected": 1}
    assert waiting(warehouse) == {}
    change(warehouse, bad, eligibility_score="0.7")
    assert run_in_full(warehouse) == WAITING
    assert waiting(warehouse) == {record("NEW"): True}


@pytest.mark.parametrize("how", ["not eligible any more", "of another family", "deleted"])
def test_what_is_no_candidate_any_more_waits_no_longer(warehouse: Connection, how: str) -> None:
    snapshot = given(warehouse, "NEW")
    run_in_full(warehouse)
    if how == "not eligible any more":
        change(warehouse, snapshot, evaluation_status="NOT_ELIGIBLE")
    elif how == "of another family":
        change(warehouse, snapshot, family_id=OTHER, evaluation_status="NOT_ELIGIBLE")
    else:
        execute(warehouse, "DELETE FROM eligibility.eligibility_snapshots")
        again(warehouse)
    synced(warehouse)
    assert waiting(warehouse) == {}


def test_after_30_days_it_is_a_dead_letter_of_that_evaluation_alone(
    warehouse: Connection, citizen: Connection
) -> None:
    given_scores(warehouse, {"NEW": "0.9", "MORE": "0.8", "A": "0.5"})
    run_in_full(warehouse)
    age(warehouse, 29)
    assert again(warehouse) == {"read": 3, "unchanged": 1, "waiting": 2}
    execute(
        warehouse,
        "UPDATE synctasks.waiting SET since = since - interval '2 days' WHERE record LIKE '% NEW'",
    )
    assert again(warehouse) == {"read": 3, "unchanged": 1, "waiting": 1, "rejected": 1}
    never = "scheme_code: never came: the record has waited for 30 days"
    assert letters(warehouse) == [(record("NEW"), "consistency", never)]
    assert waiting(warehouse) == {record("MORE"): True}
    bring_scheme(warehouse, "NEW")
    assert again(warehouse) == {"read": 3, "written": 1, "unchanged": 1, "waiting": 1}
    assert letters(warehouse) == []


def test_the_hint_of_one_that_waits_is_left_as_it_is(
    warehouse: Connection, citizen: Connection
) -> None:
    """The portal has lost a scheme: what it shows of it is not ours to take away."""
    given_hint(citizen, "GONE", eligibility_score="0.99")
    given_hint(citizen, "BAD", eligibility_score="0.98")
    before = row_versions(citizen)
    given_scores(warehouse, {"GONE": "0.9", "BAD": "7", "A": "0.5"})
    assert run_in_full(warehouse) == {"read": 3, "written": 1, "waiting": 1, "rejected": 1}
    assert row_versions(citizen).items() >= before.items()
    assert set(shown(citizen)) == {"A", "BAD", "GONE"}


def test_a_run_of_schemes_that_brings_nothing_new_asks_for_nobody(
    warehouse: Connection, citizen: Connection
) -> None:
    add_scheme(warehouse, "NEW")
    full_run(warehouse, SCHEMES)
    given(warehouse, "NEW")
    given(warehouse, "NEVER", evaluation_timestamp=YESTERDAY + SECOND)
    run_in_full(warehouse)
    full_run(warehouse, SCHEMES)
    assert pending(warehouse, FLOW) == []
    assert again(warehouse) == {**UNCHANGED, "read": 2, "waiting": 1}
