"""Verify: the truth about both sides, found by reconcile with its writes turned into counts.

Ranges that agree are done with after their digests. Every other key is looked at under its
lane's lock, and what is pending or marked is read in the snapshot of its source row: so nothing
that is merely on its way is called a difference, however busy the system.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from synctasks import sql
from synctasks.bind import bound
from synctasks.database import CHUNK, Transaction, array, transaction
from synctasks.engine import compare, lanes, likeness, lock, walk
from synctasks.engine.batch import Batch
from synctasks.engine.books import Books
from synctasks.engine.likeness import Prefilter
from synctasks.engine.reconcile import count
from synctasks.engine.walk import Range
from synctasks.flow import Absent, Flow
from synctasks.rounds import Phase, Place

CLASSES = (
    "matched",
    "missing",
    "extra",
    "different",
    "deferred",
    "waiting",
    "superseded",
    "in_flight",
    "dead_lettered",
)
#: What is neither explained by a mark nor on its way.
WRONG = ("missing", "extra", "different")

_RANGE_ROWS = 20_000
_KEYS_AT_ONCE = 500

# What explains a difference, the strongest last.
_MARKS = """\
SELECT dead_letter.unit, dead_letter.record, 'dead_lettered'
FROM synctasks.dead_letter
WHERE flow = %(flow)s AND state <> 'resolved' AND unit = ANY (%(keys)s::text[])
UNION ALL
SELECT waiting.unit, waiting.record, 'waiting'
FROM synctasks.waiting
WHERE flow = %(flow)s AND unit = ANY (%(keys)s::text[])
UNION ALL
SELECT deferred.key, NULL, 'deferred'
FROM synctasks.deferred
WHERE flow = %(flow)s AND key = ANY (%(keys)s::text[])
UNION ALL
SELECT held.key, NULL, 'in_flight'
FROM synctasks.held
WHERE flow = %(flow)s AND key = ANY (%(keys)s::text[])
UNION ALL
SELECT change.key, NULL, 'in_flight'
FROM synctasks.change_log AS change
WHERE flow = %(flow)s AND lane = %(lane)s AND key = ANY (%(keys)s::text[])
"""

_AT_TARGET = """\
SELECT target.{key}::text
FROM unnest(%(keys)s::text[]) AS wanted (key)
JOIN {table} AS target ON target.{key} = wanted.key::{key_type}
"""


@dataclass
class Verified:
    """How many records are in each class so far, how many keys were looked at, what is next."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CLASSES, 0))
    looked_at: int = 0
    next: Place | None = field(default_factory=Place)

    @property
    def wrong(self) -> int:
        """How many records differ without being on their way, or marked."""
        return sum(self.counts[each] for each in WRONG)


class _Marks:
    """What explains that a record differs: something of its unit, or of itself."""

    def __init__(self, flow: Flow, found: Iterable[tuple[str, str | None, str]]) -> None:
        self._of_units: dict[str, str] = {}
        self._of_records: dict[str, str] = {}
        for unit, record, mark in found:
            if record is None or record == unit or flow.source.query is None:
                self._of_units[unit] = mark
            else:
                self._of_records[record] = mark

    def of(self, unit: str, record: str) -> str | None:
        """The strongest mark, or None."""
        return self._of_units.get(unit) or self._of_records.get(record)


def size(flow: Flow) -> int:
    """About how many records there are to look at; 0 if nobody knows."""
    with transaction(flow.source.database) as source:
        return walk.source_size(flow, source)[0]


def verify(
    flow: Flow,
    lane_count: int,
    *,
    found: Callable[[Sequence[str]], None] = lambda keys: None,
    so_far: Verified | None = None,
    range_rows: int | None = None,
) -> Iterator[Verified]:
    """Look at every record of the flow; yields the counts so far after each range.

    `found` is told the keys of what is wrong, a few hundred at a time. `so_far` is what an earlier
    look came to, which is taken up where it ended. Raises SynctasksError.
    """
    so_far = so_far or Verified()
    return _Verifier(bound(flow), lane_count, found, so_far, range_rows or _RANGE_ROWS).run()


class _Verifier:
    def __init__(
        self,
        flow: Flow,
        lane_count: int,
        found: Callable[[Sequence[str]], None],
        so_far: Verified,
        range_rows: int,
    ) -> None:
        self._flow = flow
        self._lane_count = lane_count
        self._found = found
        self._so_far = so_far
        self._range_rows = range_rows

    def run(self) -> Iterator[Verified]:
        with (
            transaction(self._flow.source.database) as source,
            transaction(self._flow.target.database) as target,
        ):
            how = likeness.prefilter(self._flow, source, target)
        while self._so_far.next:
            self._so_far.next = self._look(self._so_far.next, how)
            yield self._so_far

    def _look(self, place: Place, how: Prefilter) -> Place | None:
        """Look at what is next; returns what is next then."""
        if place.phase is Phase.SOURCE:
            return self._look_at_range(place.low, how)
        if place.phase is Phase.TARGET:
            low = self._look_for_extras(Range(place.low, place.high), how)
            return self._after(place.high) if low is None else replace(place, low=low)
        if self._flow.source.key_nullable and self._has_keyless():
            self._look_at([""])
        return None

    def _look_at_range(self, low: str | None, how: Prefilter) -> Place:
        low = walk.start(self._flow) if low is None else low
        with transaction(self._flow.source.database, CHUNK, by_key=True) as source:
            high = walk.source_bound(self._flow, low, self._range_rows, source)
        extras = self._compare(Range(low, high), how)
        if self._flow.absent is not Absent.KEEP:
            if how is Prefilter.RANGES and extras:
                return Place(Phase.TARGET, low, high)
            if how is not Prefilter.RANGES and high is None:
                # Its keys are in another order: all of them at the end.
                return Place(Phase.TARGET)
        return self._after(high)

    @staticmethod
    def _after(high: str | None) -> Place:
        """What is next where everything up to a key has been looked at."""
        return Place(Phase.FINISH) if high is None else Place(low=high)

    def _compare(self, part: Range, how: Prefilter) -> bool:
        """Compare a range, look at what is not alike; whether the target may hold other keys."""
        if how is Prefilter.NONE:
            with transaction(self._flow.source.database, CHUNK, by_key=True) as source:
                keys = walk.source_keys(self._flow, part, source)
            self._look_at(keys)
            return True
        with (
            transaction(self._flow.source.database, CHUNK, snapshot=True, by_key=True) as source,
            transaction(self._flow.target.database, CHUNK, snapshot=True, by_key=True) as target,
        ):
            compared = compare.compare(self._flow, part, how, source, target)
            keys = compared.keys(source)
        self._so_far.counts["matched"] += compared.agreeing
        self._so_far.looked_at += compared.agreeing + compared.filtered
        self._look_at(keys)
        return compared.extras is not False

    def _look_for_extras(self, part: Range, how: Prefilter) -> str | None:
        """Look at some keys that only the target has; returns where to go on, None at the end."""
        # Without a prefilter what is out of scope has been looked at like everything else.
        at_all = how is Prefilter.NONE
        with transaction(self._flow.target.database, CHUNK, snapshot=True, by_key=True) as target:
            page = walk.target_page(self._flow, part, self._range_rows, target)
        with transaction(self._flow.source.database, CHUNK, by_key=True) as source:
            only_there = walk.not_in_source(self._flow, page, source, at_all=at_all)
        self._look_at(only_there, counted=False)
        return None if page.is_last else page.last

    def _has_keyless(self) -> bool:
        with transaction(self._flow.source.database) as source:
            return bool(source.value(walk.keyless_sql(self._flow)))

    def _look_at(self, keys: Sequence[str], *, counted: bool = True) -> None:
        """Look at keys one by one, lane by lane."""
        if not keys:
            return
        for lane, in_lane in lanes.by_lane(self._flow, self._lane_count, keys):
            size = self._flow.at_once or _KEYS_AT_ONCE
            for start in range(0, len(in_lane), size):
                self._look_under_lock(lane, in_lane[start : start + size])
        self._so_far.looked_at += len(keys) if counted else 0

    def _look_under_lock(self, lane: int, keys: Sequence[str]) -> None:
        by_key = not self._flow.scans
        with transaction(self._flow.target.database, CHUNK, by_key=by_key) as target:
            lock.wait_long_for(target, self._flow, lane)
            with transaction(
                self._flow.source.database, CHUNK, snapshot=True, by_key=True
            ) as source:
                books = count(self._flow, Batch(keys), source, target)
                wanted = {"flow": self._flow.name, "lane": lane, "keys": array(keys)}
                marks = _Marks(self._flow, source.rows(_MARKS, wanted))
            there = self._at_target(books, target)
        self._tell(books, marks, there)

    def _at_target(self, books: Books, target: Transaction) -> frozenset[str]:
        """Those of the rejected units that the target holds a row of."""
        rejected = books.keys.get("rejected", [])
        if not rejected or self._flow.source.query:
            return frozenset()
        statement = _AT_TARGET.format(
            key=sql.name(self._flow.target.key),
            table=sql.name(self._flow.target.table),
            key_type=self._flow.key_column.type,
        )
        rows = target.rows(statement, {"keys": array(rejected)})
        return frozenset(key for (key,) in rows)

    def _tell(self, books: Books, marks: _Marks, there: frozenset[str]) -> None:
        counts, wrong = self._so_far.counts, []
        counts["matched"] += len(books.keys.get("unchanged", ()))
        counts["superseded"] += len(books.keys.get("superseded", ()))
        for box in (*WRONG, "rejected", "waiting"):
            for key, record in books.named(box):
                # A rejected record without its dead letter is as wrong as one that is not there.
                seen = box if box != "rejected" else "different" if key in there else "missing"
                explained = marks.of(key, record) or seen
                counts[explained] += 1
                if explained in WRONG:
                    wrong.append(key)
        if wrong:
            self._found(wrong)
