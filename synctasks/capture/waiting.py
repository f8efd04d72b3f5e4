"""The hourly look at what waits: whatever was not announced is found by it."""

from __future__ import annotations

from synctasks.database import Transaction

# Some at a time: thousands that wait must not come in one wave. Many listeners may look. Nobody
# looks for a flow that is paused: its requests would pile up, hour by hour.
_SOME = 500

_WAKE = f"""\
WITH due AS MATERIALIZED (
    SELECT ctid
    FROM synctasks.waiting
    WHERE since IS NOT NULL
        AND next_look <= statement_timestamp()
        AND flow NOT IN (SELECT pause.flow FROM synctasks.pause WHERE resumed_at IS NULL)
    ORDER BY next_look
    LIMIT {_SOME}
    FOR UPDATE SKIP LOCKED
),
looked AS (
    UPDATE synctasks.waiting
    SET next_look = statement_timestamp() + interval '1 hour'
    FROM due
    WHERE waiting.ctid = due.ctid
    RETURNING waiting.flow, waiting.lane, waiting.unit
)
INSERT INTO synctasks.change_log (flow, lane, key, operation, origin)
SELECT DISTINCT flow, lane, unit, 'request', 'woken'
FROM looked
"""


def wake_some(source: Transaction) -> None:
    """Ask once more for those whose hour has passed. Raises SynctasksError."""
    source.execute(_WAKE)
