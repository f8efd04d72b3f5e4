"""What has not arrived: pending, waiting, held, rejected, and for how long."""

from __future__ import annotations

from typing import Any

from synctasks.database import Transaction
from synctasks.monitoring.figures.counting import Counted, count

# One index probe a lane. `late`: the oldest change that nothing holds back but us, and which the
# listener saw `late_after` seconds ago: what its transaction took is not counted.
_OLDEST = """\
SELECT
    lane.flow,
    max(extract(epoch FROM clock_timestamp() - oldest.captured_at))::float,
    max(extract(epoch FROM clock_timestamp() - oldest.captured_at)) FILTER (
        WHERE oldest.origin = 'captured'
            AND oldest.not_before IS NULL
            AND (lane.retry_at IS NULL OR lane.retry_at < clock_timestamp())
            AND oldest.captured_at > coalesce(
                (SELECT pause.resumed_at FROM synctasks.pause WHERE pause.flow = lane.flow),
                '-infinity'
            )
            AND pg_visible_in_snapshot(oldest.transaction, seen.snapshot)
    )::float
FROM synctasks.lane
CROSS JOIN LATERAL (
    SELECT change.captured_at, change.origin, change.not_before, change.transaction
    FROM synctasks.change_log AS change
    WHERE change.flow = lane.flow AND change.lane = lane.lane AND NOT change.rests
    ORDER BY change.id
    LIMIT 1
) AS oldest
LEFT JOIN LATERAL (
    SELECT tick.snapshot
    FROM synctasks.tick
    WHERE tick.at <= clock_timestamp() - make_interval(secs => %(late_after)s)
    ORDER BY tick.at DESC
    LIMIT 1
) AS seen ON true
GROUP BY lane.flow
"""

_OLDEST_WAITING = """\
SELECT flow, extract(epoch FROM clock_timestamp() - min(since))::float
FROM synctasks.waiting
WHERE since IS NOT NULL
GROUP BY flow
"""

_BREAKERS = """\
SELECT
    flow,
    string_agg(side || ': ' || reason, '; '),
    extract(epoch FROM clock_timestamp() - min(opened_at))::float
FROM synctasks.breaker
WHERE climber IS NULL
GROUP BY flow
"""

_PAUSES = """\
SELECT flow, extract(epoch FROM clock_timestamp() - since)::float, resumed_at
FROM synctasks.pause
"""


def _open_letters(tx: Transaction) -> Counted:
    index = "synctasks.dead_letter_open"
    return count(tx, "synctasks.dead_letter", condition="state = 'open'", index=index)


def backlog(tx: Transaction, late_after: float) -> dict[str, dict[str, Any]]:
    """By flow what has not arrived, as `status` names it; `late_seconds` is of a change that
    nothing holds back. Raises SynctasksError.
    """
    found: dict[str, dict[str, Any]] = {}

    def put(flow: str, **values: Any) -> None:
        found.setdefault(flow, {"estimated": []}).update(values)

    counted = (
        (("pending", "resting"), count(tx, "synctasks.change_log", "NOT rests", "rests")),
        (("waiting",), count(tx, "synctasks.waiting", condition="since IS NOT NULL")),
        (("held",), count(tx, "synctasks.held")),
        (("dead_letters_open",), _open_letters(tx)),
    )
    for names, counts in counted:
        for flow, numbers in counts.by_flow.items():
            put(flow, **dict(zip(names, numbers, strict=True)))
            if counts.estimated:
                found[flow]["estimated"] += names
    for flow, oldest, late in tx.rows(_OLDEST, {"late_after": late_after}):
        put(flow, oldest_pending_seconds=round(oldest, 3), late_seconds=late)
    for flow, oldest in tx.rows(_OLDEST_WAITING):
        put(flow, oldest_waiting_seconds=round(oldest, 3))
    for flow, reason, seconds in tx.rows(_BREAKERS):
        put(flow, breaker=reason, breaker_seconds=seconds)
    for flow, seconds, resumed_at in tx.rows(_PAUSES):
        paused = resumed_at is None
        put(flow, paused=paused, paused_seconds=seconds if paused else None, resumed_at=resumed_at)
    return found
