"""Merge: the target's side of a reconcile, one statement that writes only what differs.

The anti-join comes first: `DO UPDATE … WHERE … IS DISTINCT FROM` would lock and log the rows
that do not differ, too. Run dry, the same statement only says what it would do.
"""

from __future__ import annotations

from functools import cache

from synctasks import sql
from synctasks.engine.books import VERDICT_BOXES
from synctasks.flow import Absent, Flow

_CREATE = """\
CREATE TEMPORARY TABLE staged (
    key text,
    verdict text,
    {columns}
) ON COMMIT DROP
"""

_FROM_DOCUMENT = """\
staged AS MATERIALIZED (
    SELECT *
    FROM json_to_recordset(%(document)s::json) AS document (
        key text,
        verdict text,
        {columns}
    )
),
"""

_MERGE = """\
WITH {staged}{renamed}differing AS MATERIALIZED (
    SELECT
        staged.key AS unit,
        target.{key} IS NULL AS is_new,
        {columns}
    FROM staged
    LEFT JOIN {table} AS target ON {same_record}
    WHERE staged.verdict = 'pass'{not_renamed}
        AND (
            target.{key} IS NULL
            OR ({staged_values}) IS DISTINCT FROM ({target_values})
        )
),
{written}{removed}{outcome}"""

# Each key with its box: for a drain, which counts those that it was the one to forget.
_BY_KEY = """\
outcome AS (
    SELECT
        staged.key,
        CASE
            WHEN staged.verdict <> 'pass' THEN
                CASE staged.verdict
                    {verdict_boxes}
                END
            {renamed_box}WHEN differing.unit IS NULL THEN 'unchanged'
            {written_boxes}
        END AS box
    FROM staged
    LEFT JOIN differing ON differing.unit = staged.key
    UNION ALL
    SELECT key, {removed_box} FROM removed
)
SELECT box, count(*), array_agg(key)
FROM outcome
GROUP BY box
"""

# For a chunk of thousands the counts do, and cost no join; a few keys are asked for by name.
_COUNTED = """\
outcome AS (
    SELECT
        CASE staged.verdict
            {verdict_boxes}
            ELSE 'unchanged'
        END AS box,
        count(*) AS count,
        array_agg(key) FILTER (
            WHERE verdict = 'judge' OR key = ANY (%(named)s::text[])
        ) AS keys
    FROM staged
    GROUP BY verdict
    UNION ALL
    SELECT 'unchanged', -count(*), NULL FROM differing
    UNION ALL
    SELECT 'written', count(*), NULL FROM differing
    UNION ALL
    SELECT 'removed', count(*), NULL FROM removed
{renamed_counted})
SELECT box, count, keys
FROM outcome
"""

# Units that come with the identity of another row.
_RENAMED = """\
renamed AS MATERIALIZED (
    SELECT staged.key
    FROM staged
    JOIN {table} AS target ON target.{identity} = staged.{identity}
    WHERE staged.verdict = 'pass' AND target.{key} <> staged.{key}
),
"""

_NOT_RENAMED = """
        AND NOT EXISTS (SELECT FROM renamed WHERE renamed.key = staged.key)"""

_RENAMED_BOX = """\
WHEN EXISTS (SELECT FROM renamed WHERE renamed.key = staged.key) THEN 'renamed'
            """

_RENAMED_COUNTED = """\
    UNION ALL
    SELECT 'unchanged', -count(*), NULL FROM renamed
    UNION ALL
    SELECT 'renamed', count(*), array_agg(key) FROM renamed
"""

_WRITE = """\
written AS (
    INSERT INTO {table} (
        {plain_columns}
    )
    SELECT
        {plain_columns}
    FROM differing
    ORDER BY {key}
    ON CONFLICT ({key}) DO UPDATE SET
        {assignments}
),
"""

_WRITTEN_BOX = "ELSE 'written'"
_DRY_BOXES = "WHEN differing.is_new THEN 'missing' ELSE 'different'"

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

_VERDICT_BOXES = sql.lines(
    (
        f"WHEN {sql.literal(verdict)} THEN {sql.literal(box)}"
        for verdict, box in VERDICT_BOXES.items()
    ),
    separator="",
    indent=20,
)

COPY_SQL = "COPY staged FROM STDIN (FORMAT binary)"

# Another batch of the same transaction stages anew.
DROP_SQL = "DROP TABLE staged"


@cache
def create_sql(flow: Flow) -> str:
    """The staging table of a batch that travels by COPY."""
    return _CREATE.format(columns=_typed(flow, indent=4))


@cache
def merge_sql(flow: Flow, *, from_document: bool, dry: bool, by_key: bool) -> str:
    """The merge: parameters `absent`, `at`, `named`, and `document` if staged as one.

    Returns rows (box, count, keys): by key, each key once for each record; else the counts, and
    of keys those to judge and those named.
    """
    columns = [column.name for column in flow.columns]
    compared = [column.name for column in flow.compared]
    return _MERGE.format(
        staged=_FROM_DOCUMENT.format(columns=_typed(flow, indent=8)) if from_document else "",
        columns=sql.names(columns, of="staged", indent=8),
        table=sql.name(flow.target.table),
        key=sql.name(flow.target.key),
        same_record=f"target.{sql.name(flow.target.key)} = staged.{sql.name(flow.target.key)}",
        staged_values=", ".join(f"staged.{sql.name(name)}" for name in compared),
        target_values=", ".join(f"target.{sql.name(name)}" for name in compared),
        written="" if dry else _written(flow),
        removed=_removed(flow, dry=dry),
        outcome=(_BY_KEY if by_key else _COUNTED).format(
            verdict_boxes=_VERDICT_BOXES,
            written_boxes=_DRY_BOXES if dry else _WRITTEN_BOX,
            removed_box="'extra'" if dry else "'removed'",
            renamed_box=_RENAMED_BOX if flow.target.identity else "",
            renamed_counted=_RENAMED_COUNTED if flow.target.identity else "",
        ),
        renamed=_renamed(flow),
        not_renamed=_NOT_RENAMED if flow.target.identity else "",
    )


def in_use(flow: Flow) -> str:
    """The condition on a row `target` that is not out of use, where the flow deactivates."""
    if flow.deactivation is None:
        return "true"
    column, value = flow.deactivation.column, flow.deactivation.value
    return f"target.{sql.name(column)} IS DISTINCT FROM {sql.literal(value)}"


def _written(flow: Flow) -> str:
    return _WRITE.format(
        table=sql.name(flow.target.table),
        key=sql.name(flow.target.key),
        plain_columns=sql.names((column.name for column in flow.columns), indent=8),
        assignments=sql.lines(
            (f"{sql.name(each.name)} = EXCLUDED.{sql.name(each.name)}" for each in flow.compared),
            indent=8,
        ),
    )


def _renamed(flow: Flow) -> str:
    if flow.target.identity is None:
        return ""
    return _RENAMED.format(
        table=sql.name(flow.target.table),
        key=sql.name(flow.target.key),
        identity=sql.name(flow.target.identity),
    )


def _removed(flow: Flow, *, dry: bool) -> str:
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


def _typed(flow: Flow, *, indent: int) -> str:
    """The flow's columns with the target's types, which COPY's binary form relies on."""
    return sql.lines(
        (f"{sql.name(column.name)} {column.type}" for column in flow.columns), indent=indent
    )
