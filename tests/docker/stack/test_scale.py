"""More containers of a pool: each of them takes its share of the work."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from synctasks.embedded.waiting import wait_until
from tests.acceptance.traffic import Traffic
from tests.docker.stack.composed import Composed
from tests.docker.stack.engine import docker
from tests.workspace import WAREHOUSE

CONTAINERS = 3
# Of what all do. Fair is a third.
LEAST_SHARE = 0.15
TASKS = 150
WRITES = 300


@pytest.fixture
def scaled(empty: Composed) -> Iterator[Composed]:
    """Three containers of workers for events; one again at the end."""
    scale(empty, CONTAINERS)
    yield empty
    scale(empty, 1)


def test_three_workers_share_the_work(scaled: Composed, told: dict[str, str]) -> None:
    before = tasks_done(scaled)
    with Traffic(scaled.environment[WAREHOUSE]) as traffic:
        traffic.await_writes(WRITES)
        wait_until(lambda: enough(before, tasks_done(scaled)), 60, f"{TASKS} tasks")
        after = tasks_done(scaled)
    scaled.quiesce(60)
    done = {name: after[name] - before[name] for name in before}
    told["tasks of each of three workers for events"] = ", ".join(map(str, sorted(done.values())))
    assert min(done.values()) >= LEAST_SHARE * sum(done.values()), done


def tasks_done(stack: Composed) -> dict[str, int]:
    """How many tasks each worker for events has done since it was started."""
    inspecting = ("celery", "-A", "synctasks", "--quiet", "inspect", "--timeout=5", "--json")
    said = docker("exec", stack.containers("worker-batch")[0], *inspecting, "stats")
    return {
        name: sum(stats["total"].values())
        for name, stats in json.loads(said).items()
        if name.startswith("events@")
    }


def enough(before: dict[str, int], now: dict[str, int]) -> bool:
    return sum(now.values()) - sum(before.values()) >= TASKS


def scale(stack: Composed, containers: int) -> None:
    stack.place.did("compose", "up", "--detach", "--scale", f"worker-events={containers}")
    wait_until(lambda: len(tasks_done(stack)) == containers, 60, f"{containers} workers to answer")
