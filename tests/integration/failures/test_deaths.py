"""A record that workers die of is found, set aside as a dead letter, and stops only itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from synctasks.capture import change_log
from synctasks.engine import reconcile as module
from synctasks.engine.drain import drain
from synctasks.engine.refresh import request, step
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from tests.refreshing import add_records, books, carry, key, run_of, unseen
from tests.rows import Connection, execute, names_at_portal, rows, value

# A mark that is young may be of somebody who is about to settle.
_LONG_AGO = "UPDATE synctasks.lane SET started_at = started_at - interval '6 seconds'"
_LETTERS = "SELECT kind, unit, state FROM synctasks.dead_letter"
_MOST_DEATHS = 60


class _Killed(BaseException):
    """What ends a worker: nothing of ours runs any more, both transactions are gone."""


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> Callable[[str | None], None]:
    """Workers die whenever a batch holds this key."""
    guilty: list[str | None] = [None]
    whole = module.merge_staged

    def merge(flow: Any, batch: Any, *others: Any) -> Any:
        if guilty[0] in batch.keys:
            raise _Killed
        return whole(flow, batch, *others)

    monkeypatch.setattr(module, "merge_staged", merge)
    return lambda which: guilty.__setitem__(0, which)


def drain_with_deaths(warehouse: Connection) -> int:
    """Drain until nothing is pending, a new worker after each death; how many died."""
    deaths = 0
    for lane in range(change_log.lane_count(PROFILE_DATA)):
        while change_log.pending(PROFILE_DATA, lane):
            try:
                drain(PROFILE_DATA, lane)
            except _Killed:
                deaths += 1
                execute(warehouse, _LONG_AGO)
                assert deaths < _MOST_DEATHS, "the poison is never set aside"
    return deaths


def test_all_but_the_poison_arrive_and_it_becomes_a_crash_letter(
    warehouse: Connection, citizen: Connection, poison: Callable[[str | None], None]
) -> None:
    add_records(warehouse, 1, 300)
    poison(key(150))
    deaths = drain_with_deaths(warehouse)
    assert names_at_portal(citizen).keys() == {key(n) for n in range(1, 301) if n != 150}
    assert rows(warehouse, _LETTERS) == [("crash", key(150), "open")]
    # Nine halvings from 500 to 1, and the deaths that prove it; no drain dies in vain.
    assert 11 <= deaths <= 30
    counts = "SELECT sum(taken), sum(read), sum(written), sum(rejected) FROM synctasks.history"
    assert value(warehouse, counts) == (300, 300, 299, 1)


def test_a_worker_that_lives_but_has_not_settled_is_no_death(
    warehouse: Connection, citizen: Connection, poison: Callable[[str | None], None]
) -> None:
    """Between the target's commit and the settling others may come, again and again."""
    add_records(warehouse, 1, 1)
    execute(warehouse, "UPDATE synctasks.lane SET batch_limit = 1")
    poison(key(1))
    lane = value(warehouse, "SELECT lane FROM synctasks.change_log")
    for _ in range(10):
        with pytest.raises(_Killed):
            drain(PROFILE_DATA, lane)
    assert value(warehouse, "SELECT max(deaths) FROM synctasks.lane") == 0
    poison(None)
    carry()
    assert names_at_portal(citizen).keys() == {key(1)}
    assert rows(warehouse, _LETTERS) == []


def test_a_lane_grows_again_with_its_successes(
    warehouse: Connection, poison: Callable[[str | None], None]
) -> None:
    limits = "SELECT min(batch_limit), max(deaths) FROM synctasks.lane"
    add_records(warehouse, 1, 300)
    poison(key(150))
    drain_with_deaths(warehouse)
    poison(None)
    assert value(warehouse, limits) < (500, 1)
    for _ in range(9):
        execute(warehouse, "UPDATE golden_records SET updated_at = clock_timestamp()")
        carry()
    assert value(warehouse, limits) == (500, 0)


def test_a_replay_that_passes_closes_the_letter(
    warehouse: Connection, citizen: Connection, poison: Callable[[str | None], None]
) -> None:
    add_records(warehouse, 1, 3)
    poison(key(2))
    drain_with_deaths(warehouse)
    poison(None)
    change_log.request(PROFILE_DATA, [key(2)], origin="replay")
    carry()
    assert key(2) in names_at_portal(citizen)
    assert rows(warehouse, _LETTERS) == [("crash", key(2), "resolved")]


def test_a_chunk_that_kills_is_left_to_the_drains(
    warehouse: Connection, citizen: Connection, poison: Callable[[str | None], None]
) -> None:
    with unseen(warehouse):
        add_records(warehouse, 1, 50)
    poison(key(25))
    run = request(PROFILE_DATA, "test")
    lanes = change_log.lane_count(PROFILE_DATA)
    claims_expire = "UPDATE synctasks.chunk SET claimed_at = claimed_at - interval '1 minute'"
    for _ in range(_MOST_DEATHS):
        try:
            step(PROFILE_DATA, lanes)
        except _Killed:
            execute(warehouse, claims_expire)
        if run_of(warehouse, run)["state"] != "running":
            break
    assert run_of(warehouse, run)["state"] == "succeeded"
    drain_with_deaths(warehouse)
    assert names_at_portal(citizen).keys() == {key(n) for n in range(1, 51) if n != 25}
    assert rows(warehouse, _LETTERS) == [("crash", key(25), "open")]
    assert books(run_of(warehouse, run))["written"] < 50
