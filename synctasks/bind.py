"""A flow bound to the tables as they are: without the optional columns that a side lacks."""

from __future__ import annotations

from functools import cache

from synctasks.database import transaction
from synctasks.flow import Database, Flow

_COLUMNS = """\
SELECT attname::text
FROM pg_catalog.pg_attribute
WHERE attrelid = to_regclass(%(table)s) AND attnum > 0 AND NOT attisdropped
"""


@cache
def bound(flow: Flow) -> Flow:
    """The flow less the optional columns missing on either side; asked once a process."""
    if not any(column.optional for column in flow.columns):
        return flow
    source = columns_of(flow.source.database, flow.source.table)
    target = columns_of(flow.target.database, flow.target.table)
    return flow.without(
        frozenset(
            column.name
            for column in flow.columns
            if column.optional and (column.reads not in source or column.name not in target)
        )
    )


def columns_of(database: Database, table: str) -> frozenset[str]:
    """The names of a table's columns; empty if there is no such table."""
    with transaction(database) as tx:
        return frozenset(name for (name,) in tx.rows(_COLUMNS, {"table": table}))
