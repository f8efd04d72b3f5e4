"""The volume guard: a full run that found less than half of what is usual removes nothing."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from synctasks.engine import refresh
from synctasks.flow import Flow
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.flows.to_citizen.schemes import SCHEMES
from tests import oracle
from tests.refreshing import (
    add_records,
    books,
    carry,
    finish,
    full_run,
    key,
    phases,
    run_of,
    step,
    unseen,
    versions,
)
from tests.rows import Connection, execute, rows

_ACCEPTED = """\
INSERT INTO synctasks.run (
    flow, kind, reason, state, phase, in_scope, accepts_shrink, started_at, finished_at
)
VALUES (%s, %s, 'test', %s, 'finish', %s, %s, now(), now())
"""


def add_run(
    warehouse: Connection,
    in_scope: int,
    *,
    kind: str = "full",
    state: str = "succeeded",
    flow: Flow = PROFILE_DATA,
    accepts_shrink: bool = False,
) -> None:
    """A run of before, that found so many in scope."""
    parameters = [flow.name, kind, state, in_scope, accepts_shrink]
    execute(warehouse, _ACCEPTED, parameters)


def shrink(warehouse: Connection, left: int) -> None:
    """Leave only so many records, and no trigger sees it."""
    with unseen(warehouse):
        execute(warehouse, "DELETE FROM golden_records WHERE gr_id > %s", [key(left)])


@pytest.fixture
def filled(warehouse: Connection) -> Connection:
    """A hundred records on both sides, by events: no full run was accepted yet."""
    add_records(warehouse, 1, 100)
    carry()
    return warehouse


@pytest.mark.parametrize(("left", "state"), [(49, "guarded"), (50, "succeeded"), (0, "guarded")])
def test_without_a_history_half_of_what_the_target_holds_is_wanted(
    filled: Connection, citizen: Connection, left: int, state: str
) -> None:
    before = versions(citizen)
    shrink(filled, left)
    run = full_run(filled)
    assert (run["state"], run["in_scope"]) == (state, left)
    guarded = state == "guarded"
    assert (versions(citizen) == before) is guarded
    assert run["removed"] == (0 if guarded else 100 - left)
    assert (run["read"], run["unchanged"], run["removals_held"]) == (left, left, guarded)
    assert ("target" in phases(filled, run)) is not guarded


# What seven runs and more have found, oldest first, and how many are wanted at least.
HISTORIES = [
    ((8, 8), 50, "two runs are no history"),
    ((8, 8, 8), 4, "three are"),
    ((8, 40, 90), 20, "the median, whatever their order"),
    ((90, 90, 90, 90, 90, 8, 8, 8, 8), 4, "the last seven, not more"),
    ((90, 8, 8, 8, 90, 90, 90), 45, "the last seven, not fewer"),
    ((8, 8, 10, 12), 5, "between the two in the middle"),
]


@pytest.mark.parametrize(
    ("history", "wanted"),
    [(history, wanted) for history, wanted, _ in HISTORIES],
    ids=[said for *_, said in HISTORIES],
)
def test_with_a_history_half_of_its_median_is_wanted(
    filled: Connection, citizen: Connection, history: Sequence[int], wanted: int
) -> None:
    for found in history:
        add_run(filled, found)
    shrink(filled, wanted - 1)
    assert full_run(filled)["state"] == "guarded"
    assert len(versions(citizen)) == 100
    with unseen(filled):
        add_records(filled, wanted, wanted)
    assert full_run(filled)["state"] == "succeeded"
    assert len(versions(citizen)) == wanted


@pytest.mark.parametrize(
    "another",
    [
        {"state": "guarded"},
        {"state": "failed"},
        {"state": "stopped"},
        {"kind": "keys"},
        {"flow": SCHEMES},
    ],
    ids=lambda another: "-".join(map(str, another)),
)
def test_only_accepted_full_runs_of_the_flow_are_its_history(
    filled: Connection, another: dict[str, object]
) -> None:
    for _ in range(3):
        add_run(filled, 0, **another)  # type: ignore[arg-type]
    shrink(filled, 49)
    assert full_run(filled)["state"] == "guarded"


def test_a_run_that_finds_nothing_where_there_was_nothing_is_a_success(
    warehouse: Connection,
) -> None:
    for _ in range(4):
        assert full_run(warehouse)["state"] == "succeeded"


def test_what_is_rejected_was_found_all_the_same(filled: Connection, citizen: Connection) -> None:
    with unseen(filled):
        execute(filled, "UPDATE golden_records SET gender = 'X' WHERE gr_id > %s", [key(20)])
    run = full_run(filled)
    assert (run["state"], books(run)) == (
        "succeeded",
        {"read": 100, "unchanged": 20, "rejected": 80},
    )
    assert len(versions(citizen)) == 100


def test_an_accepted_shrink_removes_and_begins_the_history_anew(
    filled: Connection, citizen: Connection
) -> None:
    for _ in range(3):
        full_run(filled)
    shrink(filled, 10)
    assert full_run(filled)["state"] == "guarded"
    accepted = full_run(filled, accepts_shrink=True)
    assert (accepted["state"], accepted["removed"]) == ("succeeded", 90)
    assert not oracle.profile_data(filled, citizen)
    assert full_run(filled)["state"] == "succeeded", "the old median is forgotten"
    shrink(filled, 4)
    assert full_run(filled)["state"] == "guarded", "the new one counts"


def test_an_accepted_run_that_did_not_succeed_leaves_the_history(filled: Connection) -> None:
    for _ in range(3):
        add_run(filled, 8)
    add_run(filled, 0, state="failed", accepts_shrink=True)
    shrink(filled, 4)
    assert full_run(filled)["state"] == "succeeded", "four are half of eight"


def test_a_shrink_is_accepted_though_a_run_is_under_way(
    filled: Connection, citizen: Connection
) -> None:
    """Its guard may have judged already: there is another run after it."""
    shrink(filled, 10)
    under_way = refresh.request(PROFILE_DATA, "test")
    assert refresh.step(PROFILE_DATA, 8)
    accepting = refresh.request(PROFILE_DATA, "test", accepts_shrink=True)
    assert accepting != under_way
    refresh.request(PROFILE_DATA, "test")
    finish()
    assert run_of(filled, under_way)["state"] == "guarded"
    assert run_of(filled, accepting)["state"] == "succeeded"
    assert not oracle.profile_data(filled, citizen)


def test_an_accepted_shrink_is_not_lost_where_a_later_request_is_answered(
    filled: Connection, citizen: Connection
) -> None:
    refresh.request(PROFILE_DATA, "test", accepts_shrink=True)
    shrink(filled, 10)
    assert full_run(filled)["state"] == "succeeded"
    assert not oracle.profile_data(filled, citizen)


def test_a_guarded_run_still_carries_what_is_new_and_changed(
    filled: Connection, citizen: Connection
) -> None:
    shrink(filled, 10)
    with unseen(filled):
        add_records(filled, 101, 110)
        execute(filled, "UPDATE golden_records SET full_name = 'B' WHERE gr_id <= %s", [key(5)])
    run = full_run(filled)
    assert run["state"] == "guarded"
    assert books(run) == {"read": 20, "written": 15, "unchanged": 5}
    difference = oracle.profile_data(filled, citizen)
    assert (difference.missing, difference.different) == ([], {})
    assert difference.extra == [key(number) for number in range(11, 101)]


def test_a_source_that_is_emptied_in_the_middle_of_a_run_is_guarded(
    filled: Connection, citizen: Connection
) -> None:
    """Its keys were handed on already: they are no licence to remove."""
    execute(citizen, "UPDATE profile_data SET city = 'x'")
    run = refresh.request(PROFILE_DATA, "test")
    while not rows(filled, "SELECT FROM synctasks.chunk WHERE phase = 'source'"):
        assert step()
    with unseen(filled):
        execute(filled, "DELETE FROM golden_records")
    finish()
    ended = run_of(filled, run)
    assert (ended["state"], books(ended)) == ("guarded", {})
    assert len(versions(citizen)) == 100
