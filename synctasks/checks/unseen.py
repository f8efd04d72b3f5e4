"""Captured tables with writes that statement triggers do not see.

Nightly `verify --repair` finds what they miss; these say where that is all there is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from synctasks.capture.installed import WITH_SCHEMAS
from synctasks.checks.finding import Finding, problem, warning
from synctasks.checks.rights import visible
from synctasks.database import transaction
from synctasks.flow import Database
from synctasks.flows import FLOWS

# `children`: partitions and tables that inherit, at any depth. `subscriptions`: those that apply
# rows to the table or to one of them.
_SHAPE = """\
WITH RECURSIVE family AS (
    SELECT to_regclass(%(table)s)::oid AS oid
    UNION
    SELECT inhrelid
    FROM pg_catalog.pg_inherits
    JOIN family ON family.oid = inhparent
)
SELECT
    class.relkind::text,
    class.relispartition,
    (
        SELECT array_agg(inhparent::regclass::text)
        FROM pg_catalog.pg_inherits
        WHERE inhrelid = class.oid
    ),
    (
        SELECT array_agg(family.oid::regclass::text ORDER BY 1)
        FROM family
        WHERE family.oid <> class.oid
    ),
    (
        SELECT array_agg(DISTINCT subname::text)
        FROM pg_catalog.pg_subscription_rel
        JOIN pg_catalog.pg_subscription ON pg_subscription.oid = srsubid
        WHERE srrelid IN (SELECT oid FROM family)
    )
FROM pg_catalog.pg_class AS class
WHERE class.oid = to_regclass(%(table)s)
"""

_KINDS = {"f": "a foreign table", "v": "a view", "m": "a materialized view"}


@dataclass(frozen=True)
class Shape:
    """What kind of table it is, and what it belongs to or is fed by."""

    kind: str = "r"
    is_partition: bool = False
    parents: tuple[str, ...] = ()
    children: tuple[str, ...] = ()
    subscriptions: tuple[str, ...] = ()


def look(database: Database) -> Iterator[Finding]:
    """Every captured table that is there."""
    with transaction(database) as tx:
        there = {side.table for side in visible(tx, database)}
        for table, flow in _captured(database).items():
            row = tx.row(WITH_SCHEMAS + _SHAPE, {"table": table}) if table in there else None
            if row:
                kind, is_partition, *lists = row
                shape = Shape(kind, is_partition, *(tuple(each or ()) for each in lists))
                yield from judged(f"{database} database, table {table}", flow, shape)


def judged(thing: str, flow: str, shape: Shape) -> Iterator[Finding]:
    """What is to be said of a captured table of this shape."""
    found = [
        say(f"{thing}, writes", cause, remedy)
        for say, cause, remedy in _unseen(flow, shape, f"synctasks verify {flow} --repair")
    ]
    yield from found or [Finding(f"{thing}, writes")]


Say = Callable[[str, str, str], Finding]


def _unseen(flow: str, shape: Shape, repair: str) -> Iterator[tuple[Say, str, str]]:
    nightly = f"until then `{repair}` finds them, by itself each night at 02:00 UTC"
    if shape.kind in _KINDS:
        yield (
            problem,
            f"it is {_KINDS[shape.kind]}: what is written at its origin is not captured",
            f"Let {flow} read the table of its origin; {nightly}",
        )
    for name in shape.subscriptions:
        yield (
            problem,
            f"rows that subscription {name} applies are not captured",
            "Take the table out of what is replicated (at the publisher: ALTER PUBLICATION … DROP "
            f"TABLE …; here: ALTER SUBSCRIPTION {name} REFRESH PUBLICATION), or replicate from "
            f"here to there; {nightly}",
        )
    if shape.parents:
        what = "a partition" if shape.is_partition else "a child"
        yield (
            problem,
            f"it is {what} of {', '.join(shape.parents)}: writes by way of that are not captured",
            f"Name {shape.parents[0]} in flow {flow}, then run: synctasks install; {nightly}",
        )
    if shape.kind == "p":
        yield (
            warning,
            f"rows written straight into one of its {len(shape.children)} partitions are not "
            "captured",
            "Write by way of the table itself; for each role that has the right to write into one: "
            f"REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON the partition FROM it; {nightly}",
        )
    elif shape.children:
        yield (
            problem,
            f"rows written straight into {', '.join(shape.children)}, which inherit from it, are "
            "not captured",
            f"ALTER TABLE {shape.children[0]} NO INHERIT its parent (or make it a partition, and "
            f"write by way of the parent); {nightly}",
        )


def _captured(database: Database) -> dict[str, str]:
    """The captured tables at a database, and the flow of each."""
    return {
        table.name: flow.name
        for flow in FLOWS
        if flow.capture and flow.source.database is database
        for table in flow.tables
    }
