"""Planning: one page of keys becomes chunks, one a lane.

Each page is one short transaction in which the run's cursor moves, so a planner that dies is
carried on by the next worker where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from synctasks import sql
from synctasks.database import CHUNK, Transaction, array, transaction
from synctasks.engine.refresh import runs
from synctasks.flow import Absent, Flow
from synctasks.lane import lane_sql

# A chunk should hold its lane for 200 ms, so that an event waits little.
_CHUNK_MS = 200
_CHUNK_ROWS = range(500, 20_001)

# SKIP LOCKED: while another worker plans a page, this one has chunks to work on.
_RUN = """\
SELECT phase, cursor_key, in_scope
FROM synctasks.run
WHERE id = %(run)s AND state = 'running'
FOR UPDATE SKIP LOCKED
"""

_PACE = """\
SELECT sum(size)::float / nullif(sum(elapsed_ms), 0)
FROM (
    SELECT size, elapsed_ms
    FROM synctasks.chunk
    WHERE run = %(run)s AND finished_at IS NOT NULL
    ORDER BY number DESC
    LIMIT 16
) AS last
"""

# Numbers go on from the run's last chunk: its row is locked, nobody else adds any.
_ADD_CHUNKS = """\
INSERT INTO synctasks.chunk (run, number, lane, phase, keys, size)
SELECT
    %(run)s,
    numbered.last + row_number() OVER (ORDER BY grouped.lane),
    grouped.lane,
    %(phase)s,
    grouped.keys,
    cardinality(grouped.keys)
FROM (
    SELECT {lane} AS lane, array_agg(chosen.key) AS keys
    FROM chosen
    GROUP BY 1
) AS grouped,
(
    SELECT coalesce(max(number), 0) AS last
    FROM synctasks.chunk
    WHERE run = %(run)s
) AS numbered
"""

# In the table's own order, so that its index on the key serves.
_SOURCE_PAGE = """\
WITH page AS MATERIALIZED (
    SELECT source.{key} AS key, ({scope}) IS TRUE AS in_scope
    FROM {table} AS source
    WHERE {after}
    ORDER BY source.{key}
    LIMIT %(page)s
),
chosen AS (
    SELECT key::text AS key FROM page
),
added AS (
{add_chunks}
)
SELECT
    count(*),
    count(*) FILTER (WHERE in_scope),
    (SELECT key::text FROM page ORDER BY page.key DESC LIMIT 1)
FROM page
"""

_TARGET_PAGE = """\
SELECT target.{key}::text
FROM {table} AS target
WHERE {after}
ORDER BY target.{key}
LIMIT %(page)s
"""

# Lanes are computed in the source only: the servers' hash functions need not agree.
_NOT_IN_SOURCE = """\
WITH chosen AS (
    SELECT kept.key
    FROM unnest(%(keys)s::text[]) AS kept (key)
    WHERE NOT EXISTS (
        SELECT
        FROM {table} AS source
        WHERE source.{key} = kept.key::{key_type} AND ({scope}) IS TRUE
    )
)
{add_chunks}
"""

_MOVE = """\
UPDATE synctasks.run
SET
    phase = %(phase)s,
    cursor_key = %(cursor)s,
    planned = planned + %(planned)s,
    in_scope = in_scope + %(in_scope)s
WHERE id = %(run)s
"""

_OPEN = "SELECT EXISTS (SELECT FROM synctasks.chunk WHERE run = %(run)s AND finished_at IS NULL)"

_HOLD = "UPDATE synctasks.run SET removals_held = true WHERE id = %(run)s"

_ACCEPTED = """\
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY in_scope), count(*)
FROM (
    SELECT in_scope
    FROM synctasks.run
    WHERE flow = %(flow)s AND kind = 'full' AND state = 'succeeded'
    ORDER BY id DESC
    LIMIT 7
) AS last
"""


@dataclass(frozen=True)
class _Page:
    """Where a run stands, under its row's lock."""

    source: Transaction
    flow: Flow
    run: int
    lanes: int
    cursor: str | None
    in_scope: int

    @property
    def size(self) -> int:
        """How many keys fill one chunk of the right size in each lane."""
        pace = self.source.value(_PACE, {"run": self.run}) or 20
        rows = min(max(int(pace * _CHUNK_MS), _CHUNK_ROWS.start), _CHUNK_ROWS.stop)
        return rows * self.lanes

    def move(self, phase: str, cursor: str | None, planned: int = 0, in_scope: int = 0) -> None:
        moved = {"phase": phase, "cursor": cursor, "planned": planned, "in_scope": in_scope}
        self.source.execute(_MOVE, {"run": self.run, **moved})

    def chunks_open(self) -> bool:
        return bool(self.source.value(_OPEN, {"run": self.run}))


def plan(flow: Flow, run: int, lanes: int) -> bool:
    """Take the run one planning step further. False if it has to wait for chunks or a planner."""
    with transaction(flow.source.database, CHUNK, by_key=True) as source:
        row = source.row(_RUN, {"run": run})
        if row is None:
            return False
        phase, cursor, in_scope = row
        return _PHASES[phase](_Page(source, flow, run, lanes, cursor, in_scope))


def _walk_source(page: _Page) -> bool:
    """Pass 1: every key of the source, in scope or not (what is not, is counted)."""
    size, source = page.size, page.flow.source
    statement = _SOURCE_PAGE.format(
        key=sql.name(source.key),
        table=sql.name(source.table),
        scope=_scope(page.flow),
        after=_after(page, f"source.{sql.name(source.key)}", source.key_type),
        add_chunks=_ADD_CHUNKS.format(lane=lane_sql("chosen.key", page.lanes)),
    )
    parameters = {"run": page.run, "phase": "source", "cursor": page.cursor, "page": size}
    row = page.source.row(statement, parameters)
    assert row is not None, "an aggregate returns a row"
    count, in_scope, last = row
    if count == size:
        page.move("source", last, planned=count, in_scope=in_scope)
    else:
        page.move("guard", None, planned=count, in_scope=in_scope)
    return True


def _guard(page: _Page) -> bool:
    """Between the passes: a source that shrank by half is more likely broken than right."""
    if page.flow.absent is Absent.KEEP:
        page.move("finish", None)
    elif page.in_scope * 2 < _usual(page):
        page.source.execute(_HOLD, {"run": page.run})
        page.move("finish", None)
    else:
        page.move("target", None)
    return True


def _usual(page: _Page) -> float:
    """How many units in scope are usual: the median of seven runs, else what the target holds."""
    median, runs_accepted = page.source.row(_ACCEPTED, {"flow": page.flow.name}) or (None, 0)
    if runs_accepted >= 3:
        return float(median)
    with transaction(page.flow.target.database, CHUNK) as target:
        return float(target.value(f"SELECT count(*) FROM {sql.name(page.flow.target.table)}"))


def _walk_target(page: _Page) -> bool:
    """Pass 2: the keys that only the target has."""
    size, flow = page.size, page.flow
    keys = _target_keys(page, size)
    statement = _NOT_IN_SOURCE.format(
        table=sql.name(flow.source.table),
        key=sql.name(flow.source.key),
        key_type=flow.source.key_type,
        scope=_scope(flow),
        add_chunks=_ADD_CHUNKS.format(lane=lane_sql("chosen.key", page.lanes)),
    )
    page.source.execute(statement, {"run": page.run, "phase": "target", "keys": array(keys)})
    if len(keys) == size:
        page.move("target", keys[-1])
    else:
        page.move("finish", None)
    return True


def _target_keys(page: _Page, size: int) -> list[str]:
    key = f"target.{sql.name(page.flow.target.key)}"
    statement = _TARGET_PAGE.format(
        key=sql.name(page.flow.target.key),
        table=sql.name(page.flow.target.table),
        after=_after(page, key, page.flow.key_column.type),
    )
    with transaction(page.flow.target.database, CHUNK, snapshot=True, by_key=True) as target:
        rows = target.rows(statement, {"cursor": page.cursor, "page": size})
    return [key for (key,) in rows]


def _finish(page: _Page) -> bool:
    if page.chunks_open():
        return False
    runs.finish(page.source, page.run)
    return True


_PHASES: dict[str, Callable[[_Page], bool]] = {
    "source": _walk_source,
    "guard": _guard,
    "target": _walk_target,
    "finish": _finish,
}


def _after(page: _Page, key: str, key_type: str) -> str:
    """The condition that goes on behind the run's cursor."""
    return "true" if page.cursor is None else f"{key} > %(cursor)s::{key_type}"


def _scope(flow: Flow) -> str:
    return flow.scope.sql if flow.scope else "true"
