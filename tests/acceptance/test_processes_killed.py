"""Promise 1: our processes may be killed with -9 anywhere, and nothing is lost."""

from __future__ import annotations

import pytest

from synctasks.embedded.waiting import wait_until
from tests.acceptance.obstacles import MERGING, slow_portal
from tests.acceptance.system import Program, System
from tests.acceptance.traffic import Traffic
from tests.rows import Connection, add_record, execute, rows, value

WAREHOUSE = "SYNCTASKS_WAREHOUSE_URL"
# A drain takes at most 500 keys and five seconds: these are some of its work.
RECORDS = 40
ROW_SECONDS = 0.2

_SETTLING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
_PENDING = "SELECT count(*) FROM synctasks.change_log WHERE flow !~ '^heartbeat'"
_BUSY_LANES = "SELECT count(*) FROM synctasks.lane WHERE started_at IS NOT NULL"
_BOOKS = """\
SELECT sum(taken), sum(read), sum(written) FROM synctasks.history WHERE flow !~ '^heartbeat'
"""


def test_a_killed_listener_misses_nothing(system: System) -> None:
    with Traffic(system.environment[WAREHOUSE]) as traffic:
        traffic.await_writes(100)
        system.kill("listener")
        # Longer than any flag lives: what is not sent for now is not sent for at all.
        traffic.await_writes(300)
        system.start("listener")
        traffic.await_writes(100)
    system.quiesce()
    system.agree()
    assert traffic.slowest < 2


def test_without_a_listener_writes_go_on_and_wait(system: System) -> None:
    system.kill("listener")
    with system.warehouse() as warehouse:
        for number in range(20):
            add_record(warehouse, f"GR-{number}")
        assert value(warehouse, _PENDING) == 20
    assert system.at_citizen("SELECT count(*) FROM profile_data") == [0]
    system.start("listener")
    system.quiesce(10)
    system.agree()


@pytest.mark.parametrize("who", ["everything", "main process", "child"])
def test_a_worker_killed_in_the_middle_of_a_batch_loses_nothing(system: System, who: str) -> None:
    before = system.worker
    with slow_portal(system, ROW_SECONDS):
        with system.warehouse() as warehouse:
            add_records(warehouse, RECORDS)
        wait_until(lambda: system.at_citizen(MERGING)[0] >= 2, 10, "merges under way")
        kill(system, before, who)
        assert system.at_citizen("SELECT count(*) FROM profile_data")[0] < RECORDS
    system.start("worker")
    assert (system.worker.pid == before.pid) == (who == "child")
    system.quiesce(30)
    system.agree()
    [(taken, read, _)] = system.at_warehouse(_BOOKS)
    assert (taken, read) == (RECORDS, RECORDS), "repeated work is counted once"


def test_a_worker_killed_between_the_two_commits_repeats_harmlessly(system: System) -> None:
    with system.warehouse() as warehouse, system.warehouse() as blocker:
        with slow_portal(system, ROW_SECONDS):
            add_records(warehouse, 8)
            wait_until(lambda: rows(warehouse, _BUSY_LANES)[0] >= 1, 10, "lanes taken")
            wait_until(lambda: system.at_citizen(MERGING)[0] >= 1, 10, "merges under way")
            blocker.autocommit = False
            execute(blocker, "SELECT FROM synctasks.lane FOR UPDATE")
            wait_until(lambda: rows(warehouse, _SETTLING)[0] >= 1, 10, "somebody to settle")
            system.kill("worker")
        carried = system.at_citizen("SELECT count(*) FROM profile_data")[0]
        assert carried >= 1, "the portal's side was committed"
        assert value(warehouse, _PENDING) >= carried
        blocker.rollback()
    system.start("worker")
    system.quiesce(30)
    system.agree()
    [(taken, read, written)] = system.at_warehouse(_BOOKS)
    assert (taken, read) == (8, 8)
    assert written <= 8 - carried


def test_a_worker_killed_again_and_again_under_load_loses_nothing(system: System) -> None:
    with Traffic(system.environment[WAREHOUSE]) as traffic:
        for _ in range(2):
            system.send("sync.profile_data", "control")
            traffic.await_writes(200)
            system.kill("worker")
            system.start("worker")
    system.quiesce()
    system.agree()
    assert traffic.slowest < 2


def kill(system: System, worker: Program, who: str) -> None:
    """Kill the worker that is in the middle of something, or a part of it."""
    if who == "everything":
        system.kill("worker")
    elif who == "main process":
        system.kill_main("worker")
    else:
        # Which one is busy is not to be seen from outside: all but one are.
        for child in worker.children()[1:]:
            child.kill()


def add_records(warehouse: Connection, count: int) -> None:
    """That many new golden records, by one statement."""
    statement = """\
        INSERT INTO golden_records (gr_id, full_name, updated_at)
        SELECT 'GR-' || number, 'Asha Devi', clock_timestamp()
        FROM generate_series(1, %s) AS numbered (number)"""
    execute(warehouse, statement, [count])
