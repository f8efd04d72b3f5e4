"""What the target says: the unit's rows there, whose they are, and what its references mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from synctasks import sql
from synctasks.database import Transaction, array
from synctasks.engine.absent import in_use
from synctasks.engine.explain.source import Record
from synctasks.engine.resolve import made_keys
from synctasks.flow import Column, Flow, OnUpdate
from synctasks.shown import shown_sql

_ROWS = """\
SELECT
    ARRAY[
        {row_key}
    ]::text[],
    {newest},
    {matches},
    {in_use},
    ARRAY[
        {shown}
    ]::text[],
    count(*) OVER ()
FROM {table} AS target
WHERE target.{key} = ANY (%(keys)s::{key_type}[]){or_matches}
ORDER BY {order}
LIMIT %(most)s
"""

_MATCHES = "target.{column} = ANY (%(values)s::{type}[])"

_REFERENCE = """\
SELECT (array_agg(known.{key}::text ORDER BY {first}))[1], count(*)
FROM {table} AS known
WHERE {meant}
"""

_CLAIMS = """\
SELECT row_key, unit
FROM synctasks.claim
WHERE flow = %(flow)s AND (unit = %(key)s OR row_key = ANY (%(keys)s::text[]))
"""

_OTHER_KEY = """\
SELECT target.{key}::text
FROM {table} AS target
WHERE target.{identity} = %(identity)s::{type} AND target.{key}::text <> %(key)s
"""

_LATER = """\
SELECT %(ours)s::{type} > %(theirs)s::{type}, %(ours)s::{type} = %(theirs)s::{type}
"""


@dataclass(frozen=True)
class Rows:
    """The unit's rows at the target: some of them, and how many there are.

    `taken_by` is the unit that has the row which this one comes with.
    """

    rows: list[Row]
    count: int
    taken_by: str | None = None


@dataclass(frozen=True)
class Row:
    """A row: by its key, when its state is of, whether the unit's value is in it, what is shown."""

    key: tuple[str, ...]
    newest: str | None
    matches: bool
    in_use: bool
    shown: dict[str, str | None]


def read(flow: Flow, key: str, records: Sequence[Record], most: int, target: Transaction) -> Rows:
    """The rows that the unit has at the target, or would come to."""
    keys, taken_by = _keys(flow, key, records, target)
    match = flow.target.match
    values = [each.travelling.get(match.column) for each in records] if match else []
    wanted = {
        "keys": array(each for each in keys if each),
        "values": array(each for each in values if each),
        "most": most,
    }
    names = [column.name for column in flow.columns]
    found = target.rows(_rows_sql(flow), wanted)
    rows = [
        Row(tuple(row_key), newest, matches, is_in_use, dict(zip(names, shown, strict=True)))
        for row_key, newest, matches, is_in_use, shown, _ in found
    ]
    return Rows(rows, found[0][-1] if found else 0, taken_by)


def references(flow: Flow, record: Record, rows: Rows, target: Transaction) -> list[dict[str, Any]]:
    """What became of each reference of a record that is in scope."""
    return [_reference(flow, column, record, rows, target) for column in flow.references]


def conflict(
    flow: Flow, record: Record, found: Sequence[dict[str, Any]], rows: Rows, target: Transaction
) -> dict[str, Any] | None:
    """Which state is the later one, where the flow asks; None where the target has no row."""
    row = _row_of(flow, record, found, rows)
    newest = flow.target.newest
    if newest is None or row is None:
        return None
    ours, theirs = record.travelling.get(newest), row.newest
    column = next(each for each in flow.columns if each.name == newest)
    statement = _LATER.format(type=column.type)
    compared = target.row(statement, {"ours": ours, "theirs": theirs})
    assert compared is not None, "a comparison returns a row"
    is_later, is_same = compared
    overwrites = theirs is None or is_later or (is_same and flow.target.newest_ties)
    return {
        "column": newest,
        "source": ours,
        "target": theirs,
        "decision": "overwrites what differs" if overwrites else "the target's state stays",
    }


def _keys(
    flow: Flow, key: str, records: Sequence[Record], target: Transaction
) -> tuple[list[str], str | None]:
    """The keys of the rows that may be the unit's, and the other unit that has one of them."""
    if flow.target.match:
        return made_keys(flow, [key]), None
    if flow.keyed_by_unit:
        return [key], _other_key(flow, key, records, target)
    keys = [each.travelling.get(flow.target.key) or "" for each in records]
    wanted = {"flow": flow.name, "key": key, "keys": array(keys)}
    claims = target.rows(_CLAIMS, wanted) if flow.target.claimed else []
    owner = next((unit for row_key, unit in claims if row_key in keys and unit != key), None)
    return [*keys, *(row_key for row_key, unit in claims if unit == key)], owner


def _other_key(flow: Flow, key: str, records: Sequence[Record], target: Transaction) -> str | None:
    """The key under which the target knows the unit's identity, if that is another one."""
    column = flow.identity_column
    identities = [each.travelling.get(column.name) for each in records] if column else []
    if column is None or not any(identities):
        return None
    statement = _OTHER_KEY.format(
        key=sql.name(flow.target.key),
        table=sql.name(flow.target.table),
        identity=sql.name(column.name),
        type=column.type,
    )
    row = target.row(statement, {"identity": identities[0], "key": key})
    return row[0] if row else None


def _reference(
    flow: Flow, column: Column, record: Record, rows: Rows, target: Transaction
) -> dict[str, Any]:
    reference = column.reference
    assert reference is not None, "asked of a column that refers to something"
    value = record.travelling.get(column.name)
    found, count = None, 0
    if value is not None:
        key = f"known.{sql.name(reference.key)}"
        statement = _REFERENCE.format(
            key=sql.name(reference.key),
            first=reference.first or key,
            table=sql.name(reference.table),
            meant=reference.meant.format(value=f"%(value)s::{reference.value_type}"),
        )
        found, count = target.row(statement, {"value": value}) or (None, 0)
    if value is None and reference.optional:
        verdict = "not needed"
    elif not count:
        # Of a row that is there, what it once meant stays.
        stays = column.on_update is OnUpdate.KEEP and rows.rows and not flow.target.match
        verdict = "missing, and not needed any more" if stays else "missing"
    elif count > 1 and reference.first is None:
        verdict = "ambiguous"
    else:
        verdict = "found"
    return {
        "column": column.name,
        "table": reference.table,
        "verdict": verdict,
        "rows": count,
        "found": found if verdict == "found" else None,
        "if_missing": str(reference.missing),
    }


def _row_of(flow: Flow, record: Record, found: Sequence[dict[str, Any]], rows: Rows) -> Row | None:
    """The row that a record comes to."""
    if flow.target.match:
        there = [row for row in rows.rows if row.matches] or rows.rows
        return there[0] if there else None
    resolved = {each["column"]: each["found"] for each in found}
    own = tuple(
        resolved.get(name) or record.travelling.get(name) or "" for name in flow.target.row_key
    )
    return next((row for row in rows.rows if row.key == own), None)


@cache
def _rows_sql(flow: Flow) -> str:
    match, newest = flow.target.match, flow.target.newest
    matches = ""
    if match:
        column = next(each for each in flow.columns if each.name == match.column)
        matches = _MATCHES.format(column=sql.name(column.name), type=column.type)
    row_key = [f"target.{sql.name(each)}" for each in flow.target.row_key]
    return _ROWS.format(
        row_key=sql.lines((f"{each}::text" for each in row_key), indent=8),
        newest=f"target.{sql.name(newest)}::text" if newest else "NULL::text",
        matches=f"({matches}) IS TRUE" if match else "true",
        in_use=in_use(flow),
        shown=sql.lines((_shown(flow, each.name) for each in flow.columns), indent=8),
        table=sql.name(flow.target.table),
        key=sql.name(flow.target.key),
        key_type=flow.key_column.type,
        or_matches=f"\n    OR {matches}" if match else "",
        order=", ".join(row_key),
    )


def _shown(flow: Flow, column: str) -> str:
    value = f"target.{sql.name(column)}"
    return f"{value}::text" if column == flow.target.key else shown_sql(column, value)
