"""Ninety days of history, a million pending changes and many dead letters, put there by SQL.

Nobody works meanwhile: a worker would carry the changes over, a listener would send for them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from benchmarks.ground import Connection, Ground, run
from synctasks.counts import LATENCY_BOUNDS_MS
from synctasks.database import array
from synctasks.dead_letters.seal import seal
from synctasks.flow import Database
from synctasks.flows import ALL_FLOWS

# In each of the two databases.
LETTERS = 50_000
PENDING = 500_000
MINUTES = 500_000
# Where a flow's changes rest until its slot: they are carried over once a day.
RESTING = 2_000

_ROW = {
    **{f"field_{number}": f"a value of number {number}" for number in range(20)},
    "explanation": "because " * 8,
}
_TRACE = "\n".join(
    f'  File "synctasks/engine/module_{number}.py", line {number}, in look\n    look(again)'
    for number in range(8)
)

_LETTERS = """\
INSERT INTO synctasks.dead_letter (
    flow, kind, category, unit, record, error, messages, stack_trace, source_row, attempts,
    first_seen, last_seen
)
SELECT
    (%(flows)s::text[])[1 + number %% cardinality(%(flows)s::text[])],
    'record',
    'contract',
    'unit ' || number,
    'record ' || number,
    'field_' || number %% 20 || ': not a number of 12 digits',
    jsonb_build_object('field_' || number %% 20, jsonb_build_array('not a number of 12 digits')),
    %(trace)s,
    %(row)s,
    jsonb_build_array(jsonb_build_object(
        'at', statement_timestamp(), 'what', 'rejected', 'error', 'not a number of 12 digits'
    )),
    statement_timestamp() - number * interval '1 minute',
    statement_timestamp() - number * interval '1 second'
FROM generate_series(1, %(rows)s) AS letters (number)
"""

# One in eight of a flow's changes is of a key that is pending already.
_PENDING = """\
INSERT INTO synctasks.change_log (flow, lane, key, operation, rests, captured_at)
SELECT
    lanes.flow,
    lanes.lane,
    'key ' || number - CASE WHEN number %% 8 = 0 THEN 7 ELSE 0 END,
    'update',
    %(rest)s,
    clock_timestamp() - (%(rows)s - number) * interval '10 milliseconds'
FROM generate_series(1, %(rows)s) AS changes (number)
JOIN (
    SELECT flow, lane, row_number() OVER (ORDER BY flow, lane) - 1 AS place, count(*) OVER () AS all
    FROM synctasks.lane
    WHERE flow = ANY (%(of)s::text[])
) AS lanes ON lanes.place = number %% lanes.all
"""

# Every minute of the last two days in each lane, and of the days before as many as it takes.
_MINUTES = """\
INSERT INTO synctasks.history (
    flow, lane, minute, taken, units, coalesced, captured, read, written, unchanged, latency
)
SELECT lanes.flow, lanes.lane, times.minute, 12, 10, 2, 12, 10, 8, 2, %(latency)s::bigint[]
FROM (
    SELECT flow, lane, count(*) OVER () AS all
    FROM synctasks.lane
    WHERE flow = ANY (%(captured)s::text[])
) AS lanes
CROSS JOIN (
    SELECT ago, date_trunc('minute', statement_timestamp()) - ago * interval '1 minute' AS minute
    FROM generate_series(0, 90 * 1440 - 1) AS minutes (ago)
) AS times
WHERE times.ago < 2 * 1440
    OR random() < (%(rows)s - 2.0 * 1440 * lanes.all) / (88.0 * 1440 * lanes.all)
ON CONFLICT DO NOTHING
"""

_DAYS = """\
INSERT INTO synctasks.day (
    flow, day, taken, units, coalesced, captured, read, written, unchanged, latency
)
SELECT
    named.flow, current_date - ago, 12000, 10000, 2000, 12000, 10000, 8000, 2000,
    %(latency)s::bigint[]
FROM unnest(%(flows)s::text[]) AS named (flow)
CROSS JOIN generate_series(1, 90) AS days (ago)
ON CONFLICT DO NOTHING
"""

_TOTALS = """\
INSERT INTO synctasks.total (
    flow, taken, units, coalesced, captured, read, written, unchanged, latency
)
SELECT flow, 1080000, 900000, 180000, 1080000, 900000, 720000, 180000, %(latency)s::bigint[]
FROM unnest(%(flows)s::text[]) AS named (flow)
ON CONFLICT DO NOTHING
"""

# As if somebody had been there all the time, and every minute were closed.
_SINCE = """\
UPDATE synctasks.installation
SET
    installed_at = statement_timestamp() - interval '90 days',
    closed_through = date_trunc('minute', statement_timestamp()) - interval '5 minutes'
"""

# Hourly and daily runs, with their slots, and thousands that asked for some keys.
_RUNS = """\
WITH made AS (
    INSERT INTO synctasks.run (
        flow, kind, reason, state, planned, done, in_scope, started_at, finished_at, read, written,
        unchanged
    )
    SELECT
        wanted.flow, wanted.kind, wanted.reason, 'succeeded', 10, 10, 100000, wanted.at,
        wanted.at + interval '20 seconds', 100000, 1000, 99000
    FROM (
        SELECT
            named.flow,
            'full' AS kind,
            'slot' AS reason,
            date_trunc('hour', statement_timestamp()) - ago * interval '1 hour' AS at
        FROM unnest(%(scheduled)s::text[]) AS named (flow)
        CROSS JOIN generate_series(0, 90 * 24) AS hours (ago)
        WHERE named.flow = 'profile_summary' OR ago %% 24 = 0
        UNION ALL
        SELECT
            (%(flows)s::text[])[1 + number %% cardinality(%(flows)s::text[])],
            'keys',
            'key',
            statement_timestamp() - number * interval '25 minutes'
        FROM generate_series(1, 5000) AS asked (number)
    ) AS wanted
    ORDER BY wanted.at
    RETURNING id, flow, kind, started_at
),
chunks AS (
    INSERT INTO synctasks.chunk (
        run, number, lane, phase, size, claimed_at, elapsed_ms, finished_at, read, written,
        unchanged
    )
    SELECT
        made.id, number, number %% 8, 'source', 500, made.started_at, 20,
        made.started_at + interval '1 second', 500, 5, 495
    FROM made
    CROSS JOIN generate_series(1, 200) AS chunks (number)
    WHERE made.kind = 'full' AND made.started_at > statement_timestamp() - interval '2 days'
)
INSERT INTO synctasks.slot (flow, due_at, taken_at, run)
SELECT flow, started_at, started_at, id
FROM made
WHERE kind = 'full'
ON CONFLICT DO NOTHING
"""

_ALERTS = """\
INSERT INTO synctasks.alert (name, about, reason, since, resolved_at, told_at, end_told_at)
SELECT
    'latency', 'flow ' || number, 'changes took more than 10 s', at, at + interval '5 minutes', at,
    at + interval '5 minutes'
FROM (
    SELECT number, statement_timestamp() - number * interval '40 minutes' AS at
    FROM generate_series(1, 3000) AS alerts (number)
) AS fired
"""

_EMPTY = (
    "TRUNCATE synctasks.dead_letter, synctasks.change_log, synctasks.history, synctasks.day, "
    "synctasks.total, synctasks.run, synctasks.chunk, synctasks.slot, synctasks.alert"
)


@contextlib.contextmanager
def ninety_days(ground: Ground) -> Iterator[None]:
    """Both databases as they could be after so long; at the end those tables are empty."""
    for database, connect in ground.sides.items():
        with contextlib.closing(connect()) as side:
            _fill(side, database)
    try:
        yield
    finally:
        for connect in ground.sides.values():
            with contextlib.closing(connect()) as side:
                run(side, _EMPTY)


def _fill(side: Connection, database: Database) -> None:
    flows = [flow for flow in ALL_FLOWS if flow.source.database is database]
    told = {
        "flows": array(flow.name for flow in flows),
        "captured": array(flow.name for flow in flows if flow.capture),
        "scheduled": array(flow.name for flow in flows if flow.schedule),
        "latency": _latency(),
        "trace": _TRACE,
        "row": seal(_ROW),
    }
    with side.cursor() as cursor:
        cursor.execute(_EMPTY)
        cursor.execute(_LETTERS, {**told, "rows": LETTERS})
        for rest, rows in ((False, PENDING), (True, RESTING)):
            of = array(flow.name for flow in flows if flow.capture and flow.rests is rest)
            cursor.execute(_PENDING, {"of": of, "rest": rest, "rows": rows})
        cursor.execute(_MINUTES, {**told, "rows": MINUTES})
        for statement in (_DAYS, _TOTALS, _SINCE, _RUNS, _ALERTS):
            cursor.execute(statement, told)


def _latency() -> str:
    """A lane's minute: its twelve changes between 5 and 50 ms."""
    counts = [0] * (len(LATENCY_BOUNDS_MS) + 1)
    for bucket in range(10, 22):
        counts[bucket] = 1
    return array(counts)
