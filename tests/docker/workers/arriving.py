"""Whether everything has arrived, and whether a container lived through it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pytest_celery import CeleryTestWorker

from synctasks.embedded.waiting import wait_until
from tests import oracle
from tests.acceptance.system import UNSETTLED
from tests.logs import events
from tests.rows import Connection, rows, value

OPEN_LETTERS = "SELECT count(*) FROM synctasks.dead_letter WHERE state = 'open'"


def all_arrives(warehouse: Connection, citizen: Connection, worker: CeleryTestWorker) -> None:
    """Assert that soon nothing is pending, and that the portal holds what it must hold."""
    both = (warehouse, citizen)
    try:
        wait_until(
            lambda: all(rows(each, UNSETTLED) == [(0, 0)] for each in both), 60, "all to arrive"
        )
    except TimeoutError as error:
        raise AssertionError(f"{error}\n{worker.logs()[-3000:]}") from error
    difference = oracle.profile_data(warehouse, citizen)
    assert not difference, f"the sides disagree: {difference}"


def no_letters(*sides: Connection) -> bool:
    """Whether no dead letter is open."""
    return not any(value(each, OPEN_LETTERS) for each in sides)


@contextmanager
def the_same(worker: CeleryTestWorker) -> Iterator[None]:
    """The worker lives through the block, and meets nothing there that surprises it."""
    worker.container.reload()
    before = _life(worker)
    said = len(worker.logs())
    yield
    worker.container.reload()
    words = worker.logs()[said:]
    assert _life(worker) == before, words[-3000:]
    assert not events(words, "task.mistaken")


def _life(worker: CeleryTestWorker) -> tuple[str, str, int]:
    attributes = worker.container.attrs
    state = attributes["State"]
    return state["Status"], state["StartedAt"], attributes["RestartCount"]
