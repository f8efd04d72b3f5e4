"""Review: source rows that nobody has updated for a long time are flagged, and no others.

A walk of the source adds flags, a walk of the flags takes away those that are no longer right.
Both go by the source's primary key, some rows at a time, each page in a transaction of its own:
dying between two of them leaves a walk to be taken up again.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from synctasks import sql
from synctasks.database import CHUNK, Transaction, array, transaction
from synctasks.engine import extract
from synctasks.flow import Database, Flow, Stale
from synctasks.rounds import Phase, Place

# Rows of an index and their heap: some tens of milliseconds.
_PAGE = 5_000

# One at a time turns a flow's pages: two could wait for each other's flags.
_ALONE = "SELECT pg_advisory_xact_lock(hashtextextended('synctasks review ' || %(flow)s, 0))"
_ALONE_MS = 30_000

# What is flagged already is left alone: a conflict would lock and log each row of it.
_FLAG = """\
WITH page AS MATERIALIZED (
    SELECT
        {row}::text AS record,
        {key} AS key,
        {column} AS last_updated,
        ({stale}) IS TRUE AS is_stale,
        row_number() OVER (ORDER BY {row}) AS place
    FROM {table} AS source
    WHERE {above}
    ORDER BY {row}
    LIMIT {page}
),
flagged AS (
    INSERT INTO synctasks.review (flow, record, key, last_updated)
    SELECT %(flow)s, page.record, page.key, page.last_updated
    FROM page
    WHERE page.is_stale
        AND NOT EXISTS (
            SELECT
            FROM synctasks.review AS known
            WHERE known.flow = %(flow)s
                AND known.record = page.record
                AND known.key = page.key
                AND known.last_updated = page.last_updated
        )
    ON CONFLICT (flow, record) DO UPDATE
    SET key = EXCLUDED.key, last_updated = EXCLUDED.last_updated
)
SELECT
    count(*),
    (array_agg(page.record ORDER BY page.place DESC))[1],
    count(*) FILTER (WHERE page.is_stale)
FROM page
"""

_FLAGS = """\
SELECT record
FROM synctasks.review
WHERE flow = %(flow)s AND {above}
ORDER BY record
LIMIT {page}
"""

# An array without a type takes that of the column: the source's index serves.
_UNFLAG = """\
WITH stale AS MATERIALIZED (
    SELECT {row}::text AS record
    FROM {table} AS source
    WHERE {row} = ANY (%(records)s) AND ({stale}) IS TRUE
)
DELETE FROM synctasks.review
WHERE flow = %(flow)s
    AND record = ANY (%(records)s::text[])
    AND record NOT IN (SELECT stale.record FROM stale)
"""

_LIST = """\
SELECT
    flow,
    key,
    last_updated,
    floor(extract(epoch FROM statement_timestamp() - last_updated) / 86400)::integer,
    record
FROM synctasks.review
WHERE (%(flow)s::text IS NULL OR flow = %(flow)s)
    AND (
        %(record)s::text IS NULL
        OR (last_updated, flow, record) > (%(last_updated)s, %(last_flow)s, %(record)s)
    )
ORDER BY last_updated, flow, record
LIMIT {page}
"""

_COUNT = """\
SELECT count(*)
FROM synctasks.review
WHERE (%(flow)s::text IS NULL OR flow = %(flow)s)
"""


@dataclass(frozen=True)
class Looked:
    """A page: where the next one begins (None: there is none), its rows, those that are stale."""

    next: Place | None
    rows: int
    stale: int


def alone(flow: Flow, source: Transaction) -> None:
    """Be the only one that looks at a page of the flow's, until the transaction ends."""
    source.wait_for_locks(_ALONE_MS)
    source.execute(_ALONE, {"flow": flow.name})
    source.wait_for_locks(CHUNK.lock_ms)


def look(flow: Flow, place: Place, source: Transaction) -> Looked:
    """Look at one page, in a transaction that is by key. Raises SynctasksError."""
    turn = _flag if place.phase is Phase.SOURCE else _unflag
    return turn(flow, place, source)


def _flag(flow: Flow, place: Place, source: Transaction) -> Looked:
    """Flag what is stale of the source's next rows."""
    row = source.row(_flag_sql(flow, place.low is None), _parameters(flow, place))
    assert row is not None, "an aggregate returns a row"
    rows, last, stale = row
    is_last = rows < _PAGE
    return Looked(Place(Phase.FINISH) if is_last else Place(low=last), rows, stale)


def _unflag(flow: Flow, place: Place, source: Transaction) -> Looked:
    """Take away those of the next flags that are no longer right."""
    parameters = _parameters(flow, place)
    statement = _FLAGS.format(above=_above("record", place.low is None), page=_PAGE)
    records = [record for (record,) in source.rows(statement, parameters)]
    if records:
        source.execute(_unflag_sql(flow), {**parameters, "records": array(records)})
    is_last = len(records) < _PAGE
    return Looked(None if is_last else Place(Phase.FINISH, records[-1]), 0, 0)


@cache
def _flag_sql(flow: Flow, from_the_start: bool) -> str:
    key = sql.name(f"source.{flow.source.key}")
    row, table, stale = _names(flow)
    return _FLAG.format(
        row=row,
        key=f"coalesce(nullif({key}::text, ''), {extract.row_name(flow)})",
        column=sql.name(f"source.{_rule(flow).column}"),
        stale=stale,
        table=table,
        above=_above(row, from_the_start),
        page=_PAGE,
    )


@cache
def _unflag_sql(flow: Flow) -> str:
    row, table, stale = _names(flow)
    return _UNFLAG.format(row=row, table=table, stale=stale)


def _names(flow: Flow) -> tuple[str, str, str]:
    """The column that names a source row, its table, and the condition that the row is stale."""
    [row] = flow.source.row_key
    column = sql.name(f"source.{_rule(flow).column}")
    stale = f"({extract.scope(flow)}) AND {column} <= statement_timestamp() - %(after)s"
    return sql.name(f"{row}"), sql.name(flow.source.table), stale


def _above(row: str, from_the_start: bool) -> str:
    return "true" if from_the_start else f"{row} > %(low)s"


def _parameters(flow: Flow, place: Place) -> dict[str, Any]:
    return {"flow": flow.name, "low": place.low, "after": _rule(flow).after}


def _rule(flow: Flow) -> Stale:
    assert flow.stale is not None, "only flows whose rows may be stale have this duty"
    return flow.stale


def flagged(flow: Flow | None = None) -> Iterator[dict[str, Any]]:
    """What is flagged, of one flow or all, the longest not updated first, a page at a time."""
    both = (_flagged_in(database, flow) for database in Database)
    for found in heapq.merge(*both, key=lambda found: found["last_updated"]):
        yield {**found, "last_updated": found["last_updated"].isoformat()}


def _flagged_in(database: Database, flow: Flow | None) -> Iterator[dict[str, Any]]:
    after: dict[str, Any] = dict.fromkeys(("last_updated", "last_flow", "record"))
    while True:
        wanted = {"flow": flow and flow.name, **after}
        with transaction(database) as tx:
            rows = tx.rows(_LIST.format(page=_PAGE), wanted)
        for name, key, last_updated, days, record in rows:
            yield {"flow": name, "key": key, "last_updated": last_updated, "days": days}
            after = {"last_updated": last_updated, "last_flow": name, "record": record}
        if len(rows) < _PAGE:
            return


def count(flow: Flow | None = None) -> int:
    """How many rows are flagged, of one flow or all."""
    found = 0
    for database in Database:
        with transaction(database) as tx:
            found += tx.value(_COUNT, {"flow": flow and flow.name})
    return found
