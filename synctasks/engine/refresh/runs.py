"""Runs: how one is asked for, starts, stands, and ends."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from synctasks import breaker
from synctasks.audit import Act
from synctasks.bind import bound
from synctasks.counts import COUNTS
from synctasks.database import Transaction, transaction
from synctasks.dead_letters import failed
from synctasks.engine import walk
from synctasks.engine.likeness import Prefilter, prefilter
from synctasks.flow import Flow
from synctasks.lane import RUNS_SQL

log = structlog.get_logger()

# A chunk should hold its lane for 200 ms, so that an event waits little, and be no burden to a
# worker's memory or the network.
_CHUNK_MS = 200
_CHUNK_ROWS = range(500, 20_001)
_CHUNK_BYTES = 8 * 2**20
# Rows a millisecond, until the run has seen its own pace.
_FIRST_PACE = 20.0

# Where more than half of at least so many records are rejected, the contract does not fit.
_MISMATCH_ROWS = 1_000

_ACTIVE = """\
SELECT id
FROM synctasks.run
WHERE flow = %(flow)s AND kind = 'full' AND state = 'running' AND units IS NULL
"""

_REQUEST = """\
INSERT INTO synctasks.run (flow, reason, accepts_shrink)
VALUES (%(flow)s, %(reason)s, %(accepts_shrink)s)
RETURNING id
"""

# Two workers may start the same flow at once: the advisory lock lets one of them at it. What is
# asked for by now is answered by the run that starts now, so older requests are dropped.
_START = """\
WITH mine AS MATERIALIZED (
    SELECT pg_try_advisory_xact_lock(hashtextextended('synctasks run ' || %(flow)s, 0)) AS locked
),
asked AS (
    SELECT
        max(run.id) AS id,
        bool_or(run.accepts_shrink) AS accepts_shrink,
        CASE WHEN bool_and(run.units IS NOT NULL) THEN array_agg(DISTINCT unit.key) END AS units
    FROM synctasks.run
    LEFT JOIN LATERAL unnest(run.units) AS unit (key) ON true
    WHERE run.flow = %(flow)s AND run.kind = 'full' AND run.state = 'requested'
),
dropped AS (
    DELETE FROM synctasks.run
    USING asked, mine
    WHERE flow = %(flow)s AND kind = 'full' AND state = 'requested'
        AND run.id < asked.id AND mine.locked
    RETURNING run.id
),
answered AS (
    UPDATE synctasks.slot
    SET run = asked.id
    FROM asked, dropped
    WHERE slot.flow = %(flow)s AND slot.run = dropped.id
)
UPDATE synctasks.run
SET
    state = 'running',
    started_at = clock_timestamp(),
    expected = %(expected)s,
    row_bytes = %(row_bytes)s,
    prefilter = %(prefilter)s,
    accepts_shrink = asked.accepts_shrink,
    units = array_remove(asked.units, NULL)
FROM asked, mine
WHERE run.id = asked.id
    AND mine.locked
    AND NOT EXISTS (
        SELECT
        FROM synctasks.run AS other
        WHERE other.flow = %(flow)s AND other.kind = 'full' AND other.state = 'running'
    )
RETURNING run.id
"""

_IS_REQUESTED = f"""\
SELECT EXISTS (
    SELECT
    FROM synctasks.run
    WHERE flow = %(flow)s AND kind = 'full' AND state = 'requested' AND {RUNS_SQL}
)
"""

_STANDING = f"""\
SELECT
    run.id,
    run.phase,
    run.prefilter,
    run.row_bytes,
    run.units IS NOT NULL,
    count(*) FILTER (WHERE chunk.phase = 'range' AND chunk.finished_at IS NULL),
    count(*) FILTER (WHERE chunk.phase <> 'range' AND chunk.finished_at IS NULL),
    coalesce(sum(chunk.read), 0),
    coalesce(sum(chunk.rejected), 0),
    sum(chunk.size) FILTER (WHERE chunk.phase <> 'range' AND chunk.finished_at IS NOT NULL)::float
        / nullif(sum(chunk.elapsed_ms) FILTER (WHERE chunk.phase <> 'range'), 0)
FROM synctasks.run
LEFT JOIN synctasks.chunk ON chunk.run = run.id
WHERE run.flow = %(flow)s AND run.kind = 'full' AND run.state = 'running' AND {RUNS_SQL}
GROUP BY run.id
"""

_END = f"""\
UPDATE synctasks.run
SET
    state = CASE
        WHEN %(stopped)s::text IS NOT NULL THEN 'stopped'
        WHEN totals.failed > 0 THEN 'failed'
        WHEN run.removals_held THEN 'guarded'
        ELSE 'succeeded'
    END,
    error = coalesce(%(stopped)s, totals.error),
    finished_at = clock_timestamp(),
    {", ".join(f"{count} = totals.{count}" for count in COUNTS)}
FROM (
    SELECT
        count(error) AS failed,
        min(error) AS error,
        {", ".join(f"coalesce(sum({count}), 0) AS {count}" for count in COUNTS)}
    FROM synctasks.chunk
    WHERE chunk.run = %(run)s
) AS totals
WHERE run.id = %(run)s AND run.state = 'running'
RETURNING run.state, run.error, {", ".join(f"run.{count}" for count in COUNTS)}
"""


@dataclass(frozen=True)
class Standing:
    """Where a run stands: what is open, what its records came to, and how large a chunk may be.

    `selects` says that it is about some units only.
    """

    run: int
    phase: str
    prefilter: Prefilter
    selects: bool
    open_ranges: int
    open_chunks: int
    read: int
    rejected: int
    chunk_rows: int

    @property
    def mismatched(self) -> bool:
        """Whether the contract does not fit what the source holds."""
        return mismatched(self.read, self.rejected)


def mismatched(read: int, rejected: int) -> bool:
    """Whether so many rejects mean that the contract is wrong, rather than the records."""
    return read >= _MISMATCH_ROWS and rejected * 2 > read


def request(
    flow: Flow, reason: str, *, accepts_shrink: bool = False, act: Act | None = None
) -> int:
    """Ask for a full run and return its id; if one is under way, that one is followed.

    A run that accepts a shrink is one of its own: the guard of the one under way may have
    judged already. If a person asks, `act` is noted.
    """
    with transaction(flow.source.database) as source:
        row = None if accepts_shrink else source.row(_ACTIVE, {"flow": flow.name})
        asked = {"flow": flow.name, "reason": reason, "accepts_shrink": accepts_shrink}
        run: int = row[0] if row else source.value(_REQUEST, asked)
        if act:
            act.note(source, flow.name, run)
        return run


def standing(flow: Flow) -> Standing | None:
    """Where the flow's full run stands that is under way, or None."""
    with transaction(flow.source.database) as source:
        row = source.row(_STANDING, {"flow": flow.name})
    if row is None:
        return None
    run, phase, how, row_bytes, selects, ranges, chunks, read, rejected, pace = row
    rows = min(_chunk_rows(pace, row_bytes), flow.at_once or _CHUNK_ROWS.stop)
    books = int(read), int(rejected)
    return Standing(run, phase, Prefilter(how), selects, ranges, chunks, *books, rows)


def start(flow: Flow) -> bool:
    """Start the run that was asked for, if any was and none is under way. True if it did."""
    with transaction(flow.source.database) as source:
        if not source.value(_IS_REQUESTED, {"flow": flow.name}):
            return False
    with transaction(flow.source.database) as source, transaction(flow.target.database) as target:
        expected, row_bytes = walk.source_size(flow, source)
        parameters = {
            "flow": flow.name,
            "expected": expected,
            "row_bytes": row_bytes,
            "prefilter": prefilter(bound(flow), source, target),
        }
        row = source.row(_START, parameters)
    if row is None:
        return False
    log.info("run.started", flow=flow.name, run=row[0], expected=expected)
    return True


def end(source: Transaction, flow: Flow, run: int, *, stopped: str | None = None) -> None:
    """End a run and sum its books: all its chunks are done, or something has stopped it."""
    if row := source.row(_END, {"run": run, "stopped": stopped}):
        _say(flow, run, *row)
    if stopped is None:
        failed.close(source, flow, failed.REFRESH)
        breaker.closed(flow, source.rows(breaker.CLOSE, {"flow": flow.name}))


def _say(flow: Flow, run: int, state: str, error: str | None, *counts: int) -> None:
    told = {"flow": flow.name, "run": run, "state": state}
    books = dict(zip(COUNTS, counts, strict=True))
    if state == "succeeded":
        log.info("run.ended", **told, **books)
    else:
        log.error("run.ended", **told, **books, cause=error)


def stop_mismatched(flow: Flow, standing: Standing) -> None:
    """Stop a run whose contract does not fit: one message instead of a flood of dead letters."""
    reason = (
        f"contract mismatch: {standing.rejected:,} of the first {standing.read:,} records were "
        "rejected"
    )
    with transaction(flow.source.database) as source:
        end(source, flow, standing.run, stopped=reason)


def _chunk_rows(pace: float | None, row_bytes: int | None) -> int:
    """How many rows a chunk may hold: 200 ms of work, as far as the run knows, and 8 MB."""
    rows = int((pace or _FIRST_PACE) * _CHUNK_MS)
    rows = min(max(rows, _CHUNK_ROWS.start), _CHUNK_ROWS.stop - 1)
    return max(1, min(rows, _CHUNK_BYTES // row_bytes)) if row_bytes else rows
