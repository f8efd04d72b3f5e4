"""Promises 1 and 6: servers may be emptied or killed at any moment.

Nothing is lost, our processes live through it, and the application writes on.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
import pytest

from synctasks.embedded.waiting import wait_until
from tests.acceptance.obstacles import MERGING, slow_portal
from tests.acceptance.system import System
from tests.acceptance.traffic import Traffic
from tests.logs import events
from tests.rows import add_record, execute, value

WAREHOUSE = "SYNCTASKS_WAREHOUSE_URL"
# After the end of a fault everything must have arrived within:
RECOVERY_SECONDS = 30


def test_an_emptied_redis_costs_seconds_and_no_data(system: System) -> None:
    with the_same_processes(system), Traffic(system.environment[WAREHOUSE]) as traffic:
        for _ in range(5):
            system.send("sync.profile_data", "control")
            traffic.await_writes(60)
            with system.broker() as broker:
                broker.flushall()
    system.quiesce(RECOVERY_SECONDS)
    system.agree()


def test_redis_killed_in_the_middle_of_a_task(system: System) -> None:
    """This decides the versions of celery, kombu and redis: see requirements.txt.

    celery 5.7.0 ends if a message is not acknowledged while it waits for more.
    """
    with the_same_processes(system):
        with slow_portal(system, 1.0), system.warehouse() as warehouse:
            add_record(warehouse, "GR-1")
            wait_until(lambda: system.at_citizen(MERGING)[0] >= 1, 10, "a task at work")
            system.servers.broker.kill()
            system.servers.broker.start()
        system.quiesce(RECOVERY_SECONDS)
        system.agree()


def test_redis_killed_under_load(system: System) -> None:
    with the_same_processes(system):
        with Traffic(system.environment[WAREHOUSE]) as traffic:
            system.send("sync.profile_data", "control")
            traffic.await_writes(100)
            system.servers.broker.kill()
            traffic.await_writes(200)
            system.servers.broker.start()
            traffic.await_writes(100)
        system.quiesce(RECOVERY_SECONDS)
        system.agree()
    assert traffic.slowest < 2


@pytest.mark.parametrize("side", ["warehouse", "citizen"])
def test_postgresql_killed_under_load(system: System, side: str) -> None:
    server = getattr(system.servers, side)
    with the_same_processes(system):
        with Traffic(system.environment[WAREHOUSE], tolerant=True) as traffic:
            for _ in range(2):
                system.send("sync.profile_data", "control")
                traffic.await_writes(150)
                server.kill()
                server.start()
            traffic.await_writes(100)
        system.quiesce(RECOVERY_SECONDS)
        system.agree()


def test_the_application_writes_on_while_everything_of_ours_is_down(system: System) -> None:
    system.kill("worker", "listener")
    system.servers.broker.kill()
    system.servers.citizen.kill()
    with system.warehouse() as warehouse:
        for number in range(50):
            began = time.monotonic()
            add_record(warehouse, f"GR-{number}")
            execute(warehouse, "UPDATE golden_records SET city_village = 'Ajmer'")
            assert time.monotonic() - began < 1
        execute(warehouse, "DELETE FROM golden_records WHERE gr_id LIKE '%%1'")
        pending = "SELECT count(DISTINCT key) FROM synctasks.change_log WHERE flow !~ '^heartbeat'"
        assert value(warehouse, pending) == 50
    # Worst order: those that need the servers come up before them.
    system.start("worker", "listener", ready=False)
    system.servers.citizen.start()
    system.servers.broker.start()
    system.quiesce(RECOVERY_SECONDS)
    system.agree()
    assert system.at_citizen("SELECT count(*), min(city) FROM profile_data") == [(45, "Ajmer")]


def test_a_transaction_that_dies_with_the_warehouse_leaves_no_change(system: System) -> None:
    with system.warehouse() as warehouse:
        add_record(warehouse, "GR-kept")
        warehouse.autocommit = False
        add_record(warehouse, "GR-lost")
        system.servers.warehouse.kill()
        with pytest.raises(psycopg2.OperationalError):
            warehouse.commit()
    system.servers.warehouse.start()
    system.quiesce(RECOVERY_SECONDS)
    system.agree()
    assert system.at_citizen("SELECT record_id FROM profile_data") == ["GR-kept"]


@contextmanager
def the_same_processes(system: System) -> Iterator[None]:
    """The worker with its children and the listener live through what the block does to them.

    And what they meet there is an error of ours that is tried again, not one that surprises.
    """
    worker, children = system.worker, {each.pid for each in system.worker.children()}
    said = len(worker.words())
    yield
    words = worker.words()[said:]
    assert worker.alive, words[-3000:]
    assert system.listener.alive, system.listener.words()[-3000:]
    assert {each.pid for each in worker.children()} == children
    assert not events(words, "task.mistaken")
