"""What the bookkeeping says of a unit: its changes, its lane, its flow, its letters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from synctasks import presence
from synctasks.database import Transaction
from synctasks.flow import Flow
from synctasks.lane import due_sql, lately_sql
from synctasks.shown import scrubbed_sql

_PENDING = f"""\
SELECT
    origin, operation, captured_at AS since, attempts, not_before, rests, removal_accepted,
    {due_sql("change")} AS due
FROM synctasks.change_log AS change
WHERE flow = %(flow)s AND lane = %(lane)s AND key = %(key)s
ORDER BY id
LIMIT %(most)s
"""

_LANE = f"""\
SELECT
    lane,
    coalesce({lately_sql("retry_at", 2)}, false) AS in_ladder,
    retry_at,
    started_at,
    batch_limit,
    deaths
FROM synctasks.lane
WHERE flow = %(flow)s AND lane = %(lane)s
"""

_BREAKERS = """\
SELECT side, reason, opened_at, climber
FROM synctasks.breaker
WHERE flow = %(flow)s
ORDER BY side
"""

_PAUSED = """\
SELECT since, actor, reason
FROM synctasks.pause
WHERE flow = %(flow)s AND resumed_at IS NULL
"""

# Who takes what is pending, and was not heard of lately.
_SILENT = f"""\
SELECT wanted.process
FROM unnest(%(processes)s::text[]) AS wanted (process)
LEFT JOIN synctasks.presence USING (process)
WHERE ({lately_sql("presence.seen_at", 60)}) IS NOT TRUE
ORDER BY 1
"""

_RUN = """\
SELECT id, state, reason
FROM synctasks.run
WHERE flow = %(flow)s AND kind = 'full' AND state IN ('requested', 'running')
ORDER BY state DESC, id
LIMIT 1
"""

_LAST_RUN = """\
SELECT id, state, error
FROM synctasks.run
WHERE flow = %(flow)s AND kind = 'full' AND state NOT IN ('requested', 'running')
ORDER BY id DESC
LIMIT 1
"""

_HELD = "SELECT since FROM synctasks.held WHERE flow = %(flow)s AND key = %(key)s"

_DEFERRED = "SELECT since FROM synctasks.deferred WHERE flow = %(flow)s AND key = %(key)s"

_WAITING = """\
SELECT record, needs, since, next_look
FROM synctasks.waiting
WHERE flow = %(flow)s AND unit = %(key)s
ORDER BY record
LIMIT %(most)s
"""

# Task letters are about no unit.
_LETTERS = """\
SELECT id, kind, category, record, error, state, count, first_seen, last_seen, acted_by, reason
FROM synctasks.dead_letter
WHERE flow = %(flow)s AND unit = %(key)s AND kind <> 'task' AND state <> 'resolved'
ORDER BY id
LIMIT %(most)s
"""

_EVENT_LOG = f"""\
SELECT
    'change ' || entry.id AS change,
    entry.captured_at,
    (
        SELECT jsonb_object_agg(kept.name, {scrubbed_sql("kept.value")})
        FROM jsonb_each_text(entry."row") AS kept (name, value)
    ) AS row
FROM synctasks.event_log AS entry
WHERE entry.flow = %(flow)s AND entry.key = %(key)s
ORDER BY entry.id DESC
LIMIT %(most)s
"""

Found = dict[str, Any]


@dataclass(frozen=True)
class Marks:
    """What stands about the unit at the flow's source; moments as ISO 8601 text."""

    pending: list[Found]
    lane: Found
    breakers: list[Found]
    paused: Found | None
    silent: list[str]
    run: Found | None
    last_run: Found | None
    held: Found | None
    deferred: Found | None
    waiting: list[Found]
    letters: list[Found]
    event_log: list[Found]

    @property
    def are_traces(self) -> bool:
        """Whether anything says that the unit was there once."""
        return bool(
            self.pending
            or self.held
            or self.deferred
            or self.waiting
            or self.letters
            or self.event_log
        )


def read(flow: Flow, lane: int, key: str, most: int, source: Transaction) -> Marks:
    """What stands about a unit, so much of each at most."""
    taking = [presence.LISTENER, presence.worker_of("events")]
    where = {"flow": flow.name, "lane": lane, "key": key, "most": most, "processes": taking}

    def all_of(statement: str, *names: str) -> list[Found]:
        return [_named(names, row) for row in source.rows(statement, where)]

    def one_of(statement: str, *names: str) -> Found | None:
        return next(iter(all_of(statement, *names)), None)

    changes = ("origin", "operation", "since", "attempts", "not_before", "rests")
    letters = ("id", "kind", "category", "record", "error", "state", "count")
    in_lane = ("lane", "in_ladder", "retry_at", "started_at", "batch_limit", "deaths")
    return Marks(
        pending=all_of(_PENDING, *changes, "removal_accepted", "due"),
        lane=one_of(_LANE, *in_lane) or {},
        breakers=all_of(_BREAKERS, "side", "reason", "opened_at", "climber"),
        paused=one_of(_PAUSED, "since", "actor", "reason"),
        silent=[process for (process,) in source.rows(_SILENT, where)],
        run=one_of(_RUN, "id", "state", "reason"),
        last_run=one_of(_LAST_RUN, "id", "state", "error"),
        held=one_of(_HELD, "since"),
        deferred=one_of(_DEFERRED, "since"),
        waiting=all_of(_WAITING, "record", "needs", "since", "next_look"),
        letters=all_of(_LETTERS, *letters, "first_seen", "last_seen", "acted_by", "reason"),
        event_log=all_of(_EVENT_LOG, "change", "captured_at", "row")[::-1]
        if flow.source.log
        else [],
    )


def _named(names: Sequence[str], row: Sequence[Any]) -> Found:
    return {name: _plain(value) for name, value in zip(names, row, strict=True)}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return value.isoformat() if isinstance(value, datetime) else value
