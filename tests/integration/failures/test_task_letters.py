"""Notices of tasks that gave up: kept as dead letters, closed by what succeeds later."""

from __future__ import annotations

from synctasks.dead_letters import failed
from synctasks.engine.refresh import request
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from tests.refreshing import add_records, carry, finish
from tests.rows import Connection, execute, rows, value

_LETTERS = "SELECT kind, unit, state, count FROM synctasks.dead_letter"


def lane_with_work(warehouse: Connection) -> int:
    add_records(warehouse, 1, 1)
    lane: int = value(warehouse, "SELECT lane FROM synctasks.change_log")
    return lane


def keep(task: str, lane: int | None = None) -> None:
    failed.store(PROFILE_DATA, task, lane, "citizen: disk full [53100]", "Traceback …")


def test_it_is_counted_again_and_closed_by_the_lanes_next_success(warehouse: Connection) -> None:
    lane = lane_with_work(warehouse)
    for _ in range(3):
        keep(failed.drain_of(lane), lane)
    assert rows(warehouse, _LETTERS) == [("task", f"drain of lane {lane}", "open", 3)]
    carry()
    assert rows(warehouse, _LETTERS) == [("task", f"drain of lane {lane}", "resolved", 3)]


def test_another_lanes_success_says_nothing_of_it(warehouse: Connection) -> None:
    lane = lane_with_work(warehouse)
    keep(failed.drain_of(lane), lane)
    execute(warehouse, "UPDATE synctasks.change_log SET lane = (lane + 1) %% 8", [])
    carry()
    assert rows(warehouse, _LETTERS) == [("task", f"drain of lane {lane}", "open", 1)]


def test_one_that_comes_late_finds_the_work_done(warehouse: Connection) -> None:
    lane = lane_with_work(warehouse)
    carry()
    keep(failed.drain_of(lane), lane)
    assert rows(warehouse, _LETTERS) == [("task", f"drain of lane {lane}", "resolved", 1)]


def test_a_full_runs_letter_is_closed_by_its_end(warehouse: Connection) -> None:
    request(PROFILE_DATA, "test")
    keep(failed.REFRESH)
    assert rows(warehouse, _LETTERS) == [("task", "refresh", "open", 1)]
    finish()
    assert rows(warehouse, _LETTERS) == [("task", "refresh", "resolved", 1)]


def test_what_was_asked_for_by_hand_stays_open_until_somebody_looks(warehouse: Connection) -> None:
    keep(failed.SYNC)
    carry()
    assert rows(warehouse, _LETTERS) == [("task", "sync", "open", 1)]
