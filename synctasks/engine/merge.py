"""Merge: the target's side of a reconcile, one statement that writes only what differs.

The anti-join comes first: `DO UPDATE … WHERE … IS DISTINCT FROM` would lock and log the rows
that do not differ, too. Run dry, the same statement only says what it would do.
"""

from __future__ import annotations

from functools import cache

from synctasks import sql
from synctasks.engine import taken
from synctasks.engine.absent import removed_sql, removes_within
from synctasks.engine.best import ranked_sql
from synctasks.engine.books import VERDICT_BOXES
from synctasks.engine.overwrite import flagged_sql, woken_sql, written_sql
from synctasks.engine.resolve import is_later, name_of, resolved_sql, same_row
from synctasks.engine.taken import claims_sql, may_be_taken, taken_sql
from synctasks.flow import Column, Flow, OnUpdate

_CREATE = """\
CREATE TEMPORARY TABLE staged (
    key text,
    {record}verdict text,
    {columns}
) ON COMMIT DROP
"""

_FROM_DOCUMENT = """\
staged AS MATERIALIZED (
    SELECT *
    FROM json_to_recordset(%(document)s::json) AS document (
        key text,
        {record}verdict text,
        {columns}
    )
),
"""

_MERGE = """\
WITH {staged}{resolved}{ranked}{taken}differing AS MATERIALIZED (
    SELECT
        staged.{name} AS unit,
        target.{key} IS NULL AS is_new,
        {superseded} AS superseded,
        {columns}
    FROM {rows} AS staged
    LEFT JOIN {table} AS target ON {same_row}
    WHERE staged.verdict = 'pass'{not_taken}
        AND (
            target.{key} IS NULL{or_later}
            OR ({staged_values}) IS DISTINCT FROM ({target_values})
        )
),
{written}{claims}{flagged}{woken}{removed}{outcome}"""

# Each key with its box: for a drain, which counts those that it was the one to forget.
_BY_KEY = """\
outcome AS (
    SELECT
        staged.key,
        {record} AS record,
        CASE
            WHEN staged.verdict <> 'pass' THEN
                CASE staged.verdict
                    {verdict_boxes}
                    ELSE staged.verdict
                END
            {taken_box}WHEN differing.unit IS NULL THEN 'unchanged'
            WHEN differing.superseded THEN 'superseded'
            {written_boxes}
        END AS box
    FROM {rows} AS staged
    LEFT JOIN differing ON differing.unit = staged.{name}
    UNION ALL
    SELECT key, key, {removed_box} FROM removed{leftover}
)
SELECT box, count(*), array_agg(key), {records}
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
        array_agg(staged.key) FILTER (WHERE {is_named}) AS keys,
        {records} AS records
    FROM {rows} AS staged
    GROUP BY staged.verdict
    UNION ALL
    SELECT 'unchanged', -count(*), NULL, NULL FROM differing
    UNION ALL
    SELECT 'written', count(*), NULL, NULL FROM differing
    UNION ALL
    SELECT 'removed', count(*), NULL, NULL FROM removed{leftover}
{taken_counted})
SELECT box, count, keys, records
FROM outcome
"""

# What a wide unit no longer has: where its rows stand.
_LEFTOVER_BY_KEY = """
    UNION ALL
    SELECT key, place, 'leftover' FROM leaving"""

_LEFTOVER_COUNTED = """
    UNION ALL
    SELECT 'leftover', count(*), array_agg(key), array_agg(place) FROM leaving"""

# Of a chunk's records those are named that are not done with.
_IS_NAMED = """\
staged.verdict NOT IN ({done})
                OR staged.key = ANY (%(named)s::text[])\
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

# The verdicts of records that nobody has to come back to.
_DONE = ", ".join(
    sql.literal(each)
    for each in ("pass", *(verdict for verdict, box in VERDICT_BOXES.items() if box != "judge"))
)

COPY_SQL = "COPY staged FROM STDIN (FORMAT binary)"

# Another batch of the same transaction stages anew.
DROP_SQL = "DROP TABLE staged"


@cache
def create_sql(flow: Flow) -> str:
    """The staging table of a batch that travels by COPY."""
    return _CREATE.format(record=_record(flow, indent=4), columns=_typed(flow, indent=4))


@cache
def merge_sql(flow: Flow, *, from_document: bool, dry: bool, by_key: bool) -> str:
    """The merge: parameters `absent`, `units`, `at`, `named`, and `document` if staged as one.

    Returns rows (box, count, keys, records): by key, each key once for each record; else the
    counts, and of keys those that are not done with (to judge, waiting, refused) and those named.
    """
    rows = _rows(flow)
    document = _FROM_DOCUMENT.format(record=_record(flow, indent=8), columns=_typed(flow, indent=8))
    resolved = "resolved" if flow.resolves else "staged"
    return _MERGE.format(
        staged=document if from_document else "",
        resolved=resolved_sql(flow) if flow.resolves else "",
        ranked=ranked_sql(flow, resolved),
        rows=rows,
        name=name_of(flow),
        same_row=same_row(flow, "target", "staged"),
        columns=sql.names((column.name for column in flow.columns), of="staged", indent=8),
        table=sql.name(flow.target.table),
        key=sql.name(flow.target.key),
        superseded=_superseded(flow),
        or_later=_or_later(flow),
        staged_values=", ".join(_staged_value(each) for each in flow.compared),
        target_values=", ".join(f"target.{sql.name(each.name)}" for each in flow.compared),
        written="" if dry else written_sql(flow),
        claims="" if dry else claims_sql(flow, rows),
        flagged="" if dry else flagged_sql(flow),
        woken="" if dry else woken_sql(flow),
        removed=removed_sql(flow, rows, dry=dry),
        outcome=_outcome(flow, rows, dry=dry, by_key=by_key),
        taken=taken_sql(flow, rows),
        not_taken=taken.NOT_TAKEN if may_be_taken(flow) else "",
    )


def _outcome(flow: Flow, rows: str, *, dry: bool, by_key: bool) -> str:
    """What became of the rows: the last common table expression, and the query of it."""
    leaves = removes_within(flow) and not dry
    return (_BY_KEY if by_key else _COUNTED).format(
        rows=rows,
        name=name_of(flow),
        record=f"staged.{name_of(flow)}",
        records=_records(flow, by_key=by_key),
        is_named=_IS_NAMED.format(done=_DONE),
        leftover=(_LEFTOVER_BY_KEY if by_key else _LEFTOVER_COUNTED) if leaves else "",
        verdict_boxes=_VERDICT_BOXES,
        written_boxes=_DRY_BOXES if dry else _WRITTEN_BOX,
        removed_box="'extra'" if dry else "'removed'",
        taken_box=taken.BOX if may_be_taken(flow) else "",
        taken_counted=taken.COUNTED if may_be_taken(flow) else "",
    )


def _rows(flow: Flow) -> str:
    if flow.target.best:
        return "ranked"
    return "resolved" if flow.resolves else "staged"


def _records(flow: Flow, *, by_key: bool) -> str:
    """The names of the records of a box, where they are not their units'."""
    if not flow.source.query:
        return "NULL::text[]"
    if by_key:
        return "array_agg(record)"
    return f"array_agg(staged.record) FILTER (WHERE {_IS_NAMED.format(done=_DONE)})"


def _record(flow: Flow, *, indent: int) -> str:
    """The staged column that names the record, where its unit does not."""
    return f"record text,\n{' ' * indent}" if flow.source.query else ""


def _superseded(flow: Flow) -> str:
    if flow.target.newest is None:
        return "false"
    key = sql.name(flow.target.key)
    later = is_later(flow, "staged", "target", or_same=flow.target.newest_ties)
    return f"target.{key} IS NOT NULL AND NOT {later}"


def _or_later(flow: Flow) -> str:
    if flow.target.newest is None:
        return ""
    return f"\n            OR {is_later(flow, 'staged', 'target')}"


def _staged_value(column: Column) -> str:
    """What the target's row would hold; a null may leave it as it is."""
    name = sql.name(column.name)
    if column.on_update is OnUpdate.FILL:
        return f"coalesce(staged.{name}, target.{name})"
    if column.on_update is OnUpdate.LATEST:
        return f"greatest(staged.{name}, target.{name})"
    return f"staged.{name}"


def _typed(flow: Flow, *, indent: int) -> str:
    """The flow's columns with the types they travel in, which COPY's binary form relies on."""
    typed = [f"{sql.name(column.name)} {column.staged_type}" for column in flow.columns]
    if flow.target.best:
        typed.insert(0, "standing numeric")
    return sql.lines(typed, indent=indent)
