"""Reconcile: the one way to write to a target.

Events, refreshes, replays and repairs differ only in where the keys come from (a `Work`). The
five steps and their order are what the promises rest on; see docs/architecture.md.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

from synctasks.bind import bound
from synctasks.database import Limits, Transaction, transaction
from synctasks.engine.batch import Batch
from synctasks.engine.books import Books
from synctasks.engine.stage import carry
from synctasks.errors import MissingColumn
from synctasks.flow import Flow

Taken = TypeVar("Taken")


class Work(Protocol[Taken]):
    """Where keys come from, and what to do about them once they are reconciled."""

    limits: Limits

    def enter(self, target: Transaction) -> int | None:
        """Step 1: take a lane in the target and return it; None if there is none to take."""

    def take(self, lane: int) -> tuple[Taken, Batch] | None:
        """Step 2, a source transaction of its own: read what is to be done in the lane."""

    def settle(self, lane: int, taken: Taken, books: Books) -> bool:
        """Step 5, one source transaction: forget what was done. True if changes are pending."""


@dataclass(frozen=True)
class Done:
    """A batch was reconciled: in which lane, and whether changes are pending there."""

    lane: int
    pending: bool


def reconcile(flow: Flow, work: Work[Taken]) -> Done | None:
    """Do one batch of work; None if there was nothing to do.

    Dying before the target's commit changes nothing; dying before `settle` repeats work that
    then writes nothing. Raises SynctasksError.
    """
    with transaction(flow.target.database, work.limits, by_key=True) as target:
        lane = work.enter(target)
        if lane is None:
            return None
        found = work.take(lane)
        if found is None:
            return None
        taken, batch = found
        with (
            _fresh_binding(),
            transaction(flow.source.database, work.limits, snapshot=True, by_key=True) as source,
        ):
            books = carry(bound(flow), batch, source, target)
    return Done(lane, work.settle(lane, taken, books))


@contextlib.contextmanager
def _fresh_binding() -> Iterator[None]:
    """A column that vanished is looked for again at the next try."""
    try:
        yield
    except MissingColumn:
        bound.cache_clear()
        raise
