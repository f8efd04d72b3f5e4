"""Absent: what becomes of target rows whose unit is gone from the source, or out of scope."""

from __future__ import annotations

from synctasks import sql
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
    ORDER BY target.{key}
    FOR UPDATE OF target"""

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


def removed_sql(flow: Flow, *, dry: bool) -> str:
    """The common table expression `removed`; run dry, it only names what would go."""
    if flow.absent is Absent.KEEP:
        return _KEEP
    table, key = sql.name(flow.target.table), sql.name(flow.target.key)
    removable = _REMOVABLE.format(
        table=table,
        key=key,
        key_type=flow.key_column.type,
        in_use=in_use(flow),
        lock="" if dry else _LOCK.format(key=key),
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
