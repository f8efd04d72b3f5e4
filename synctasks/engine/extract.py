"""Extract: the source's side of a reconcile, mapped and masked within the source's own query.

Every unit of the wanted keys that exists comes back with a verdict: `pass` carries its row,
`out_of_scope` and `deferred` carry nothing. Keys that do not exist return nothing at all.
"""

from __future__ import annotations

from functools import cache

from synctasks import sql
from synctasks.flow import Column, Flow

_EXTRACT = """\
SELECT
    wanted.key,
    judged.verdict,
    {outputs}
FROM unnest(%(keys)s::text[], %(captured)s::boolean[]) AS wanted (key, captured)
JOIN {table} AS source ON source.{key} = wanted.key::{key_type}
CROSS JOIN LATERAL (
    SELECT
        CASE
            WHEN ({scope}) IS NOT TRUE THEN 'out_of_scope'
            WHEN wanted.captured AND ({event_filter}) IS NOT TRUE THEN 'deferred'
            ELSE 'pass'
        END
) AS judged (verdict)
LEFT JOIN LATERAL (
    SELECT
        {expressions}
    WHERE judged.verdict = 'pass'
) AS mapped ON true
"""

# One document, unless it is larger than one parameter should be: then its size alone.
_DOCUMENT = """\
SELECT
    octet_length(document),
    CASE WHEN octet_length(document) <= {most_bytes} THEN document END
FROM (
    SELECT coalesce(json_agg(extracted)::text, '[]') AS document
    FROM (
{extract}
    ) AS extracted
) AS aggregated
"""


@cache
def rows_sql(flow: Flow) -> str:
    """The query: parameters `keys` (text[]) and `captured` (boolean[]), one entry a key."""
    return _EXTRACT.format(
        outputs=sql.names((column.name for column in flow.columns), of="mapped"),
        table=sql.name(flow.source.table),
        key=sql.name(flow.source.key),
        key_type=flow.source.key_type,
        scope=flow.scope.sql if flow.scope else "true",
        event_filter=flow.event_filter.sql if flow.event_filter else "true",
        expressions=sql.lines((expression(column) for column in flow.columns), indent=8),
    )


@cache
def copy_sql(flow: Flow) -> str:
    """The same rows as a binary COPY stream."""
    return f"COPY (\n{rows_sql(flow)}) TO STDOUT (FORMAT binary)"


@cache
def document_sql(flow: Flow, most_bytes: int) -> str:
    """The same rows as one JSON document: (its size in bytes, the document or NULL)."""
    return _DOCUMENT.format(extract=rows_sql(flow), most_bytes=most_bytes)


def expression(column: Column) -> str:
    """One output column: masked, and of the target's type."""
    value = sql.name(f"source.{column.reads}")
    masked = column.mask.sql.format(value=value) if column.mask else value
    return f"({masked})::{column.type} AS {sql.name(column.name)}"
