"""Full runs and slots: the last of each flow, how it went and whether it came in time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from synctasks.counts import COUNTS
from synctasks.database import Transaction, array

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

_LAST = """\
SELECT named.flow, last.id
FROM unnest(%(flows)s::text[]) AS named (flow)
CROSS JOIN LATERAL (
    SELECT run.id
    FROM synctasks.run
    WHERE run.flow = named.flow AND run.kind IN ('full', 'slot') AND run.state <> 'requested'
    ORDER BY run.id DESC
    LIMIT 1
) AS last
"""

# The last full run that came to an end, and how many of the last ones came to the same. What a
# slot's drains could not do is told by what they left: held removals, dead letters.
_ENDED = """\
SELECT
    named.flow,
    (array_agg(last.state ORDER BY last.id DESC))[1],
    (array_agg(last.error ORDER BY last.id DESC))[1],
    (array_agg(last.read - last.filtered ORDER BY last.id DESC))[1],
    count(*) FILTER (WHERE last.id > coalesce(last.otherwise, 0))
FROM unnest(%(flows)s::text[]) AS named (flow)
CROSS JOIN LATERAL (
    SELECT
        ended.*,
        max(ended.id) FILTER (WHERE ended.state <> ended.last_state) OVER () AS otherwise
    FROM (
        SELECT
            run.id,
            run.state,
            run.error,
            run.read,
            run.filtered,
            first_value(run.state) OVER (ORDER BY run.id DESC) AS last_state
        FROM synctasks.run
        WHERE run.flow = named.flow
            AND run.kind = 'full'
            AND run.state NOT IN ('requested', 'running')
        ORDER BY run.id DESC
        LIMIT 10
    ) AS ended
) AS last
GROUP BY named.flow
"""

# As the last look left them: to count the flags themselves could take a second each time.
_REVIEW = """\
SELECT named.flow, coalesce((last.found ->> 'stale')::bigint, 0), last.done
FROM unnest(%(flows)s::text[]) AS named (flow)
CROSS JOIN LATERAL (
    SELECT run.found, run.done
    FROM synctasks.run
    WHERE run.kind = 'review' AND run.flow = named.flow AND run.state = 'succeeded'
    ORDER BY run.id DESC
    LIMIT 1
) AS last
"""

_SLOTS = """\
SELECT named.flow, last.due_at, last.taken_at, last.state, last.finished_at
FROM unnest(%(flows)s::text[]) AS named (flow)
CROSS JOIN LATERAL (
    SELECT slot.due_at, slot.taken_at, run.state, run.finished_at
    FROM synctasks.slot
    LEFT JOIN synctasks.run ON run.id = slot.run
    WHERE slot.flow = named.flow AND slot.duty = 'sync'
    ORDER BY slot.due_at DESC
    LIMIT 1
) AS last
"""


def runs(tx: Transaction, flows: Sequence[str]) -> dict[str, dict[str, Any]]:
    """By flow `last_run` and `review` as `status` names them, and what alerts are about: the last
    full run that `ended`, the last `slot`, and `reviewed`: how many rows were looked at.

    Raises SynctasksError.
    """
    named = {"flows": array(flows)}
    found: dict[str, dict[str, Any]] = {flow: {} for flow in flows}
    for flow, run in tx.rows(_LAST, named):
        found[flow]["last_run"] = public(run_of(tx, run))
    for flow, state, error, in_scope, times in tx.rows(_ENDED, named):
        ended = {"state": state, "error": error, "in_scope": in_scope, "times": times}
        found[flow]["ended"] = ended
    for flow, stale, looked_at in tx.rows(_REVIEW, named):
        found[flow].update(review=stale, reviewed=looked_at)
    for flow, *slot in tx.rows(_SLOTS, named):
        names = ("due_at", "taken_at", "state", "finished_at")
        found[flow]["slot"] = dict(zip(names, slot, strict=True))
    return found


def run_of(source: Transaction, run: int) -> dict[str, Any]:
    """A run with its books so far, and how far it has come (planned, expected, done: units)."""
    row = source.row(_RUN, {"run": run})
    assert row is not None, "runs are not deleted while somebody follows them"
    named = ("state", "started_at", "finished_at", "planned", "expected", "error", "done")
    values = dict(zip((*named, *COUNTS), row, strict=True))
    return {name: _plain(value) for name, value in values.items()}


def public(run: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a run that `last_run` promises."""
    return {name: run[name] for name in ("state", "started_at", "finished_at", *COUNTS)}


def _plain(value: Any) -> Any:
    """A value as JSON has it: times as ISO 8601 text, sums as integers."""
    if isinstance(value, datetime):
        return value.isoformat()
    if value is None or isinstance(value, str):
        return value
    return int(value)
