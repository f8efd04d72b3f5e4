"""Rows whose unit was renamed at the source: the same identity, another key."""

from __future__ import annotations

from collections.abc import Sequence

from synctasks import sql
from synctasks.database import Transaction, array
from synctasks.engine import extract
from synctasks.flow import Flow

_AT_TARGET = """\
SELECT target.{key}::text, target.{identity}::text
FROM unnest(%(keys)s::text[]) AS absent (key)
JOIN {table} AS target ON target.{key} = absent.key::{key_type}
"""


def living_on(
    flow: Flow, absent: Sequence[str], source: Transaction, target: Transaction
) -> set[str]:
    """Those of the absent keys whose target row's identity lives on under another key."""
    if flow.target.identity is None:
        return set()
    statement = _AT_TARGET.format(
        table=sql.name(flow.target.table),
        key=sql.name(flow.target.key),
        key_type=flow.key_column.type,
        identity=sql.name(flow.target.identity),
    )
    identity_of: dict[str, str] = dict(target.rows(statement, {"keys": array(absent)}))
    alive = extract.identities(flow, list(identity_of.values()), source)
    return {key for key, identity in identity_of.items() if identity in alive}
