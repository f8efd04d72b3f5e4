"""Extract: the source's side of a reconcile, mapped and masked within the source's own query.

Every record of the wanted keys that exists comes back with a verdict: `pass` carries its row;
`out_of_scope`, `deferred` and `judge` (the gate did not let it through) carry nothing. Keys that
do not exist return nothing at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from synctasks import sql
from synctasks.characters import blank_sql
from synctasks.database import Transaction, array
from synctasks.flow import Column, Flow, OnUpdate

# OFFSET 0 keeps the planner from judging a row anew wherever its verdict is looked at.
_EXTRACT = """\
SELECT
    wanted.key,
    judged.verdict,
    {outputs}
FROM unnest(
    %(keys)s::text[], %(captured)s::boolean[], %(made_keys)s::text[]
) AS wanted (key, captured, made_key)
JOIN {table} AS source ON {wanted_row}
CROSS JOIN LATERAL (
    SELECT
        CASE
            WHEN ({scope}) IS NOT TRUE THEN 'out_of_scope'
            WHEN wanted.captured AND ({event_filter}) IS NOT TRUE THEN 'deferred'
            WHEN NOT %(judged)s AND (
            {gate}
            ) IS NOT TRUE THEN 'judge'
            ELSE 'pass'
        END
    OFFSET 0
) AS judged (verdict)
LEFT JOIN LATERAL (
    SELECT
        {expressions}
    WHERE judged.verdict = 'pass'
) AS mapped ON true
"""

# One document, unless it is larger than one parameter should be, and what is absent.
_DOCUMENT = """\
SELECT
    CASE WHEN octet_length(aggregated.document) <= {most_bytes} THEN aggregated.document END,
    absent.at,
    absent.keys
FROM (
    SELECT coalesce(json_agg(extracted)::text, '[]') AS document
    FROM (
{extract}
    ) AS extracted
) AS aggregated
CROSS JOIN (
{absent}
) AS absent (at, keys)
"""

# The time is the run's, so that all that one run takes out of use bears the same one.
_ABSENT = """\
SELECT
    coalesce(
        (SELECT run.started_at FROM synctasks.run WHERE run.id = %(run)s),
        statement_timestamp()
    )::text,
    array_agg(wanted.key)
FROM unnest(%(keys)s::text[]) AS wanted (key)
WHERE NOT EXISTS (
    SELECT
    FROM {table} AS source
    WHERE {wanted_row} AND ({scope}) IS TRUE
)
"""

_NOT_ASKED = """\
SELECT NULL::text, NULL::text[]
"""

_IDENTITIES = """\
SELECT known.identity
FROM unnest(%(identities)s::text[]) AS known (identity)
WHERE EXISTS (
    SELECT
    FROM {table} AS source
    WHERE source.{identity} = known.identity::{type} AND ({scope}) IS TRUE
)
"""


@cache
def rows_sql(flow: Flow) -> str:
    """The query: parameters `keys` (text[]), `captured` (boolean[]), `judged` (boolean), and
    `made_keys` (text[]): the target's keys of units that it does not know yet, if it has its own.
    """
    return _EXTRACT.format(
        outputs=sql.names((column.name for column in flow.columns), of="mapped"),
        table=sql.name(flow.source.table),
        wanted_row=wanted_row(flow),
        scope=scope(flow),
        event_filter=flow.event_filter.sql if flow.event_filter else "true",
        gate=flow.contract.gate(),
        expressions=sql.lines((expression(flow, column) for column in flow.columns), indent=8),
    )


@cache
def copy_sql(flow: Flow) -> str:
    """The same rows as a binary COPY stream."""
    return f"COPY (\n{rows_sql(flow)}) TO STDOUT (FORMAT binary)"


@cache
def document_sql(flow: Flow, most_bytes: int, *, remove: bool) -> str:
    """The same rows as (a JSON document or NULL, the source's time, absent keys).

    `remove` asks for the last two; then with parameter `run`.
    """
    return _DOCUMENT.format(
        extract=rows_sql(flow),
        most_bytes=most_bytes,
        absent=absent_sql(flow) if remove else _NOT_ASKED,
    )


@cache
def absent_sql(flow: Flow) -> str:
    """The source's time (the run's), and those of the keys that it does not have in scope."""
    return _ABSENT.format(
        table=sql.name(flow.source.table), wanted_row=wanted_row(flow), scope=scope(flow)
    )


def identities(flow: Flow, wanted: Sequence[str], source: Transaction) -> set[str]:
    """Those of the identities that the source has in scope, under whichever key."""
    column = flow.identity_column
    assert column is not None, "asked of a flow whose target has an identity"
    statement = _IDENTITIES.format(
        table=sql.name(flow.source.table),
        identity=sql.name(column.reads),
        type=column.type,
        scope=scope(flow),
    )
    return {identity for (identity,) in source.rows(statement, {"identities": array(wanted)})}


def expression(flow: Flow, column: Column) -> str:
    """One output column: masked, and of the type in which it travels."""
    return f"{value(flow, column)} AS {sql.name(column.name)}"


def value(flow: Flow, column: Column) -> str:
    """The value of an output column, from the row `source`."""
    return f"({_plain_value(flow, column)})::{column.staged_type}"


def _plain_value(flow: Flow, column: Column) -> str:
    if flow.target.match and column.name == flow.target.key:
        return "wanted.made_key"
    if column.constant is not None:
        return sql.literal(column.constant)
    if column.reference:
        return column.reference.value
    read = sql.name(f"source.{column.reads}")
    if column.mask:
        return column.mask.sql.format(value=read)
    if column.on_update is OnUpdate.FILL and column.type == "text":
        # A blank says as little as a null, and must erase as little.
        return f"CASE WHEN NOT {blank_sql(read)} THEN {read} END"
    return read


def row_name(flow: Flow) -> str:
    """What names a row `source` where it has no key: its primary key, column by column."""
    own = (f"'{column} ' || {sql.name(f'source.{column}')}" for column in flow.source.row_key)
    return f"concat_ws(', ', {', '.join(own)})"


def wanted_row(flow: Flow) -> str:
    """The condition under which a row `source` is of the unit `wanted.key`."""
    key = sql.name(f"source.{flow.source.key}")
    same = f"{key} = wanted.key::{flow.source.key_type}"
    return f"({same} OR (wanted.key = '' AND {key} IS NULL))" if flow.source.key_nullable else same


def scope(flow: Flow) -> str:
    """The flow's own filter on the row `source`."""
    return flow.scope.sql if flow.scope else "true"
