"""Planning: one page of keys becomes chunks, one a lane.

Each page is one short transaction in which the run's cursor moves, so a planner that dies is
carried on by the next worker where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from synctasks import sql
from synctasks.database import CHUNK, Transaction, transaction
from synctasks.engine.refresh import runs
from synctasks.flow import Absent, Flow
from synctasks.lane import lane_sql

# A chunk should hold its lane for 200 ms, so that an event waits little.
_CHUNK_MS = 200
_CHUNK_ROWS = range(500, 20_001)

# SKIP LOCKED: while another worker plans a page, this one has chunks to work on.
_RUN = """\
SELECT phase, cursor_key, planned, in_scope
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

_CHUNKS = """\
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
    FROM unnest(%(keys)s::text[]) AS chosen (key)
    {only}
    GROUP BY 1
) AS grouped,
(
    SELECT coalesce(max(number), 0) AS last
    FROM synctasks.chunk
    WHERE run = %(run)s
) AS numbered
"""

_NOT_IN_SOURCE = """\
WHERE NOT EXISTS (
        SELECT
        FROM {table} AS source
        WHERE source.{key} = chosen.key::{key_type} AND ({scope}) IS TRUE
    )"""

# In the table's own order, so that its index on the key serves.
_PAGE = """\
SELECT source.{key}::text, ({scope}) IS TRUE
FROM {table} AS source
WHERE {after}
ORDER BY source.{key}
LIMIT %(page)s
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
        pace = self.source.value(_PACE, {"run": self.run}) or 10
        rows = min(max(int(pace * _CHUNK_MS), _CHUNK_ROWS.start), _CHUNK_ROWS.stop)
        return rows * self.lanes

    def move(self, phase: str, cursor: str | None, planned: int = 0, in_scope: int = 0) -> None:
        moved = {"phase": phase, "cursor": cursor, "planned": planned, "in_scope": in_scope}
        self.source.execute(_MOVE, {"run": self.run, **moved})

    def chunks_open(self) -> bool:
        return bool(self.source.value(_OPEN, {"run": self.run}))

    def add_chunks(self, phase: str, keys: list[str], only: str = "") -> None:
        statement = _CHUNKS.format(lane=lane_sql("chosen.key", self.lanes), only=only)
        self.source.execute(statement, {"run": self.run, "phase": phase, "keys": keys})


def plan(flow: Flow, run: int, lanes: int) -> bool:
    """Take the run one planning step further. False if it has to wait for chunks or a planner."""
    with transaction(flow.source.database, CHUNK) as source:
        row = source.row(_RUN, {"run": run})
        if row is None:
            return False
        phase, cursor, _, in_scope = row
        return _PHASES[phase](_Page(source, flow, run, lanes, cursor, in_scope))


def _walk_source(page: _Page) -> bool:
    """Pass 1: every key of the source, in scope or not (what is not, is counted)."""
    size = page.size
    keys = _read_page(page, page.source, page.flow.source.table, page.flow.source.key, size)
    page.add_chunks("source", [key for key, _ in keys])
    page.move(
        "source" if len(keys) == size else "guard",
        keys[-1][0] if len(keys) == size else None,
        planned=len(keys),
        in_scope=sum(in_scope for _, in_scope in keys),
    )
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
    with transaction(flow.target.database, CHUNK, snapshot=True) as target:
        keys = _read_page(page, target, flow.target.table, flow.target.key, size)
    only = _NOT_IN_SOURCE.format(
        table=sql.name(flow.source.table),
        key=sql.name(flow.source.key),
        key_type=flow.source.key_type,
        scope=_scope(flow),
    )
    page.add_chunks("target", [key for key, _ in keys], only)
    more = len(keys) == size
    page.move("target" if more else "finish", keys[-1][0] if more else None)
    return True


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


def _read_page(
    page: _Page, side: Transaction, table: str, key: str, size: int
) -> list[tuple[str, bool]]:
    """The next keys of a table behind the cursor, and whether each is in the source's scope."""
    at_source = side is page.source
    column = page.flow.key_column
    key_type = page.flow.source.key_type if at_source else column.type
    statement = _PAGE.format(
        key=sql.name(key),
        table=sql.name(table),
        scope=_scope(page.flow) if at_source else "true",
        after="true" if page.cursor is None else f"source.{sql.name(key)} > %(cursor)s::{key_type}",
    )
    return side.rows(statement, {"cursor": page.cursor, "page": size})


def _scope(flow: Flow) -> str:
    return flow.scope.sql if flow.scope else "true"
