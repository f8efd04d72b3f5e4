"""Merge: the target's side of a reconcile, one statement that writes only what differs.

The anti-join comes first: `DO UPDATE … WHERE … IS DISTINCT FROM` would lock and log the rows
that do not differ, too.
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
WITH {staged}differing AS MATERIALIZED (
    SELECT
        staged.key AS unit,
        {columns}
    FROM staged
    LEFT JOIN {table} AS target ON {same_record}
    WHERE staged.verdict = 'pass'
        AND (
            target.{key} IS NULL
            OR ({staged_values}) IS DISTINCT FROM ({target_values})
        )
),
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
{removed}{outcome}"""

# Drains want the keys behind the counts.
_WITH_KEYS = """\
outcome AS (
    SELECT
        staged.key,
        CASE staged.verdict
            {verdict_boxes}
            ELSE CASE WHEN differing.unit IS NULL THEN 'unchanged' ELSE 'written' END
        END AS box
    FROM staged
    LEFT JOIN differing ON differing.unit = staged.key
    UNION ALL
    SELECT key, 'removed' FROM removed
)
SELECT box, count(*), array_agg(key)
FROM outcome
GROUP BY box
"""

# For a chunk of thousands the counts alone do, and cost less.
_COUNTS_ONLY = """\
outcome AS (
    SELECT CASE verdict {verdict_boxes} ELSE 'unchanged' END AS box, count(*) AS count
    FROM staged
    GROUP BY verdict
    UNION ALL
    SELECT 'unchanged', -count(*) FROM differing
    UNION ALL
    SELECT 'written', count(*) FROM differing
    UNION ALL
    SELECT 'removed', count(*) FROM removed
)
SELECT box, sum(count)::bigint, NULL
FROM outcome
GROUP BY box
"""

_REMOVE = """\
removable AS (
    SELECT target.{key}
    FROM unnest(%(keys)s::text[]) AS wanted (key)
    JOIN {table} AS target ON target.{key} = wanted.key::{key_type}
    WHERE NOT EXISTS (
            SELECT
            FROM staged
            WHERE staged.key = wanted.key AND staged.verdict <> 'out_of_scope'
        )
    ORDER BY target.{key}
    FOR UPDATE OF target
),
removed AS (
    DELETE FROM {table} AS target
    USING removable
    WHERE target.{key} = removable.{key}
    RETURNING target.{key}::text AS key
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
    indent=12,
)


@cache
def create_sql(flow: Flow) -> str:
    """The staging table of a batch that travels by COPY."""
    return _CREATE.format(columns=_typed(flow, indent=4))


COPY_SQL = "COPY staged FROM STDIN (FORMAT binary)"


@cache
def merge_sql(flow: Flow, *, from_document: bool, with_keys: bool) -> str:
    """The merge: parameters `keys`, and `document` if staged as one.

    `keys` are those whose row goes where the source has none. Returns rows
    (box, count, keys or NULL).
    """
    columns = [column.name for column in flow.columns]
    others = [column for column in columns if column != flow.target.key]
    return _MERGE.format(
        staged=_FROM_DOCUMENT.format(columns=_typed(flow, indent=8)) if from_document else "",
        columns=sql.names(columns, of="staged", indent=8),
        plain_columns=sql.names(columns, indent=8),
        table=sql.name(flow.target.table),
        key=sql.name(flow.target.key),
        same_record=f"target.{sql.name(flow.target.key)} = staged.{sql.name(flow.target.key)}",
        staged_values=", ".join(f"staged.{sql.name(name)}" for name in others),
        target_values=", ".join(f"target.{sql.name(name)}" for name in others),
        assignments=sql.lines(
            (f"{sql.name(name)} = EXCLUDED.{sql.name(name)}" for name in others), indent=8
        ),
        removed=_removed(flow),
        outcome=(_WITH_KEYS if with_keys else _COUNTS_ONLY).format(verdict_boxes=_VERDICT_BOXES),
    )


def _removed(flow: Flow) -> str:
    if flow.absent is Absent.KEEP:
        return _KEEP
    return _REMOVE.format(
        table=sql.name(flow.target.table),
        key=sql.name(flow.target.key),
        key_type=flow.key_column.type,
    )


def _typed(flow: Flow, *, indent: int) -> str:
    """The flow's columns with the target's types, which COPY's binary form relies on."""
    return sql.lines(
        (f"{sql.name(column.name)} {column.type}" for column in flow.columns), indent=indent
    )
