"""What was done lately: records and latencies of the last minutes, captures of the last weeks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from synctasks.counts import LATENCY_BOUNDS_MS, percentile
from synctasks.database import Transaction, array

LATENCY_MINUTES = 15

_LATENCY = """\
SELECT named.flow, history.latency, history.minute >= %(late_since)s
FROM unnest(%(flows)s::text[]) AS named (flow)
JOIN synctasks.history
    ON history.flow = named.flow
    AND history.minute > statement_timestamp() - make_interval(secs => 60 * %(minutes)s)
"""

# What waits is no failure, and no success either.
_RECORDS = """\
SELECT
    history.flow,
    sum(history.read - history.waiting)::bigint,
    sum(history.rejected)::bigint
FROM unnest(%(flows)s::text[]) AS named (flow)
JOIN synctasks.history
    ON history.flow = named.flow
    AND history.minute > statement_timestamp() - make_interval(secs => 60 * %(minutes)s)
GROUP BY history.flow
"""

# Yesterday, and its weekday's last weeks: as many as there were since we are installed. A day
# without a row captured nothing. What was captured counts once it is taken: nothing is said before
# yesterday is closed, and while changes from before today are pending or rest until their slot.
_CAPTURED = """\
SELECT
    named.flow,
    coalesce(max(book.captured) FILTER (WHERE weekday.ago = 1), 0),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY coalesce(book.captured, 0))
        FILTER (WHERE weekday.ago > 1)
FROM unnest(%(flows)s::text[]) AS named (flow)
CROSS JOIN (
    SELECT 1 + 7 * week AS ago, statement_timestamp()::date - (1 + 7 * week) AS day
    FROM generate_series(0, %(weeks)s::integer) AS weeks (week)
) AS weekday
JOIN synctasks.installation
    ON installation.installed_at < weekday.day
    AND installation.closed_through >= statement_timestamp()::date
LEFT JOIN synctasks.day AS book ON book.flow = named.flow AND book.day = weekday.day
WHERE NOT EXISTS (
    SELECT
    FROM synctasks.lane
    CROSS JOIN LATERAL (
        SELECT change.captured_at
        FROM synctasks.change_log AS change
        WHERE change.flow = lane.flow AND change.lane = lane.lane
        ORDER BY change.id
        LIMIT 1
    ) AS oldest
    WHERE lane.flow = named.flow AND oldest.captured_at < statement_timestamp()::date
)
GROUP BY named.flow
HAVING count(*) FILTER (WHERE weekday.ago > 1) > 1
"""

# Whoever keeps the books is bound to balance them: this is 0, or somebody has loosened that.
_BALANCE = "written + unchanged + filtered + deferred + rejected + waiting + superseded"
_UNBALANCED = f"""\
SELECT
    (
        SELECT count(*)
        FROM synctasks.history
        WHERE minute > statement_timestamp() - interval '6 hours'
            AND (
                taken <> units + coalesced
                OR read <> {_BALANCE}
            )
    )
    + (
        SELECT count(*)
        FROM synctasks.run
        WHERE finished_at > statement_timestamp() - interval '6 hours'
            AND read <> {_BALANCE}
    )
"""


def lately(tx: Transaction, flows: Sequence[str], minutes: int, late: tuple[float, int]) -> Any:
    """By flow: `latency_seconds`, and what alerts are about: `records` and `rejected` of the last
    `minutes`, `changes` and `late` ones (over so many seconds, of so many last minutes).

    Raises SynctasksError.
    """
    late_seconds, late_minutes = late
    named = {"flows": array(flows), "minutes": minutes}
    found: dict[str, dict[str, Any]] = {flow: {"changes": 0, "late": 0} for flow in flows}
    sums: dict[str, list[int]] = {}
    since = tx.value(
        "SELECT statement_timestamp() - make_interval(secs => 60 * %(late)s)",
        {"late": late_minutes},
    )
    first_late = next(
        (place for place, bound in enumerate(LATENCY_BOUNDS_MS) if bound > late_seconds * 1000),
        len(LATENCY_BOUNDS_MS),
    )
    asked = {**named, "minutes": LATENCY_MINUTES, "late_since": since}
    for flow, histogram, is_fresh in tx.rows(_LATENCY, asked):
        before = sums.setdefault(flow, [0] * len(histogram))
        sums[flow] = [a + b for a, b in zip(before, histogram, strict=True)]
        if is_fresh:
            found[flow]["changes"] += sum(histogram)
            found[flow]["late"] += sum(histogram[first_late:])
    for flow, histogram in sums.items():
        found[flow]["latency_seconds"] = percentiles(histogram)
    for flow, records, rejected in tx.rows(_RECORDS, named):
        found[flow].update(records=records, rejected=rejected)
    return found


def captures(tx: Transaction, flows: Sequence[str], weeks: int) -> dict[str, tuple[int, float]]:
    """By flow: what yesterday captured, and what is usual on that weekday, where that is known."""
    rows = tx.rows(_CAPTURED, {"flows": array(flows), "weeks": weeks})
    return {flow: (yesterday, float(usual)) for flow, yesterday, usual in rows}


def unbalanced(tx: Transaction) -> int:
    """How many rows of the books of the last hours do not balance. Raises SynctasksError."""
    rows: int = tx.value(_UNBALANCED)
    return rows


def percentiles(histogram: Sequence[int]) -> dict[str, float | None]:
    """p50, p95 and p99 in seconds, to the millisecond."""
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    found = {name: percentile(histogram, share) for name, share in shares.items()}
    return {name: None if value is None else round(value, 3) for name, value in found.items()}
