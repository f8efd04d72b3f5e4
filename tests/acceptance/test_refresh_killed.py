"""A full run whose worker is killed with -9 at any point is carried on, and its books are right."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from synctasks.embedded.waiting import wait_until
from tests.acceptance.system import START_SECONDS, Program, System
from tests.refreshing import add_records, run_of, unseen
from tests.rows import execute, rows, value

RECORDS = 2_000
WORKER = ("celery", "-A", "tests.acceptance.dying", "worker", "--without-gossip", "--loglevel=INFO")

POINTS = (
    "run started",
    "source about to be planned",
    "source planned",
    "range claimed",
    "range compared",
    "range settled",
    "source chunk taken",
    "chunk staged",
    "source chunk committed",
    "source chunk settled",
    "guard planned",
    "target planned",
    "target chunk taken",
    "target chunk committed",
    "finish about to be planned",
    "finish planned",
)

_SPOIL = """\
UPDATE profile_data SET city = 'Atlantis' WHERE record_id LIKE '%3';
DELETE FROM profile_data WHERE record_id LIKE '%5';
INSERT INTO profile_data (record_id)
SELECT record_id || '+'
FROM profile_data
WHERE record_id LIKE '%7';
"""
_LAST = "SELECT max(id) FROM synctasks.run"
_ENDED = "SELECT count(*) FROM synctasks.run WHERE finished_at IS NOT NULL AND id > %s"
# A claim expires after ten seconds; what is claimed now is as good as expired.
_EXPIRE = """\
UPDATE synctasks.chunk
SET claimed_at = claimed_at - interval '10 seconds'
WHERE finished_at IS NULL AND claimed_at IS NOT NULL
"""


class Doomed:
    """A worker whose child dies once where it is told to."""

    def __init__(self, worker: Program, order: Path) -> None:
        self.worker = worker
        self._order = order
        self._done = order.with_suffix(".done")

    def tell(self, point: str) -> None:
        """Let the next process die that reaches the point."""
        self._done.unlink(missing_ok=True)
        # In one step: a worker reads it all the time.
        draft = self._order.with_suffix(".draft")
        draft.write_text(point)
        draft.rename(self._order)

    def await_death(self) -> None:
        """Return when it has happened."""
        wait_until(self._done.exists, 20, "the point to be reached")


@pytest.fixture(scope="module")
def doomed(installed: System) -> Iterator[Doomed]:
    """Records on both sides, a listener, and only this worker."""
    installed.renew()
    installed.kill("worker")
    order = installed.home / "order"
    installed.ways["DYING_AT"] = str(order)
    worker = installed.start_program("dying worker", WORKER)
    try:
        wait_until(lambda: " ready." in worker.words(), START_SECONDS, "the worker")
        with installed.warehouse() as warehouse, unseen(warehouse):
            add_records(warehouse, 1, RECORDS)
        yield Doomed(worker, order)
    finally:
        worker.kill()
        del installed.ways["DYING_AT"]


@pytest.mark.parametrize("point", POINTS)
def test_a_run_is_carried_on_where_its_worker_was_killed(
    installed: System, doomed: Doomed, point: str
) -> None:
    with installed.warehouse() as warehouse, installed.citizen() as citizen:
        execute(citizen, _SPOIL)
        last = value(warehouse, _LAST) or 0
        doomed.tell(point)
        installed.send("sync.profile_data", "control")
        doomed.await_death()
        execute(warehouse, _EXPIRE)
        wait_until(lambda: value(warehouse, _ENDED, [last]) > 0, 30, "the run to end")
        [number] = rows(warehouse, "SELECT id FROM synctasks.run WHERE id > %s", [last])
        run = run_of(warehouse, number)
    assert (run["state"], run["read"]) == ("succeeded", RECORDS), doomed.worker.words()[-2_000:]
    assert run["written"] + run["unchanged"] == RECORDS
    assert run["planned"] == RECORDS, "no page was planned twice"
    installed.agree()
