"""Rows of the target that somebody else has locked: set aside at once, instead of one by one."""

from __future__ import annotations

from collections.abc import Sequence

from synctasks import sql
from synctasks.database import Transaction, array
from synctasks.flow import Flow

# Two statements: what one of them skips, the other one counts.
_THERE = """\
SELECT target.{key}::text, target.ctid::text
FROM {table} AS target
WHERE target.{key} = ANY (array_remove(%(keys)s::text[], '')::{key_type}[])
"""
_FREE = _THERE + "ORDER BY target.{key}\nFOR NO KEY UPDATE SKIP LOCKED\n"


def locked(flow: Flow, keys: Sequence[str], target: Transaction) -> list[str]:
    """Those of the keys whose target rows are locked; the others' are locked by us from now on.

    Where the target has keys of its own nobody knows them yet: none. Raises SynctasksError.
    """
    if not flow.keyed_by_unit:
        return []
    there = _ask(flow, _THERE, keys, target)
    return sorted({key for key, _ in there - _ask(flow, _FREE, keys, target)})


def _ask(
    flow: Flow, statement: str, keys: Sequence[str], target: Transaction
) -> set[tuple[str, str]]:
    asked = statement.format(
        key=sql.name(flow.target.key),
        table=sql.name(flow.target.table),
        key_type=flow.key_column.type,
    )
    return {(key, row) for key, row in target.rows(asked, {"keys": array(keys)})}
