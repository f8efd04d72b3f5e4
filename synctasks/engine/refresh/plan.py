"""Planning: pages of the source's keys become ranges to compare; then the target is walked.

Each page is one short transaction in which the run's cursor moves, so a planner that dies is
carried on by the next worker where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from synctasks.database import CHUNK, Transaction, transaction
from synctasks.engine import walk
from synctasks.engine.likeness import Prefilter
from synctasks.engine.refresh import runs, volume
from synctasks.engine.refresh.hand_on import ALONE, hand_on
from synctasks.engine.refresh.runs import Standing
from synctasks.engine.walk import Range
from synctasks.flow import Absent, Flow

_RANGE_ROWS = 20_000
_RANGES_A_PAGE = 4
# The first ranges are short: they tell whether comparing is worth it at all.
_FIRST_RANGE_ROWS = 2_000

# SKIP LOCKED: while another worker plans a page, this one has chunks to work on.
_RUN = """\
SELECT cursor_key, cursor_range, accepts_shrink
FROM synctasks.run
WHERE id = %(run)s AND state = 'running' AND phase = %(phase)s
FOR NO KEY UPDATE SKIP LOCKED
"""

# Numbers go on from the run's last chunk.
_ADD_RANGE = """\
INSERT INTO synctasks.chunk (run, number, phase, low, high, size)
SELECT %(run)s, coalesce(max(number), 0) + 1, 'range', %(low)s, %(high)s, %(size)s
FROM synctasks.chunk
WHERE run = %(run)s
"""

# Records without a key have a unit of their own; so have those that had none at the last run.
_KEYLESS = """\
SELECT '' AS key
WHERE ({is_there})
    OR EXISTS (
        SELECT
        FROM synctasks.dead_letter
        WHERE flow = %(flow)s AND unit = '' AND state <> 'resolved'
    )
"""

# Removals that are held wait for somebody's word, in a full run, too.
_NOT_HELD = """\
SELECT gone.key
FROM (
{gone}
) AS gone
WHERE NOT EXISTS (
    SELECT
    FROM synctasks.held
    WHERE held.flow = %(flow)s AND held.key = gone.key
)
"""

# The run's own choice of units.
_SELECTED = """\
SELECT unnest(run.units) AS key
FROM synctasks.run
WHERE run.id = %(run)s
"""

# Wide units of which the first pass has seen rows that they no longer have.
_LEFTOVER = """\
SELECT DISTINCT unnest(chunk.leftover) AS key
FROM synctasks.chunk
WHERE chunk.run = %(run)s
"""

# Where nobody could say whether a range has extras, the target is walked from end to end.
_NEXT_RANGE = """\
SELECT number, low, high
FROM synctasks.chunk
WHERE run = %(run)s AND phase = 'range' AND number >= %(number)s AND extras IS NOT FALSE
ORDER BY number
LIMIT 1
"""

_COUNT_SELECTED = "SELECT cardinality(units) FROM synctasks.run WHERE id = %(run)s"

_MOVE = """\
UPDATE synctasks.run
SET
    phase = %(phase)s,
    cursor_key = %(key)s,
    cursor_range = %(range)s,
    planned = planned + %(planned)s
WHERE id = %(run)s
"""


@dataclass(frozen=True)
class _Planner:
    """A run under its row's lock: where its cursor stands, and what may be moved."""

    source: Transaction
    flow: Flow
    standing: Standing
    lanes: int
    key: str | None
    range: int | None
    accepts_shrink: bool

    def move(
        self, phase: str, key: str | None = None, range: int | None = None, planned: int = 0
    ) -> None:
        moved = {"phase": phase, "key": key, "range": range, "planned": planned}
        self.source.execute(_MOVE, {"run": self.standing.run, **moved})

    def hand_on(self, selection: str, phase: str, parameters: dict[str, object]) -> None:
        hand_on(self.source, self.flow, self.standing, self.lanes, phase, selection, parameters)


def plan(flow: Flow, standing: Standing, lanes: int) -> bool:
    """Take the run one planning step further. False if another worker is at it, or was."""
    with transaction(flow.source.database, CHUNK, by_key=True) as source:
        row = source.row(_RUN, {"run": standing.run, "phase": standing.phase})
        if row is None:
            return False
        _PHASES[standing.phase](_Planner(source, flow, standing, lanes, *row))
        return True


def _walk_source(planner: _Planner) -> None:
    """Pass 1: every key of the source, in scope or not (what is not, is counted)."""
    flow, source, run = planner.flow, planner.source, planner.standing.run
    if planner.standing.selects:
        planner.hand_on(_SELECTED, "source", {})
        planner.move("guard", planned=source.value(_COUNT_SELECTED, {"run": run}))
        return
    size = min(_RANGE_ROWS, planner.standing.chunk_rows * planner.lanes)
    if planner.key is None:
        size = min(size, _FIRST_RANGE_ROWS)
    source.execute(ALONE, {"run": run})
    low = walk.start(flow) if planner.key is None else planner.key
    planned = 0
    for _ in range(_RANGES_A_PAGE):
        high = walk.source_bound(flow, low, size, source)
        # The last range is open, so that it takes in what is inserted beyond it meanwhile.
        keys = size if high is not None else walk.count_above(flow, low, source)
        source.execute(_ADD_RANGE, {"run": run, "low": low, "high": high, "size": keys})
        planned += keys
        if high is None:
            _end_source(planner, planned)
            return
        low = high
    planner.move("source", key=low, planned=planned)


def _end_source(planner: _Planner, planned: int) -> None:
    """All ranges are planned; what has no key is none of them."""
    if planner.flow.source.key_nullable:
        keyless = _KEYLESS.format(is_there=walk.keyless_sql(planner.flow))
        planner.hand_on(keyless, "source", {"flow": planner.flow.name})
    planner.move("guard", planned=planned)


def _guard(planner: _Planner) -> None:
    """Between the passes: may what only the target has be removed?"""
    trips = volume.trips(planner.flow, planner.standing.run, planner.source)
    if trips and not planner.accepts_shrink:
        volume.hold_removals(planner.standing.run, planner.source)
        planner.move("finish")
    elif planner.flow.absent is Absent.KEEP:
        planner.move("finish")
    else:
        flow = planner.flow
        if flow.wide:
            leftover = _NOT_HELD.format(gone=_LEFTOVER)
            planner.hand_on(leftover, "target", {"flow": flow.name})
        walks = flow.absent is not Absent.DELETE_WITHIN and not planner.standing.selects
        planner.move("target" if walks else "finish", range=0)


def _walk_target(planner: _Planner) -> None:
    """Pass 2: the keys that only the target has."""
    number, within = _next_range(planner)
    if within is None:
        planner.move("finish")
        return
    size, flow = planner.standing.chunk_rows * planner.lanes, planner.flow
    with transaction(flow.target.database, CHUNK, snapshot=True, by_key=True) as target:
        page = walk.target_page(flow, within, size, target)
    statement = _NOT_HELD.format(gone=walk.not_in_source_sql(flow))
    planner.hand_on(statement, "target", {"flow": flow.name, "keys": page.keys})
    if page.is_last:
        planner.move("target", range=number + 1)
    else:
        planner.move("target", key=page.last, range=number)


def _next_range(planner: _Planner) -> tuple[int, Range | None]:
    """The range of the target that is walked next, from where the cursor stands in it."""
    number = planner.range or 0
    if planner.standing.prefilter is not Prefilter.RANGES:
        # One range, numbered 0: all there is, in the target's own order.
        return number, Range(planner.key, None) if number == 0 else None
    row = planner.source.row(_NEXT_RANGE, {"run": planner.standing.run, "number": number})
    if row is None:
        return number, None
    found, low, high = row
    return found, Range(planner.key if found == number and planner.key else low, high)


def _finish(planner: _Planner) -> None:
    runs.end(planner.source, planner.flow, planner.standing.run)


_PHASES: dict[str, Callable[[_Planner], None]] = {
    "source": _walk_source,
    "guard": _guard,
    "target": _walk_target,
    "finish": _finish,
}
