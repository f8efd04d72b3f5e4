"""The points between a worker's steps, patched in from outside, and limits that cost no time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import pytest

from synctasks.database import Limits, Transaction
from synctasks.engine import lock, reconcile
from synctasks.engine.drain import Drain
from synctasks.engine.refresh import plan, runs
from synctasks.engine.refresh.chunk import Chunk
from tests.integration.machine.worker import current

Function = Callable[..., Any]

# In the order in which a drain, or a chunk, passes them.
CORRIDOR = (
    "lock wanted",
    "locked",
    "taken",
    "staged",
    "merged",
    "target committed",
    "settling",
    "settled",
)
# Around every transaction at the source: planning, claiming, handing on, starting, ending.
STEP = ("committing", "committed")

# Nobody else runs while a worker waits for a lock, so to wait is to wait in vain.
_LOCK_MS = 5
LIMITS = Limits(lock_ms=_LOCK_MS)
_ROWS = 2

# The package's `transaction` is the function, not its module.
_transactions: Any = import_module("synctasks.database.transaction")


def reach(point: str) -> None:
    """Where the thread is a worker's, it has come to a point."""
    worker = current()
    if worker is not None:
        worker.reach(point)


def around(before: str, function: Function, after: str) -> Function:
    """The function, with the point where it begins and the one where it has ended."""

    def wrapped(*arguments: Any, **more: Any) -> Any:
        reach(before)
        result = function(*arguments, **more)
        reach(after)
        return result

    return wrapped


def _settling(settle: Function) -> Function:
    """Between the target's commit and the end; `_committing` has the point within."""

    def wrapped(*arguments: Any) -> Any:
        reach("target committed")
        worker = current()
        if worker is not None:
            worker.settling = True
        result = settle(*arguments)
        if worker is not None:
            worker.settling = False
        reach("settled")
        return result

    return wrapped


def _committing(commit: Function) -> Function:
    def wrapped(transaction: Transaction) -> None:
        worker = current()
        at_source = worker is not None and transaction._place == worker.source
        if at_source:
            reach("settling" if worker is not None and worker.settling else "committing")
        commit(transaction)
        if at_source:
            reach("committed")

    return wrapped


def _noting(begin: Function) -> Function:
    """Whose transaction it is, as it begins."""

    def wrapped(transaction: Transaction, cursor: Any, place: str, *more: Any) -> None:
        worker = current()
        if worker is not None:
            worker.use(place, cursor.connection)
        begin(transaction, cursor, place, *more)

    return wrapped


@contextmanager
def points() -> Iterator[None]:
    """Within the block, workers come to the points; nobody waits long; a run has many steps."""
    with pytest.MonkeyPatch.context() as patch:
        for work in (Drain, Chunk):
            patch.setattr(work, "enter", around("lock wanted", work.enter, "locked"))
            patch.setattr(work, "take", around("to be taken", work.take, "taken"))
            patch.setattr(work, "settle", _settling(work.settle))
        staged = around("staged", reconcile.merge_staged, "merged")
        patch.setattr(reconcile, "merge_staged", staged)
        patch.setattr(Transaction, "commit", _committing(Transaction.commit))
        patch.setattr(Transaction, "__init__", _noting(Transaction.__init__))
        begin = _transactions._BEGIN.replace("{lock_ms}", str(_LOCK_MS))
        patch.setattr(_transactions, "_BEGIN", begin)
        patch.setattr(reconcile, "_PART_LOCK_MS", _LOCK_MS)
        patch.setattr(lock, "LOCK_WAIT_MS", 1)
        patch.setattr(lock, "_TRIES", 1)
        patch.setattr(lock, "_PAUSE_SECONDS", 0)
        patch.setattr(plan, "_RANGE_ROWS", _ROWS)
        patch.setattr(plan, "_FIRST_RANGE_ROWS", _ROWS)
        patch.setattr(runs, "_CHUNK_ROWS", range(_ROWS, _ROWS + 1))
        yield
