"""The runs: what was asked for, how it went, and what of it failed."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from synctasks.counts import COUNTS
from synctasks.database import transaction
from synctasks.flow import Database, Flow

_OWN = (
    "id",
    "flow",
    "kind",
    "reason",
    "state",
    "requested_at",
    "started_at",
    "finished_at",
    "planned",
    "error",
)

# The books of a full run that is under way are those of its chunks so far.
_PAGE = f"""\
SELECT
    {", ".join(f"run.{name}" for name in _OWN)},
    coalesce(chunks.failed, 0),
    {", ".join(f"coalesce(chunks.{count}, run.{count})::bigint" for count in COUNTS)}
FROM synctasks.run
LEFT JOIN LATERAL (
    SELECT
        count(*) FILTER (
            WHERE error IS NOT NULL OR finished_at IS NULL AND run.state IN ('failed', 'stopped')
        ) AS failed,
        {", ".join(f"sum({count}) AS {count}" for count in COUNTS)}
    FROM synctasks.chunk
    WHERE chunk.run = run.id
) AS chunks ON run.kind = 'full'
WHERE run.flow = ANY (%(flows)s)
    AND (%(states)s::text[] IS NULL OR run.state = ANY (%(states)s::text[]))
    AND (%(before)s::bigint IS NULL OR run.id < %(before)s)
ORDER BY run.id DESC
LIMIT {{page}}
"""

_PAGE_ROWS = 200


def runs(flows: Sequence[Flow], states: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
    """The runs of flows, the latest first, a page at a time of each database."""
    both = (_runs_in(database, flows, states) for database in Database)
    for run in heapq.merge(*both, key=lambda run: run["requested_at"], reverse=True):
        yield {name: _plain(value) for name, value in run.items()}


def _runs_in(
    database: Database, flows: Sequence[Flow], states: Sequence[str]
) -> Iterator[dict[str, Any]]:
    names = [flow.name for flow in flows if flow.source.database is database]
    wanted = {"flows": names, "states": list(states) or None, "before": None}
    while names:
        with transaction(database) as source:
            rows = source.rows(_PAGE.format(page=_PAGE_ROWS), wanted)
        for row in rows:
            yield dict(zip((*_OWN, "failed_chunks", *COUNTS), row, strict=True))
        if len(rows) < _PAGE_ROWS:
            return
        wanted["before"] = rows[-1][0]


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
