"""The ledger: minutes that are over are added up by day and in total, and forgotten after 90 days.

Rows of minutes are many, sums are few: whoever shows figures reads the sums, and the few minutes
that are not closed yet.
"""

from __future__ import annotations

from synctasks.counts import COUNTS
from synctasks.database import CHUNK, Transaction, transaction
from synctasks.flow import Database

KEEP_DAYS = 90

_SUMMED = ("taken", "units", "coalesced", "captured", *COUNTS)
_SUMS = ", ".join(f"sum({each})::bigint AS {each}" for each in _SUMMED)
_ADDED = ", ".join(f"{each} = kept.{each} + EXCLUDED.{each}" for each in _SUMMED)

# Bucket by bucket; one that a row does not have yet counts nothing.
_ADDED_LATENCY = """\
latency = ARRAY(
    SELECT coalesce(pair.before, 0) + coalesce(pair.now, 0)
    FROM unnest(kept.latency, EXCLUDED.latency) WITH ORDINALITY AS pair (before, now, bucket)
    ORDER BY pair.bucket
)"""


def summed(condition: str) -> str:
    """The history's minutes under a condition, summed by flow, as SQL."""
    return f"""\
SELECT books.*, latencies.latency
FROM (
    SELECT flow, {_SUMS}
    FROM synctasks.history
    WHERE {condition}
    GROUP BY flow
) AS books
JOIN (
    SELECT flow, array_agg(changes ORDER BY number) AS latency
    FROM (
        SELECT history.flow, bucket.number, sum(bucket.changes)::bigint AS changes
        FROM synctasks.history
        CROSS JOIN LATERAL unnest(history.latency) WITH ORDINALITY AS bucket (changes, number)
        WHERE {condition}
        GROUP BY history.flow, bucket.number
    ) AS buckets
    GROUP BY flow
) AS latencies USING (flow)"""


# A minute is over once every transaction that may still write it has ended. A day at a time.
_CLOSE = f"""\
WITH span AS MATERIALIZED (
    SELECT
        closed_through AS low,
        least(
            date_trunc('minute', statement_timestamp()) - interval '5 minutes',
            date_trunc('day', closed_through) + interval '1 day'
        ) AS high
    FROM synctasks.installation
    WHERE closed_through < date_trunc('minute', statement_timestamp()) - interval '5 minutes'
    FOR UPDATE
),
closed AS MATERIALIZED (
{summed("minute >= (SELECT low FROM span) AND minute < (SELECT high FROM span)")}
),
noted AS (
    UPDATE synctasks.installation SET closed_through = span.high FROM span
),
added AS (
    INSERT INTO synctasks.day AS kept (flow, day, {", ".join(_SUMMED)}, latency)
    SELECT flow, span.low::date, {", ".join(_SUMMED)}, latency
    FROM closed, span
    ON CONFLICT (flow, day) DO UPDATE SET {_ADDED}, {_ADDED_LATENCY}
)
INSERT INTO synctasks.total AS kept (flow, {", ".join(_SUMMED)}, latency)
SELECT flow, {", ".join(_SUMMED)}, latency
FROM closed
ON CONFLICT (flow) DO UPDATE SET {_ADDED}, {_ADDED_LATENCY}
"""

_OLD = f"statement_timestamp() - interval '{KEEP_DAYS} days'"

# Some at a time, so that nobody waits for the purge.
_PURGES = (
    f"""\
WITH old AS (
    SELECT ctid
    FROM synctasks.history
    WHERE minute < least({_OLD}, (SELECT closed_through FROM synctasks.installation))
    LIMIT %(some)s
)
DELETE FROM synctasks.history USING old WHERE history.ctid = old.ctid RETURNING 1
""",
    # The last seven of a flow are what its volume is judged by, however old they are.
    f"""\
WITH old AS (
    SELECT run.id
    FROM synctasks.run
    WHERE run.finished_at < {_OLD}
        AND (
            SELECT count(*)
            FROM (
                SELECT
                FROM synctasks.run AS later
                WHERE later.flow = run.flow AND later.kind = run.kind AND later.id > run.id
                LIMIT 20
            ) AS newer
        ) = 20
    LIMIT %(some)s
)
DELETE FROM synctasks.run USING old WHERE run.id = old.id RETURNING 1
""",
    f"""\
WITH old AS (
    SELECT ctid
    FROM synctasks.slot
    WHERE due_at < {_OLD}
        AND due_at < (
            SELECT max(later.due_at)
            FROM synctasks.slot AS later
            WHERE later.flow = slot.flow AND later.duty = slot.duty
        )
    LIMIT %(some)s
)
DELETE FROM synctasks.slot USING old WHERE slot.ctid = old.ctid RETURNING 1
""",
    f"""\
WITH old AS (
    SELECT ctid
    FROM synctasks.alert
    WHERE resolved_at < {_OLD}
    LIMIT %(some)s
)
DELETE FROM synctasks.alert USING old WHERE alert.ctid = old.ctid RETURNING 1
""",
)

_SOME = 5_000


def close(source: Transaction) -> None:
    """Add up the minutes that are over, of one day at most. Raises SynctasksError."""
    source.execute(_CLOSE)


def purge(database: Database) -> int:
    """Forget minutes, runs, slots and ended alerts of more than 90 days ago; how many rows.

    The sums by day stay. Raises SynctasksError.
    """
    forgotten = 0
    for statement in _PURGES:
        while True:
            with transaction(database, CHUNK) as tx:
                some = len(tx.rows(statement, {"some": _SOME}))
            forgotten += some
            if some < _SOME:
                break
    return forgotten
