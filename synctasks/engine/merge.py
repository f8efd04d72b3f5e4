"""Merge: the target's side of a reconcile, one statement that writes only what differs.

The anti-join comes first: `DO UPDATE … WHERE … IS DISTINCT FROM` would lock and log the rows
that do not differ, too. Run dry, the same statement only says what it would do.
"""

from __future__ import annotations

from functools import cache

from synctasks import sql
from synctasks.engine.absent import removed_sql
from synctasks.engine.books import VERDICT_BOXES
from synctasks.engine.overwrite import flagged_sql, woken_sql, written_sql
from synctasks.engine.resolve import is_later, resolved_sql
from synctasks.flow import Column, Flow, OnUpdate

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
WITH {staged}{resolved}{renamed}differing AS MATERIALIZED (
    SELECT
        staged.key AS unit,
        target.{key} IS NULL AS is_new,
        {superseded} AS superseded,
        {columns}
    FROM {rows} AS staged
    LEFT JOIN {table} AS target ON target.{key} = staged.{key}
    WHERE staged.verdict = 'pass'{not_renamed}
        AND (
            target.{key} IS NULL{or_later}
            OR ({staged_values}) IS DISTINCT FROM ({target_values})
        )
),
{written}{flagged}{woken}{removed}{outcome}"""

# Each key with its box: for a drain, which counts those that it was the one to forget.
_BY_KEY = """\
outcome AS (
    SELECT
        staged.key,
        CASE
            WHEN staged.verdict <> 'pass' THEN
                CASE staged.verdict
                    {verdict_boxes}
                    ELSE staged.verdict
                END
            {renamed_box}WHEN differing.unit IS NULL THEN 'unchanged'
            WHEN differing.superseded THEN 'superseded'
            {written_boxes}
        END AS box
    FROM {rows} AS staged
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
            WHEN 'pass' THEN 'unchanged'
            ELSE staged.verdict
        END AS box,
        count(*) AS count,
        array_agg(staged.key) FILTER (
            WHERE staged.verdict NOT IN ('pass', 'out_of_scope', 'deferred')
                OR staged.key = ANY (%(named)s::text[])
        ) AS keys
    FROM {rows} AS staged
    GROUP BY staged.verdict
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

_WRITTEN_BOX = "ELSE 'written'"
_DRY_BOXES = "WHEN differing.is_new THEN 'missing' ELSE 'different'"

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
    of keys those that are not done with (to judge, waiting, refused) and those named.
    """
    return _MERGE.format(
        staged=_FROM_DOCUMENT.format(columns=_typed(flow, indent=8)) if from_document else "",
        resolved=resolved_sql(flow) if flow.resolves else "",
        rows=_rows(flow),
        columns=sql.names((column.name for column in flow.columns), of="staged", indent=8),
        table=sql.name(flow.target.table),
        key=sql.name(flow.target.key),
        superseded=_superseded(flow),
        or_later=_or_later(flow),
        staged_values=", ".join(_staged_value(each) for each in flow.compared),
        target_values=", ".join(f"target.{sql.name(each.name)}" for each in flow.compared),
        written="" if dry else written_sql(flow),
        flagged="" if dry else flagged_sql(flow),
        woken="" if dry else woken_sql(flow),
        removed=removed_sql(flow, dry=dry),
        outcome=(_BY_KEY if by_key else _COUNTED).format(
            rows=_rows(flow),
            verdict_boxes=_VERDICT_BOXES,
            written_boxes=_DRY_BOXES if dry else _WRITTEN_BOX,
            removed_box="'extra'" if dry else "'removed'",
            renamed_box=_RENAMED_BOX if flow.target.identity else "",
            renamed_counted=_RENAMED_COUNTED if flow.target.identity else "",
        ),
        renamed=_renamed(flow),
        not_renamed=_NOT_RENAMED if flow.target.identity else "",
    )


def _rows(flow: Flow) -> str:
    return "resolved" if flow.resolves else "staged"


def _superseded(flow: Flow) -> str:
    if flow.target.newest is None:
        return "false"
    key = sql.name(flow.target.key)
    return f"target.{key} IS NOT NULL AND NOT {is_later(flow, 'staged', 'target')}"


def _or_later(flow: Flow) -> str:
    if flow.target.newest is None:
        return ""
    return f"\n            OR {is_later(flow, 'staged', 'target')}"


def _staged_value(column: Column) -> str:
    """What the target's row would hold; a null may leave it as it is."""
    name = sql.name(column.name)
    if column.on_update is OnUpdate.FILL:
        return f"coalesce(staged.{name}, target.{name})"
    return f"staged.{name}"


def _renamed(flow: Flow) -> str:
    if flow.target.identity is None:
        return ""
    return _RENAMED.format(
        table=sql.name(flow.target.table),
        key=sql.name(flow.target.key),
        identity=sql.name(flow.target.identity),
    )


def _typed(flow: Flow, *, indent: int) -> str:
    """The flow's columns with the types they travel in, which COPY's binary form relies on."""
    return sql.lines(
        (f"{sql.name(column.name)} {column.staged_type}" for column in flow.columns), indent=indent
    )
