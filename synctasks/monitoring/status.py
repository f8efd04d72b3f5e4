"""The state of each flow, from its source's tables; the one place where figures are made."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from synctasks.counts import COUNTS, LATENCY_BOUNDS_MS, percentile
from synctasks.database import Transaction, transaction
from synctasks.dead_letters.refused import UNKNOWN
from synctasks.flow import Database, Flow
from synctasks.monitoring.alerts import alerts, refusals

LATENCY_MINUTES = 15

_PENDING = """\
SELECT
    flow,
    count(*) FILTER (WHERE NOT rests),
    count(*) FILTER (WHERE rests),
    (extract(epoch FROM clock_timestamp() - min(captured_at) FILTER (WHERE NOT rests)))::float
FROM synctasks.change_log
GROUP BY flow
"""

_WAITING = """\
SELECT
    flow,
    count(*),
    extract(epoch FROM clock_timestamp() - min(since))::float
FROM synctasks.waiting
WHERE since IS NOT NULL
GROUP BY flow
"""

_BREAKERS = """\
SELECT flow, string_agg(side || ': ' || reason, '; ')
FROM synctasks.breaker
WHERE climber IS NULL
GROUP BY flow
"""

_HELD = "SELECT flow, count(*) FROM synctasks.held GROUP BY flow"

_DEAD = "SELECT flow, count(*) FROM synctasks.dead_letter WHERE state = 'open' GROUP BY flow"

# As the last look left them: to count the flags themselves could take a second each time.
_REVIEW = """\
SELECT DISTINCT ON (flow) flow, coalesce((found ->> 'stale')::bigint, 0)
FROM synctasks.run
WHERE kind = 'review' AND state = 'succeeded'
ORDER BY flow, id DESC
"""

_REFUSED = "SELECT count(*) FROM synctasks.dead_letter WHERE state = 'open' AND flow = %(flow)s"

_LATENCY = """\
SELECT flow, latency
FROM synctasks.history
WHERE minute > statement_timestamp() - make_interval(mins => %(minutes)s)
"""

_LAST_RUNS = """\
SELECT DISTINCT ON (flow) flow, id
FROM synctasks.run
WHERE kind IN ('full', 'slot') AND state <> 'requested'
ORDER BY flow, id DESC
"""

_RUN = f"""\
SELECT
    run.state,
    run.started_at,
    run.finished_at,
    run.planned,
    greatest(run.expected, run.planned),
    run.error,
    coalesce(chunks.done, run.done),
    {", ".join(f"coalesce(chunks.{count}, run.{count})" for count in COUNTS)}
FROM synctasks.run
LEFT JOIN LATERAL (
    SELECT
        sum(read) AS done,
        {", ".join(f"sum({count}) AS {count}" for count in COUNTS)}
    FROM synctasks.chunk
    WHERE chunk.run = run.id
) AS chunks ON run.kind = 'full'
WHERE run.id = %(run)s
"""


def status(flows: Sequence[Flow]) -> dict[str, Any]:
    """`{"flows": {name: …}, "alerts": […]}` as documented for `status --json`."""
    entries: dict[str, Any] = {flow.name: _empty() for flow in flows}
    errors: dict[str, str | None] = {}
    for database in Database:
        if any(flow.source.database is database for flow in flows):
            with transaction(database) as source:
                errors |= _fill(entries, source)
    found = [
        alert for flow, entry in entries.items() for alert in alerts(flow, entry, errors.get(flow))
    ]
    with transaction(Database.WAREHOUSE) as warehouse:
        found += refusals(warehouse.value(_REFUSED, {"flow": UNKNOWN}))
    return {"flows": entries, "alerts": found}


def _empty() -> dict[str, Any]:
    return {
        "pending": 0,
        "resting": 0,
        "oldest_pending_seconds": None,
        "waiting": 0,
        "oldest_waiting_seconds": None,
        "breaker": None,
        "held": 0,
        "dead_letters_open": 0,
        "review": 0,
        "paused": False,
        "latency_seconds": {"p50": None, "p95": None, "p99": None},
        "last_run": None,
    }


def _fill(entries: dict[str, Any], source: Transaction) -> dict[str, str | None]:
    """Fill in what this source knows; returns the errors of the flows' last runs."""
    known = entries.keys()
    for flow, pending, resting, oldest in source.rows(_PENDING):
        if flow in known:
            age = None if oldest is None else round(oldest, 3)
            entries[flow].update(pending=pending, resting=resting, oldest_pending_seconds=age)
    for flow, count, oldest in source.rows(_WAITING):
        if flow in known:
            entries[flow].update(waiting=count, oldest_waiting_seconds=round(oldest, 3))
    for flow, reason in source.rows(_BREAKERS):
        if flow in known:
            entries[flow]["breaker"] = reason
    counted = (("held", _HELD), ("dead_letters_open", _DEAD), ("review", _REVIEW))
    for box, statement in counted:
        for flow, count in source.rows(statement):
            if flow in known:
                entries[flow][box] = count
    for flow, histogram in _latencies(source).items():
        if flow in known:
            entries[flow]["latency_seconds"] = percentiles(histogram)
    errors: dict[str, str | None] = {}
    for flow, run in source.rows(_LAST_RUNS):
        if flow in known:
            last = run_of(source, run)
            entries[flow]["last_run"], errors[flow] = public(last), last["error"]
    return errors


def _latencies(source: Transaction) -> dict[str, list[int]]:
    """The latency histograms of the last minutes by flow, summed over lanes."""
    sums: dict[str, list[int]] = {}
    for flow, histogram in source.rows(_LATENCY, {"minutes": LATENCY_MINUTES}):
        kept = sums.setdefault(flow, [0] * (len(LATENCY_BOUNDS_MS) + 1))
        sums[flow] = [a + b for a, b in zip(kept, histogram, strict=True)]
    return sums


def percentiles(histogram: Sequence[int]) -> dict[str, float | None]:
    """p50, p95 and p99 in seconds, to the millisecond."""
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    found = {name: percentile(histogram, share) for name, share in shares.items()}
    return {name: None if value is None else round(value, 3) for name, value in found.items()}


def run_of(source: Transaction, run: int) -> dict[str, Any]:
    """A run with its books so far, and how far it has come (planned, expected, done: units)."""
    row = source.row(_RUN, {"run": run})
    assert row is not None, "runs are not deleted once they run"
    named = ("state", "started_at", "finished_at", "planned", "expected", "error", "done")
    values = dict(zip((*named, *COUNTS), row, strict=True))
    return {name: _plain(value) for name, value in values.items()}


def public(run: dict[str, Any]) -> dict[str, Any]:
    """The part of a run that `last_run` promises."""
    return {name: run[name] for name in ("state", "started_at", "finished_at", *COUNTS)}


def _plain(value: Any) -> Any:
    """A value as JSON has it: times as ISO 8601 text, sums as integers."""
    if isinstance(value, datetime):
        return value.isoformat()
    if value is None or isinstance(value, str):
        return value
    return int(value)
