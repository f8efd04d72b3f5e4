"""One record beside its source, to see the masks with one's own eyes.

It shows source values that never leave the warehouse otherwise. The demo may: it has made up
the people itself, and refuses tables in which there are others.
"""

from __future__ import annotations

from typing import NamedTuple

from synctasks import sql
from synctasks.bind import bound
from synctasks.database import transaction
from synctasks.flow import Flow

_LATEST = """\
SELECT
    source.{key}::text,
    {values}
FROM {table} AS source
WHERE {complete}
ORDER BY {newest}
LIMIT 1
"""

_SAME = """\
SELECT
    {values}
FROM {table} AS target
WHERE target.{key}::text = %(key)s
"""


class Field(NamedTuple):
    """A column of the target: the value in the source, the value that arrived, its mask's name."""

    column: str
    source: str | None
    target: str | None
    mask: str | None


def specimen(flow: Flow) -> list[Field]:
    """The fields of the latest valid record whose masked columns all hold a value; none if none
    does.

    Raises SynctasksError.
    """
    flow = bound(flow)
    with transaction(flow.source.database) as source:
        original = source.row(_latest_sql(flow))
    if original is None:
        return []
    key, *values = original
    with transaction(flow.target.database) as target:
        arrived = target.row(_same_sql(flow), {"key": key}) or [None] * len(values)
    return [
        Field(column.name, value, other, column.mask.name if column.mask else None)
        for column, value, other in zip(flow.columns, values, arrived, strict=True)
    ]


def _latest_sql(flow: Flow) -> str:
    masked = [sql.name(each.reads) for each in flow.columns if each.mask]
    newest = "source.updated_at DESC NULLS LAST, " if "updated_at" in flow.watched else ""
    return _LATEST.format(
        key=sql.name(flow.source.key),
        values=sql.lines(f"source.{sql.name(each.reads)}::text" for each in flow.columns),
        table=sql.name(flow.source.table),
        complete=" AND ".join(
            [f"source.{each} IS NOT NULL" for each in masked] + [flow.contract.gate()]
        ),
        newest=f"{newest}source.{sql.name(flow.source.key)}",
    )


def _same_sql(flow: Flow) -> str:
    return _SAME.format(
        key=sql.name(flow.target.key),
        values=sql.lines(f"target.{sql.name(each.name)}::text" for each in flow.columns),
        table=sql.name(flow.target.table),
    )
