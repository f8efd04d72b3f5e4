"""The tables' columns against the flows' declarations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from synctasks.capture import preflight
from synctasks.checks.finding import Finding, could_not_run, problem
from synctasks.checks.rights import sides_at, visible
from synctasks.database import Transaction, transaction
from synctasks.flow import Database
from synctasks.flows import FLOWS

_TYPE = """\
SELECT format_type(atttypid, atttypmod)
FROM pg_catalog.pg_attribute
WHERE attrelid = to_regclass(%(table)s) AND attname = %(column)s AND NOT attisdropped
"""

_WORDS = {
    "character varying": "text",
    "varchar": "text",
    "timestamptz": "timestamp with time zone",
    "int": "integer",
    "decimal": "numeric",
}
_INTEGERS = ("smallint", "integer", "bigint")
_FORM = re.compile(r"(?P<name>[^(]+?)\s*(\((?P<numbers>[\d\s,-]+)\))?")


@dataclass(frozen=True)
class Expected:
    """A column that has to be of a type."""

    table: str
    column: str
    type: str


def missing(database: Database) -> Iterator[Finding]:
    """Tables and columns that the flows need and that are not there."""
    types = {(each.table, each.column): each.type for each in _expected(database)}
    with transaction(database) as tx:
        there = {side.table for side in visible(tx, database)}
        for side in sides_at(database):
            if side.table not in there:
                yield _not_there(tx, side)
                continue
            lacking = preflight.missing_columns(tx, side)
            for column in lacking:
                kind = types.get((side.table, column), "…")
                yield problem(
                    f"{side.thing}, column {column}",
                    "it is missing",
                    f"ALTER TABLE {side.table} ADD COLUMN {column} {kind} (or, where it is gone "
                    "for good, correct the flow's declaration); then run: synctasks install",
                )
            if not lacking:
                yield Finding(f"{side.thing}, columns")


def _not_there(tx: Transaction, side: preflight.Side) -> Finding:
    unusable = next(preflight.usage_problems(tx, side), None)
    if unusable:
        return could_not_run(side.thing, unusable.cause, unusable.remedy)
    return problem(
        side.thing,
        "it does not exist",
        "Check the database in the URL; where it is the right one: synctasks install "
        "--with-schemas creates what is missing",
    )


def types(database: Database) -> Iterator[Finding]:
    """Keys of sources and columns of targets that have another type than is declared."""
    with transaction(database) as tx:
        there = {side.table for side in visible(tx, database)}
        for each in _expected(database):
            if each.table not in there:
                continue
            row = tx.row(_TYPE, {"table": each.table, "column": each.column})
            if row is None:
                continue
            thing = f"{database} database, table {each.table}, type of {each.column}"
            if holds(row[0], each.type):
                yield Finding(thing)
            else:
                yield problem(
                    thing,
                    f"it is {row[0]}, declared is {each.type}",
                    f"ALTER TABLE {each.table} ALTER COLUMN {each.column} TYPE {each.type} USING "
                    f"{each.column}::{each.type} (or correct the flow's declaration)",
                )


def holds(found: str, declared: str) -> bool:
    """Whether a column of the type found takes, and compares, all values of the declared one."""
    (name, numbers), (wanted, limits) = _parsed(found), _parsed(declared)
    if name != wanted:
        narrower = name in _INTEGERS and wanted in _INTEGERS
        return narrower and _INTEGERS.index(name) >= _INTEGERS.index(wanted)
    if not numbers:
        return True
    if not limits or len(limits) != len(numbers):
        return False
    if name == "numeric":
        whole, fraction = numbers[0] - numbers[1], numbers[1]
        return whole >= limits[0] - limits[1] and fraction >= limits[1]
    return numbers[0] >= limits[0]


def _parsed(text: str) -> tuple[str, tuple[int, ...]]:
    """A type's name in one spelling, and its limits."""
    form = _FORM.fullmatch(text.strip().lower())
    if form is None:
        return text, ()
    name = form["name"]
    limits = tuple(int(number) for number in (form["numbers"] or "").split(",") if number.strip())
    if name == "numeric" and len(limits) == 1:
        limits = (*limits, 0)
    return _WORDS.get(name, name), limits


def _expected(database: Database) -> list[Expected]:
    """What types the flows count on: those of a source's key, and of a target's columns."""
    found = []
    for flow in FLOWS:
        source, target = flow.source, flow.target
        if source.database is database and source.query is None:
            found.append(Expected(source.table, source.key, source.key_type))
        if target.database is database:
            found += [Expected(target.table, each.name, each.type) for each in flow.columns]
    return list(dict.fromkeys(found))
