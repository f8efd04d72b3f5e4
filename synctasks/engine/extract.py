"""Extract: the source's side of a reconcile, mapped and masked within the source's own query.

Every record of the wanted units comes back with a verdict: `pass` carries its row; `out_of_scope`,
`deferred`, `waiting` (not ripe yet) and `judge` (the gate did not let it through) do not. Units
that do not exist return nothing at all. Where a unit may have many rows, each record carries the
key of its row, whatever its verdict, and is named.
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
    {record}judged.verdict,
    {standing}{outputs}
FROM unnest(
    %(keys)s::text[], %(captured)s::boolean[], %(made_keys)s::text[]
) AS wanted (key, captured, made_key)
JOIN {records} ON {wanted_row}
CROSS JOIN LATERAL (
    SELECT
        CASE
            WHEN ({scope}) IS NOT TRUE THEN 'out_of_scope'
            WHEN wanted.captured AND ({event_filter}) IS NOT TRUE THEN 'deferred'
            {unripe}{judging}
            ELSE 'pass'
        END
    OFFSET 0
) AS judged (verdict)
LEFT JOIN LATERAL (
    SELECT
        {expressions}
    WHERE judged.verdict {carrying}
) AS mapped ON true
{accepted}"""

_UNRIPE = """\
WHEN ({unripe}) IS TRUE THEN 'waiting'
            """

# A judged batch consists of records that were accepted.
_JUDGE = """\
WHEN NOT %(judged)s AND (
            {gate}
            ) IS NOT TRUE THEN 'judge'"""

# A judged batch of wide units holds what was refused, too.
_JUDGE_BY_RECORD = """\
WHEN (
            {gate}
            ) IS NOT TRUE THEN
                CASE
                    WHEN NOT %(judged)s THEN 'judge'
                    WHEN {record} = ANY (%(accepted)s::text[]) THEN 'pass'
                    ELSE 'refused'
                END"""

_ONLY_ACCEPTED = """\
WHERE NOT %(judged)s OR {record} = ANY (%(accepted)s::text[])
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
    FROM {records}
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
    """The query: parameters `keys` (text[]), `captured` (boolean[]), `judged` (boolean), `accepted`
    (text[]: the records that were judged valid), and `made_keys` (text[]): the target's keys of
    units that it does not know yet, if it has its own.
    """
    query, best = flow.source.query, flow.target.best
    gate = flow.contract.gate()
    judging = _JUDGE_BY_RECORD if query else _JUDGE
    outputs = sql.names((column.name for column in flow.columns), of="mapped")
    return _EXTRACT.format(
        record=f"{query.record} AS record,\n    " if query else "",
        standing="mapped.standing,\n    " if best else "",
        outputs=outputs,
        records=records(flow),
        wanted_row=wanted_row(flow),
        scope=scope(flow),
        event_filter=flow.event_filter.sql if flow.event_filter else "true",
        unripe=_UNRIPE.format(unripe=flow.unripe.sql) if flow.unripe else "",
        judging=judging.format(gate=gate, record=query.record if query else ""),
        expressions=sql.lines(_expressions(flow), indent=8),
        carrying="<> 'out_of_scope'" if flow.wide else "= 'pass'",
        accepted=_ONLY_ACCEPTED.format(record=query.record) if query and not best else "",
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
    return _ABSENT.format(records=records(flow), wanted_row=wanted_row(flow), scope=scope(flow))


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


def _expressions(flow: Flow) -> list[str]:
    """The output columns, masked and typed; of a wide unit only row keys travel without a pass."""
    found = []
    if flow.target.best:
        exact = flow.target.best.exact
        found.append(f"CASE WHEN judged.verdict = 'pass' THEN {exact} END AS standing")
    for column in flow.columns:
        if flow.wide and column.name not in flow.target.row_key:
            passing = f"CASE WHEN judged.verdict = 'pass' THEN {value(flow, column)} END"
            found.append(f"{passing} AS {sql.name(column.name)}")
        else:
            found.append(expression(flow, column))
    return found


def expression(flow: Flow, column: Column) -> str:
    """One output column, masked and typed, under its name."""
    return f"{value(flow, column)} AS {sql.name(column.name)}"


def value(flow: Flow, column: Column) -> str:
    """The value of an output column, from the row `source`, of the type in which it travels."""
    return f"({_plain_value(flow, column)})::{column.staged_type}"


def _plain_value(flow: Flow, column: Column) -> str:
    if flow.target.match and column.name == flow.target.key:
        return "wanted.made_key"
    if column.constant is not None:
        return sql.literal(column.constant)
    if column.reference:
        return column.reference.value
    if column.lookup:
        return column.lookup
    read = sql.name(f"source.{column.reads}")
    if column.words:
        cases = (f"WHEN {sql.literal(a)} THEN {sql.literal(b)}" for a, b in column.words)
        return f"CASE {read} {' '.join(cases)} END"
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


def record_name(flow: Flow) -> str:
    """What names the record `source`: its unit, or what the flow says; without a key its row."""
    if flow.source.query:
        return flow.source.query.record
    if not flow.source.key_nullable:
        return "wanted.key"
    key = sql.name(f"source.{flow.source.key}")
    return f"CASE WHEN {key} IS NULL THEN {row_name(flow)} ELSE wanted.key END"


def records(flow: Flow, unit: str = "wanted.key") -> str:
    """What stands after FROM: records `source`; a unit's are those that `wanted_row` is true of."""
    if flow.source.query is None:
        return f"{sql.name(flow.source.table)} AS source"
    return f"LATERAL (\n{flow.source.query.records.replace('{unit}', unit)}\n) AS source"


def units(flow: Flow) -> str:
    """What stands after FROM: the units `source` that there are, in its key's column."""
    if flow.source.query is None:
        return f"{sql.name(flow.source.table)} AS source"
    return f"(\n{flow.source.query.units}\n) AS source"


def wanted_row(flow: Flow, unit: str = "wanted.key") -> str:
    """The condition under which a row `source` is of a unit."""
    if flow.source.query:
        return "true"
    key = sql.name(f"source.{flow.source.key}")
    same = f"{key} = {unit}::{flow.source.key_type}"
    return f"({same} OR ({unit} = '' AND {key} IS NULL))" if flow.source.key_nullable else same


def scope(flow: Flow) -> str:
    """The flow's own filter on the row `source`."""
    return flow.scope.sql if flow.scope else "true"
