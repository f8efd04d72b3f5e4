"""A worker's container killed with -9 in the middle of its work: nothing is lost or doubled."""

from __future__ import annotations

import pytest
from pytest_celery import CeleryTestSetup, CeleryTestWorker

from synctasks.embedded.waiting import wait_until
from tests.acceptance.obstacles import MERGING, hurry, slow_down
from tests.docker.workers.arriving import all_arrives, no_letters
from tests.refreshing import add_records, run_of, unseen
from tests.rows import Connection, rows, value

pytestmark = pytest.mark.usefixtures("listener")

RECORDS = 100
ROW_SECONDS = 0.1
KILLED = 128 + 9

_CHUNKS = """\
SELECT count(*) FROM synctasks.chunk WHERE claimed_at IS NOT NULL AND finished_at IS NULL
"""
_BOOKS = """\
SELECT sum(taken)::int, sum(read)::int
FROM synctasks.history
WHERE flow !~ '^heartbeat'
"""


def test_a_worker_killed_in_the_middle_of_a_chunk_goes_on_when_it_is_started_again(
    warehouse: Connection, citizen: Connection, celery_setup: CeleryTestSetup
) -> None:
    with unseen(warehouse):
        add_records(warehouse, 1, RECORDS)
    slow_down(citizen, ROW_SECONDS)
    celery_setup.app.send_task("sync.profile_data")
    wait_until(lambda: value(citizen, MERGING) >= 1, 20, "a chunk at work")
    assert value(warehouse, _CHUNKS) >= 1
    kill(celery_setup.worker)
    assert arrived(citizen) < RECORDS
    hurry(citizen)
    celery_setup.worker.restart()
    all_arrives(warehouse, citizen, celery_setup.worker)
    [number] = rows(warehouse, "SELECT id FROM synctasks.run")
    run = run_of(warehouse, number)
    assert (run["state"], run["planned"], run["read"]) == ("succeeded", RECORDS, RECORDS)
    assert run["written"] + run["unchanged"] == RECORDS
    assert no_letters(warehouse, citizen)


def test_another_worker_goes_on_where_one_was_killed_in_the_middle_of_a_drain(
    warehouse: Connection,
    citizen: Connection,
    celery_setup: CeleryTestSetup,
    request: pytest.FixtureRequest,
) -> None:
    slow_down(citizen, ROW_SECONDS)
    add_records(warehouse, 1, RECORDS)
    wait_until(lambda: value(citizen, MERGING) >= 2, 20, "drains at work")
    kill(celery_setup.worker)
    assert arrived(citizen) < RECORDS
    hurry(citizen)
    another: CeleryTestWorker = request.getfixturevalue("second_worker")
    all_arrives(warehouse, citizen, another)
    assert celery_setup.worker.container.status == "exited"
    assert value(warehouse, _BOOKS) == (RECORDS, RECORDS), "repeated work is counted once"
    assert no_letters(warehouse, citizen)


def kill(worker: CeleryTestWorker) -> None:
    """SIGKILL for the whole container."""
    worker.kill()
    wait_until(lambda: ended(worker), 10, "the container's end")
    assert worker.container.attrs["State"]["ExitCode"] == KILLED


def ended(worker: CeleryTestWorker) -> bool:
    worker.container.reload()
    return bool(worker.container.status == "exited")


def arrived(citizen: Connection) -> int:
    found: int = value(citizen, "SELECT count(*) FROM profile_data")
    return found
