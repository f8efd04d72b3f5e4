"""Runs: how one is asked for, starts, and ends."""

from __future__ import annotations

from datetime import datetime

from synctasks.database import Transaction, transaction
from synctasks.engine.books import COUNTS
from synctasks.flow import Flow

_ACTIVE = """\
SELECT id
FROM synctasks.run
WHERE flow = %(flow)s AND kind = 'full' AND state = 'running'
"""

_REQUEST = """\
INSERT INTO synctasks.run (flow, reason)
VALUES (%(flow)s, %(reason)s)
RETURNING id
"""

# Two workers may start the same flow at once: the advisory lock lets one of them at it. What is
# asked for by now is answered by the run that starts now, so older requests are dropped.
_START = """\
WITH mine AS MATERIALIZED (
    SELECT pg_try_advisory_xact_lock(hashtextextended('synctasks run ' || %(flow)s, 0)) AS locked
),
newest AS (
    SELECT max(id) AS id
    FROM synctasks.run
    WHERE flow = %(flow)s AND kind = 'full' AND state = 'requested'
),
dropped AS (
    DELETE FROM synctasks.run
    USING newest, mine
    WHERE flow = %(flow)s AND kind = 'full' AND state = 'requested'
        AND run.id < newest.id AND mine.locked
)
UPDATE synctasks.run
SET state = 'running', started_at = clock_timestamp(), expected = %(expected)s
FROM newest, mine
WHERE run.id = newest.id
    AND mine.locked
    AND NOT EXISTS (
        SELECT
        FROM synctasks.run AS other
        WHERE other.flow = %(flow)s AND other.kind = 'full' AND other.state = 'running'
    )
RETURNING run.id
"""

_EXPECTED = """\
SELECT greatest(reltuples, 0)::bigint
FROM pg_catalog.pg_class
WHERE oid = to_regclass(%(table)s)
"""

_FINISH = f"""\
UPDATE synctasks.run
SET
    state = CASE
        WHEN totals.failed > 0 THEN 'failed'
        WHEN run.removals_held THEN 'guarded'
        ELSE 'succeeded'
    END,
    error = totals.error,
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
"""

_SLOT = """\
INSERT INTO synctasks.slot (flow, due_at)
VALUES (%(flow)s, %(due_at)s)
ON CONFLICT DO NOTHING
RETURNING due_at
"""


def active(flow: Flow) -> int | None:
    """The id of the flow's full run that is under way, or None."""
    with transaction(flow.source.database) as source:
        row = source.row(_ACTIVE, {"flow": flow.name})
        return row[0] if row else None


def request(flow: Flow, reason: str) -> int:
    """Ask for a full run and return its id; if one is under way, that one is followed."""
    with transaction(flow.source.database) as source:
        return _request(source, flow, reason)


def _request(source: Transaction, flow: Flow, reason: str) -> int:
    row = source.row(_ACTIVE, {"flow": flow.name})
    run: int = row[0] if row else source.value(_REQUEST, {"flow": flow.name, "reason": reason})
    return run


def start(flow: Flow) -> int | None:
    """Start the run that was asked for, if any was and none is under way; its id or None."""
    with transaction(flow.source.database) as source:
        expected = source.value(_EXPECTED, {"table": flow.source.table})
        row = source.row(_START, {"flow": flow.name, "expected": expected})
        return row[0] if row else None


def finish(source: Transaction, run: int) -> None:
    """End a run whose chunks are all done, and sum its books."""
    source.execute(_FINISH, {"run": run})


def due_slot(flow: Flow, now: datetime) -> int | None:
    """Take the flow's newest slot if nobody has, and ask for its run: the run's id or None.

    Two beats, or a beat that repeats itself, are harmless: a slot is one unique row.
    """
    if flow.schedule is None:
        return None
    due_at = flow.schedule.latest(now)
    with transaction(flow.source.database) as source:
        if source.row(_SLOT, {"flow": flow.name, "due_at": due_at}) is None:
            return None
        return _request(source, flow, f"scheduled for {due_at:%Y-%m-%d %H:%M} UTC")
