"""Explain: why a record is or is not at the target. Nothing is written, nor asked for.

It looks as a reconcile does, under the lane's lock and at one snapshot of the source, and lets a
dry one say what would happen now. Only where the target has refused the unit before it is tried
for real, and undone, as `dead-letters check` does. What a person may see of the rows is decided in
`synctasks.shown`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from synctasks.bind import bound
from synctasks.database import CHUNK, Transaction, transaction
from synctasks.engine import lanes, lock
from synctasks.engine.batch import Batch
from synctasks.engine.books import Books
from synctasks.engine.explain import marks, source, target
from synctasks.engine.explain.facts import BOXES, Facts
from synctasks.engine.explain.sentence import Conclusion, conclude
from synctasks.engine.explain.source import Record
from synctasks.engine.explain.target import Rows
from synctasks.engine.reconcile import count
from synctasks.engine.trial import trial
from synctasks.errors import LaneBusy, RowError
from synctasks.flow import Flow

__all__ = ["Conclusion", "Explanation", "explain"]

# Where the target may refuse what the contract lets pass.
_WOULD_WRITE = ("missing", "different", "extra")


@dataclass(frozen=True)
class Explanation:
    """All that is known of a unit, and what it comes to."""

    facts: Facts
    conclusion: Conclusion


def explain(flow: Flow, lane_count: int, key: str, *, most: int = 20) -> Explanation:
    """Look at a unit: some of its records (so many at most), all that stands about it.

    Raises SynctasksError.
    """
    flow = bound(flow)
    [(lane, _)] = lanes.by_lane(flow, lane_count, [key])
    facts = _look(flow, lane, key, most)
    if _may_be_refused(facts):
        facts = replace(facts, books=_tried(facts, trial(flow, lane_count, [key])))
    return Explanation(facts, conclude(facts))


def _look(flow: Flow, lane: int, key: str, most: int) -> Facts:
    with transaction(flow.target.database, CHUNK, by_key=not flow.scans) as at_target:
        is_free = _lock(at_target, flow, lane)
        with transaction(flow.source.database, CHUNK, snapshot=True, by_key=True) as at_source:
            books = _count(flow, key, at_source, at_target)
            found = marks.read(flow, lane, key, most, at_source)
            records = source.read(flow, key, _first(books, most), most, at_source)
        rows = target.read(flow, key, records, most, at_target)
        details = {each.name: _details(flow, each, rows, at_target) for each in records}
    return Facts(flow, key, books, found, records, details, rows, is_busy=not is_free)


def _lock(at_target: Transaction, flow: Flow, lane: int) -> bool:
    """Take the lane; where others hold it all the time, look all the same, and say so."""
    with contextlib.suppress(LaneBusy):
        lock.wait_long_for(at_target, flow, lane)
        return True
    return False


def _count(flow: Flow, key: str, at_source: Transaction, at_target: Transaction) -> Books:
    """What a reconcile would do; nothing, where the row itself makes it fail."""
    try:
        with at_source.savepoint(), at_target.savepoint():
            return count(flow, Batch([key]), at_source, at_target)
    except RowError as error:
        return _failing(error)


def _failing(error: RowError) -> Books:
    books = Books()
    books.put("failing", [str(error)])
    return books


def _may_be_refused(facts: Facts) -> bool:
    """Whether only a trial can say what would happen: the target has refused the unit before.

    Where workers died of it, nobody tries.
    """
    kinds = {letter["kind"] for letter in facts.marks.letters}
    would_write = any(facts.books.found[box] for box in _WOULD_WRITE)
    return bool(facts.books.found["failing"] or (would_write and kinds == {"record"}))


def _tried(facts: Facts, tried: Books) -> Books:
    """The books of a trial where it says more than the dry ones."""
    if facts.books.found["failing"]:
        tried.put("different", *tried.take_out_named("written"))
        return tried
    is_refused = tried.found["rejected"] > facts.books.found["rejected"]
    return tried if is_refused else facts.books


def _first(books: Books, most: int) -> Sequence[str] | None:
    """The records that need attention first; None where nobody knows their names."""
    if books.found["failing"]:
        return None
    named = (name for box in BOXES if box != "extra" for name in books.records.get(box, ()))
    return list(dict.fromkeys(named))[:most]


def _details(flow: Flow, record: Record, rows: Rows, at_target: Transaction) -> dict[str, Any]:
    """What the target says of a record."""
    if not record.in_scope:
        return {"references": [], "conflict": None}
    found = target.references(flow, record, rows, at_target)
    return {
        "references": found,
        "conflict": target.conflict(flow, record, found, rows, at_target),
    }
