"""Do both sides agree? Compared row by row, by nothing of what the sync itself relies on.

Each side is streamed once, in the bytewise order of its keys, and the two streams are walked
together: memory stays the same however large the tables are. Every row of the flow's scope must
be at the target, masked, and no other; but for those that have a dead letter. That holds when
nothing is pending, and where no change was deferred by an event filter.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg2

from synctasks import sql
from synctasks.bind import bound
from synctasks.database import connect, transaction
from synctasks.demo.masked import masked
from synctasks.errors import translate
from synctasks.flow import Column, Database, Flow

# Key, then the values as text in the order of the flow's columns.
_Row = tuple[str | None, ...]

EXAMPLES = 5
_ROWS_AT_ONCE = 2_000

_SETTINGS = """\
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
SET extra_float_digits = 1;
SET statement_timeout = '120s'
"""

_STREAM = """\
SELECT
    source.{key}::text,
    {values}
FROM {table} AS source
WHERE source.{key} IS NOT NULL AND ({scope}) IS TRUE
ORDER BY source.{key}::text COLLATE "C"
"""

_REJECTED = """\
SELECT unit
FROM synctasks.dead_letter
WHERE flow = %(flow)s AND state <> 'resolved'
"""


@dataclass(frozen=True)
class Agreement:
    """What a comparison found: rows at the target, keys that differ, and some of these by name."""

    flow: str
    rows: int
    differing: int
    examples: tuple[str, ...]

    def __str__(self) -> str:
        if not self.differing:
            return "agrees"
        return f"{self.differing:,} {'key differs' if self.differing == 1 else 'keys differ'}"


def compare(flow: Flow) -> Agreement:
    """Compare the flow's two sides as they are now. Raises SynctasksError."""
    flow = bound(flow)
    rejected = _rejected(flow)
    rows = differing = 0
    examples: list[str] = []
    with (
        _stream(flow.source.database, _source_sql(flow)) as source,
        _stream(flow.target.database, _target_sql(flow)) as target,
    ):
        for expected, found in _side_by_side(_masked(flow, source), target):
            rows += found is not None
            if expected == found or _key(expected, found) in rejected:
                continue
            differing += 1
            if len(examples) < EXAMPLES:
                examples.append(_difference(expected, found))
    return Agreement(flow.name, rows, differing, tuple(examples))


def _rejected(flow: Flow) -> frozenset[str]:
    """The units that have a dead letter: nothing of them crosses."""
    with transaction(flow.source.database) as source:
        return frozenset(unit for (unit,) in source.rows(_REJECTED, {"flow": flow.name}))


def _key(expected: _Row | None, found: _Row | None) -> str:
    return str((expected or found or ("",))[0])


def _source_sql(flow: Flow) -> str:
    values = (f"source.{sql.name(each.reads)}::{each.type}::text" for each in _compared(flow))
    return _STREAM.format(
        key=sql.name(flow.source.key),
        values=sql.lines(values),
        table=sql.name(flow.source.table),
        scope=flow.scope.sql if flow.scope else "true",
    )


def _target_sql(flow: Flow) -> str:
    values = (f"source.{sql.name(each.name)}::text" for each in _compared(flow))
    return _STREAM.format(
        key=sql.name(flow.target.key),
        values=sql.lines(values),
        table=sql.name(flow.target.table),
        scope=_in_use(flow),
    )


def _in_use(flow: Flow) -> str:
    """Rows that were taken out of use stay at the target, and have no other side."""
    if flow.deactivation is None:
        return "true"
    column, value = flow.deactivation.column, flow.deactivation.value
    return f"source.{sql.name(column)} IS DISTINCT FROM {sql.literal(value)}"


def _compared(flow: Flow) -> list[Column]:
    """A row keeps its identity at the target, whatever it is at the source."""
    return [column for column in flow.columns if column.name != flow.target.identity]


def _masked(flow: Flow, rows: Iterator[_Row]) -> Iterator[_Row]:
    masks = [each.mask for each in _compared(flow)]
    for key, *values in rows:
        yield (key, *map(masked, masks, values))


def _side_by_side(
    expected: Iterator[_Row], found: Iterator[_Row]
) -> Iterator[tuple[_Row | None, _Row | None]]:
    """The rows of two streams in the same order, paired by key; None where a side has none."""
    left, right = next(expected, None), next(found, None)
    while left is not None or right is not None:
        order = _order(left, right)
        yield (left if order <= 0 else None), (right if order >= 0 else None)
        if order <= 0:
            left = next(expected, None)
        if order >= 0:
            right = next(found, None)


def _order(left: _Row | None, right: _Row | None) -> int:
    """Which key comes first: -1 the left one, 1 the right one, 0 they are the same."""
    if left is None or right is None:
        return 1 if left is None else -1
    # UTF-8 keeps the order of the characters, so Python compares as COLLATE "C" does.
    first, second = str(left[0]), str(right[0])
    return (first > second) - (first < second)


def _difference(expected: _Row | None, found: _Row | None) -> str:
    key = _key(expected, found)
    if expected is None:
        return f"{key} (only at the target)"
    return f"{key} ({'missing at the target' if found is None else 'different'})"


@contextlib.contextmanager
def _stream(database: Database, statement: str) -> Iterator[Iterator[_Row]]:
    """The rows of a query over a connection of its own, from one snapshot."""
    connection = connect(database, role="demo comparison")
    try:
        with connection.cursor() as cursor:
            cursor.execute(_SETTINGS)
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True, autocommit=False)
        yield _rows(connection, statement, str(database))
    except psycopg2.Error as error:
        raise translate(error, str(database)) from None
    finally:
        connection.close()


def _rows(connection: Any, statement: str, place: str) -> Iterator[_Row]:
    try:
        with connection.cursor(name="comparison") as cursor:
            cursor.itersize = _ROWS_AT_ONCE
            cursor.execute(statement)
            yield from cursor
    except psycopg2.Error as error:
        raise translate(error, place) from None
