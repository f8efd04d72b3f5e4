"""A second worker takes its share of the load."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_celery import CeleryTestSetup, CeleryTestWorker, CeleryWorkerCluster

from synctasks.embedded.waiting import wait_until
from tests.acceptance.obstacles import MERGING, hurry, slow_down
from tests.docker.workers.arriving import all_arrives
from tests.docker.workers.containers import Worker
from tests.refreshing import add_records
from tests.rows import Connection, value

pytestmark = pytest.mark.usefixtures("listener")

CONCURRENCY = 2


@pytest.fixture
def default_worker_command() -> list[str]:
    return Worker.command(f"--concurrency={CONCURRENCY}")


@pytest.fixture
def celery_worker_cluster(
    celery_setup_worker: CeleryTestWorker, second_worker: CeleryTestWorker
) -> Iterator[CeleryWorkerCluster]:
    cluster = CeleryWorkerCluster(celery_setup_worker, second_worker)
    yield cluster
    cluster.teardown()


def test_two_workers_share_what_is_to_be_done(
    warehouse: Connection, citizen: Connection, celery_setup: CeleryTestSetup
) -> None:
    names = {worker.hostname() for worker in celery_setup.worker_cluster}
    assert len(names) == 2
    slow_down(citizen, 0.1)
    add_records(warehouse, 1, 200)
    wait_until(lambda: value(citizen, MERGING) > CONCURRENCY, 20, "more than one can do")
    hurry(citizen)
    all_arrives(warehouse, citizen, celery_setup.worker)
    drains = done(celery_setup, "drain.profile_data")
    assert drains.keys() == names
    assert min(drains.values()) >= 1, drains


def done(setup: CeleryTestSetup, task: str) -> dict[str, int]:
    """How many of a task each worker has taken, as `celery inspect stats` shows it."""
    told = setup.app.control.inspect(timeout=5).stats()
    return {name: stats["total"].get(task, 0) for name, stats in told.items()}
