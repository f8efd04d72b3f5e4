"""Trial: would these units pass now? They are reconciled for real, and all of it is undone."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from synctasks.database import DRAIN, transaction
from synctasks.engine import lanes, lock
from synctasks.engine.batch import Batch
from synctasks.engine.books import Books
from synctasks.engine.reconcile import attempt
from synctasks.errors import SynctasksError
from synctasks.flow import Flow

_KEYS_AT_ONCE = 100


class _Undone(SynctasksError):
    """Rolls the trial back."""


def trial(flow: Flow, lane_count: int, keys: Sequence[str]) -> Books:
    """What would become of the keys, by name. Raises LaneBusy, SynctasksError."""
    books = Books()
    for lane, in_lane in lanes.by_lane(flow, lane_count, keys):
        rest = iter(in_lane)
        while some := list(islice(rest, _KEYS_AT_ONCE)):
            books.add(_try(flow, lane, some))
    return books


def _try(flow: Flow, lane: int, keys: Sequence[str]) -> Books:
    books = Books()
    try:
        with transaction(flow.target.database, DRAIN, by_key=not flow.scans) as target:
            lock.wait_long_for(target, flow, lane)
            with transaction(flow.source.database, DRAIN, snapshot=True, by_key=True) as source:
                books = attempt(flow, Batch(keys), source, target)
            raise _Undone
    except _Undone:
        return books
