"""Absent: what becomes of target rows whose unit is gone from the source, or out of scope."""

from __future__ import annotations

from collections.abc import Sequence

from synctasks import sql
from synctasks.database import Transaction, array
from synctasks.engine.resolve import ambiguous_sql, same_row
from synctasks.flow import Absent, Flow

# %(absent)s: the keys that the source does not have in scope.
_REMOVABLE = """\
removable AS (
    SELECT target.{key}
    FROM unnest(%(absent)s::text[]) AS absent (key)
    JOIN {table} AS target ON target.{key} = absent.key::{key_type}
    WHERE {in_use}{lock}
),
"""

_LOCK = """
    ORDER BY {row_key}
    FOR UPDATE OF target"""

# The rows of wide units that none of their records stands for, locked: so they stay where they are.
# %(units)s: the units that were read.
_LEAVING = """\
leaving AS MATERIALIZED (
    SELECT unit.key AS key, target.ctid::text AS place
    FROM {units} AS unit (key)
    JOIN {table} AS target ON target.{key} = nullif(unit.key, '')::{key_type}
    WHERE NOT EXISTS (
        SELECT
        FROM {rows} AS staged
        WHERE {same_row} AND staged.verdict NOT IN ({over})
    ){ambiguous}{decided}{lock}
),
"""

_UNITS = "unnest(%(units)s::text[])"

# A unit of which nothing is left is left alone; what is left may be out of scope.
_UNITS_THERE = "(SELECT DISTINCT staged.key FROM {rows} AS staged)"

_DECIDED = """
        AND unit.key NOT IN (SELECT undecided.key FROM undecided)"""

_OVER = "'out_of_scope', 'outranked', 'refused_outranked', 'unknown'"

_LET_GO = """\
DELETE FROM {table} AS target
USING unnest(%(keys)s::text[], %(places)s::tid[]) AS leaving (key, place)
WHERE target.{key} = leaving.key::{key_type} AND target.ctid = leaving.place
RETURNING leaving.key
"""

_WOULD_LEAVE = """\
removed AS (
    SELECT key FROM leaving
),
"""

_DELETE = """\
removed AS (
    DELETE FROM {table} AS target
    USING removable
    WHERE target.{key} = removable.{key}
    RETURNING target.{key}::text AS key
),
"""

_DEACTIVATE = """\
removed AS (
    UPDATE {table} AS target
    SET {column} = {value}, {stamp} = %(at)s::timestamptz
    FROM removable
    WHERE target.{key} = removable.{key}
    RETURNING target.{key}::text AS key
),
"""

_WOULD_REMOVE = """\
removed AS (
    SELECT {key}::text AS key FROM removable
),
"""

_KEEP = """\
removed AS (
    SELECT NULL::text AS key WHERE false
),
"""


def in_use(flow: Flow) -> str:
    """The condition on a row `target` that is not out of use, where the flow deactivates."""
    if flow.deactivation is None:
        return "true"
    column, value = flow.deactivation.column, flow.deactivation.value
    return f"target.{sql.name(column)} IS DISTINCT FROM {sql.literal(value)}"


def removes_within(flow: Flow) -> bool:
    """Whether rows may go although their unit is there."""
    return flow.wide and flow.absent is not Absent.KEEP


def removed_sql(flow: Flow, rows: str, *, dry: bool) -> str:
    """The common table expression `removed`; run dry, it only names what would go.

    Of wide units it removes nothing: `leaving` says which rows may go. `rows` is the common table
    expression of the rows with their last verdicts.
    """
    if flow.absent is Absent.KEEP:
        return _KEEP
    if flow.wide:
        return _removed_within(flow, rows, dry=dry)
    table, key = sql.name(flow.target.table), sql.name(flow.target.key)
    removable = _REMOVABLE.format(
        table=table,
        key=key,
        key_type=flow.key_column.type,
        in_use=in_use(flow),
        lock="" if dry else _LOCK.format(row_key=f"target.{key}"),
    )
    if dry:
        return removable + _WOULD_REMOVE.format(key=key)
    if flow.deactivation is None:
        return removable + _DELETE.format(table=table, key=key)
    return removable + _DEACTIVATE.format(
        table=table,
        key=key,
        column=sql.name(flow.deactivation.column),
        value=sql.literal(flow.deactivation.value),
        stamp=sql.name(flow.deactivation.stamp),
    )


def _removed_within(flow: Flow, rows: str, *, dry: bool) -> str:
    row_key = ", ".join(f"target.{sql.name(each)}" for each in flow.target.row_key)
    there = flow.absent is Absent.DELETE_WITHIN
    leaving = _LEAVING.format(
        row_key=row_key,
        units=_UNITS_THERE.format(rows=rows) if there else _UNITS,
        table=sql.name(flow.target.table),
        key=sql.name(flow.target.key),
        key_type=flow.key_column.type,
        rows=rows,
        same_row=same_row(flow, "target", "staged"),
        over=_OVER,
        ambiguous="".join(f"\n        AND NOT {each}" for each in ambiguous_sql(flow)),
        decided=_DECIDED if flow.target.best else "",
        lock="" if dry else _LOCK.format(row_key=row_key),
    )
    return leaving + (_WOULD_LEAVE if dry else _KEEP)


def let_go(flow: Flow, leaving: Sequence[tuple[str, str]], target: Transaction) -> list[str]:
    """Delete rows that a merge found to be leaving, (unit, place) pairs: the units, once a row."""
    statement = _LET_GO.format(
        table=sql.name(flow.target.table),
        key=sql.name(flow.target.key),
        key_type=flow.key_column.type,
    )
    keys, places = zip(*leaving, strict=True)
    wanted = {"keys": array(keys), "places": array(places)}
    return [key for (key,) in target.rows(statement, wanted)]
