"""Reconcile: the one way to write to a target.

Events, refreshes, replays and repairs differ only in where the keys come from (a `Work`). The
five steps and their order are what the promises rest on; see docs/architecture.md.
"""

from __future__ import annotations

import contextlib
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from synctasks.bind import bound
from synctasks.database import Limits, Transaction, transaction
from synctasks.engine.absent import let_go
from synctasks.engine.batch import Batch
from synctasks.engine.books import Books
from synctasks.engine.identity import living_on
from synctasks.engine.judge import guilty, judge, refused
from synctasks.engine.locked import locked
from synctasks.engine.resolve import TANGLED, refusals
from synctasks.engine.stage import merge_staged, stage
from synctasks.errors import LockTimeout, MissingColumn, RowError
from synctasks.flow import Flow

Taken = TypeVar("Taken")

# Somebody holds locks: a lane that waited long for each of them would hold up all its other keys.
_PART_LOCK_MS = 50
_PARTS_SECONDS = 1.0


class Work(Protocol[Taken]):
    """Where keys come from, and what to do about them once they are reconciled."""

    limits: Limits

    def enter(self, target: Transaction) -> int | None:
        """Step 1: take a lane in the target and return it; None if there is none to take."""

    def take(self, lane: int) -> tuple[Taken, Batch] | None:
        """Step 2, a source transaction of its own: read what is to be done in the lane."""

    def held(
        self, absent: Sequence[str], source: Transaction, target: Transaction
    ) -> Sequence[str]:
        """Those of the keys absent at the source whose removal must not happen now."""

    def settle(self, lane: int, taken: Taken, books: Books) -> bool:
        """Step 5, one source transaction: forget what was done. True if changes are pending."""


@dataclass(frozen=True)
class Done:
    """A batch was reconciled: in which lane, and whether changes are pending there."""

    lane: int
    pending: bool


# How a batch is worked: at once, or in parts where a row of it is at fault.
_Way = Callable[["_Corridor", Batch], Books]


def reconcile(flow: Flow, work: Work[Taken]) -> Done | None:
    """Do one batch of work; None if there was nothing to do.

    Dying before the target's commit changes nothing; dying before `settle` repeats work that
    then writes nothing. Where a row makes the batch fail, the work is taken once more, in parts,
    until the guilty row stands alone and is rejected, or the one that somebody else has locked
    is left for later. Raises SynctasksError.
    """
    try:
        return _attempt(flow, work, _whole)
    except RowError:
        return _attempt(flow, work, _part_by_part)
    except LockTimeout:
        return _attempt(flow, work, _around_locks)


def _attempt(flow: Flow, work: Work[Taken], way: _Way) -> Done | None:
    with transaction(flow.target.database, work.limits, by_key=not flow.scans) as target:
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
            books = way(_Corridor(bound(flow), work, source, target), batch)
    return Done(lane, work.settle(lane, taken, books))


def count(flow: Flow, batch: Batch, source: Transaction, target: Transaction) -> Books:
    """What reconciling the batch would do, by the same steps: nothing is written.

    The caller holds the lane and the snapshot. Raises SynctasksError.
    """
    with _fresh_binding():
        corridor = _Corridor(bound(flow), _Nobody(), source, target)
        return _whole(corridor, replace(batch, dry=True))


def attempt(flow: Flow, batch: Batch, source: Transaction, target: Transaction) -> Books:
    """Reconcile the batch in parts; the caller holds the lane and the snapshot, and settles."""
    with _fresh_binding():
        return _part_by_part(_Corridor(bound(flow), _Nobody(), source, target), batch)


class _Guard(Protocol):
    """The part of a work that may hold removals back."""

    def held(
        self, absent: Sequence[str], source: Transaction, target: Transaction
    ) -> Sequence[str]: ...


class _Nobody:
    """Holds nothing back: what comes of it is counted, or undone."""

    def held(
        self, absent: Sequence[str], source: Transaction, target: Transaction
    ) -> Sequence[str]:
        return ()


@dataclass(frozen=True)
class _Corridor:
    """The rooms in their order, for one snapshot and one target transaction."""

    flow: Flow
    guard: _Guard
    source: Transaction
    target: Transaction

    def walk(self, batch: Batch) -> Books:
        """Remove what is gone, write what differs, judge what failed the gate."""
        staged = stage(self.flow, batch, self.source, self.target)
        held = self._held(staged.absent)
        going = self._going(staged.absent, held)
        books = merge_staged(self.flow, batch, staged, going, self.target)
        # What a wide unit no longer has shows only now.
        books.put("held", self._let_go(batch, books) if self.flow.wide else held)
        self._refuse(books)
        for key in self._in_order(batch, books.take_out(TANGLED)):
            books.add(self.walk(batch.only(key)))
        self._judge(batch, books)
        return books

    def _judge(self, batch: Batch, books: Books) -> None:
        """Let the contract decide about what failed the gate, and write what it accepts."""
        books.take_out("refused")
        books.take_out("refused_outranked")
        undecided = books.take_out("undecided")
        to_judge = books.named("judge")
        books.take_out("judge")
        if not to_judge:
            return
        accepted, letters = judge(self.flow, to_judge, self.source)
        books.reject(letters)
        if self.flow.target.best:
            units = [*undecided, *(key for key, _ in to_judge)]
            books.add(self.walk(batch.decided(accepted, units)))
        elif accepted:
            books.add(self.walk(batch.judged_valid(accepted)))

    def _let_go(self, batch: Batch, books: Books) -> list[str]:
        """Remove what wide units no longer have; the units of which that is held back.

        A batch that removes nothing leaves it in the books.
        """
        if not batch.remove:
            return []
        keys, places = books.take_out_named("leftover")
        held = self._held(list(dict.fromkeys(keys)))
        pairs = zip(keys, places, strict=True)
        going = [(key, place) for key, place in pairs if key not in frozenset(held)]
        if going:
            books.put("removed", let_go(self.flow, going, self.target))
        return held

    def _refuse(self, books: Books) -> None:
        """Reject what the target cannot take as it is."""
        for box, (column, said) in refusals(self.flow).items():
            pairs = books.named(box)
            books.take_out(box)
            if pairs:
                books.reject(refused(self.flow, pairs, column, said, self.source))

    def _in_order(self, batch: Batch, keys: Sequence[str]) -> list[str]:
        """Some of the batch's keys, in the order in which they were changed."""
        some = frozenset(keys)
        return [key for key in batch.keys if key in some] if some else []

    def _held(self, absent: Sequence[str]) -> list[str]:
        return list(self.guard.held(absent, self.source, self.target)) if absent else []

    def _going(self, absent: Sequence[str], held: Sequence[str]) -> list[str]:
        """The absent keys whose target rows go now."""
        if not absent:
            return []
        spared = {*held, *living_on(self.flow, absent, self.source, self.target)}
        return [key for key in absent if key not in spared]


def _whole(corridor: _Corridor, batch: Batch) -> Books:
    return corridor.walk(batch)


def _around_locks(corridor: _Corridor, batch: Batch) -> Books:
    """Without the rows that somebody else has locked; what locks are left is found in parts."""
    corridor.target.wait_for_locks(_PART_LOCK_MS)
    books = Books()
    with contextlib.suppress(LockTimeout), corridor.target.savepoint():
        books.put("locked", locked(corridor.flow, batch.keys, corridor.target))
    free = batch.without(books.keys.get("locked", ()))
    if free.keys:
        books.add(_part_by_part(corridor, free))
    return books


def _part_by_part(corridor: _Corridor, batch: Batch) -> Books:
    """In parts; nobody waits long for locks now, and not for many of them."""
    corridor.target.wait_for_locks(_PART_LOCK_MS)
    return _in_parts(corridor, batch, until=time.monotonic() + _PARTS_SECONDS)


def _in_parts(corridor: _Corridor, batch: Batch, until: float) -> Books:
    """Halve what fails: one guilty row among n costs about 2 log2(n) more passes."""
    books = Books()
    try:
        with corridor.source.savepoint(), corridor.target.savepoint():
            return corridor.walk(batch)
    except RowError as error:
        if len(batch.keys) == 1:
            trace = "".join(traceback.format_exception(error))
            books.reject([guilty(corridor.flow, batch.keys[0], error, trace, corridor.source)])
            return books
    except LockTimeout:
        if len(batch.keys) == 1 or time.monotonic() > until:
            books.put("locked", batch.keys)
            return books
    for half in batch.halves():
        books.add(_in_parts(corridor, half, until))
    return books


@contextlib.contextmanager
def _fresh_binding() -> Iterator[None]:
    """A column that vanished is looked for again at the next try."""
    try:
        yield
    except MissingColumn:
        bound.cache_clear()
        raise
