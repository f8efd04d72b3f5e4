"""Whether our role may do with each table what is done with it, and whether it sees all rows."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from synctasks import sql
from synctasks.capture import preflight
from synctasks.capture.preflight import Need, Side
from synctasks.checks.finding import Finding, problem, verdict
from synctasks.database import Transaction, transaction
from synctasks.flow import Database
from synctasks.flows import ALL_FLOWS

_OURS = """\
SELECT format('synctasks.%%I', relname)
FROM pg_catalog.pg_class
WHERE relnamespace = to_regnamespace('synctasks') AND relkind IN ('r', 'p')
ORDER BY relname
"""

_HIDES_ROWS = """\
SELECT row_security_active(to_regclass(%(table)s)), current_user::text
"""


def rights(database: Database) -> Iterator[Finding]:
    """The flows' tables: to read a source, and to read and write a target."""
    with transaction(database) as tx:
        for side in sides_at(database):
            yield from _rights(tx, side)


def own_rights(database: Database) -> Iterator[Finding]:
    """Our own tables."""
    with transaction(database) as tx:
        for (table,) in tx.rows(_OURS, {}):
            yield from _rights(tx, Side(database, table, frozenset(), Need.WRITE))


def row_security(database: Database) -> Iterator[Finding]:
    """Policies that hide rows from us: what is not seen is taken for gone."""
    with transaction(database) as tx:
        for side in visible(tx, database):
            thing = f"{side.thing}, row-level security"
            row = tx.row(_HIDES_ROWS, {"table": side.table})
            if row and row[0]:
                yield problem(
                    thing,
                    f"its policies decide which rows role {row[1]} sees: hidden ones would be "
                    "taken for gone",
                    f"ALTER ROLE {sql.name(row[1])} BYPASSRLS",
                )
            else:
                yield Finding(thing)


def visible(tx: Transaction, database: Database) -> list[Side]:
    """The flows' tables at a database that are there, and that we may look at."""
    return [
        side
        for side in sides_at(database)
        if not any(preflight.usage_problems(tx, side)) and preflight.exists(tx, side)
    ]


@cache
def sides_at(database: Database) -> tuple[Side, ...]:
    """The flows' tables at a database, each once, with all that is needed of it."""
    merged: dict[str, Side] = {}
    for flow in ALL_FLOWS:
        for side in preflight.sides(flow, captured=Need.READ):
            if side.database is database:
                kept = merged.get(side.table, side)
                need = max(kept.need, side.need, key=lambda each: len(each.privileges))
                merged[side.table] = Side(database, side.table, kept.columns | side.columns, need)
    return tuple(merged.values())


def _rights(tx: Transaction, side: Side) -> Iterator[Finding]:
    thing = f"{side.thing}, rights"
    unusable = list(preflight.usage_problems(tx, side))
    if unusable:
        yield from verdict(thing, unusable)
    elif preflight.exists(tx, side):
        yield from verdict(thing, preflight.right_problems(tx, side))
