"""Do both sides agree? Compared row by row, by nothing of what the sync itself relies on.

Where rows are taken over as they are, each side is streamed once, in the bytewise order of its
keys, and the two streams are walked together: memory stays the same however large the tables are.
Every row of the flow's scope must be at the target, masked, and no other; but for those that have
a dead letter. Where only the target knows what a row comes to, it is compared with an expectation.
All of it holds when nothing is pending, and where no change was deferred by an event filter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from synctasks import sql
from synctasks.bind import bound
from synctasks.demo.expected.expectation import Expectation, letters
from synctasks.demo.masked import masked
from synctasks.demo.streams import Row, stream
from synctasks.flow import Column, Flow

EXAMPLES = 5

_STREAM = """\
SELECT
    source.{key}::text,
    {values}
FROM {table} AS source
WHERE source.{key} IS NOT NULL AND ({scope}) IS TRUE
ORDER BY source.{key}::text COLLATE "C"
"""

_TARGET = """\
SELECT
    {values}
FROM {table} AS target
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


class _Differences:
    """Counts what is compared, and keeps the first differences by name."""

    def __init__(self) -> None:
        self.rows = self.differing = 0
        self._examples: list[str] = []

    def note(self, key: str, how: str) -> None:
        self.differing += 1
        if len(self._examples) < EXAMPLES:
            self._examples.append(f"{key} ({how})")

    def agreement(self, flow: Flow) -> Agreement:
        return Agreement(flow.name, self.rows, self.differing, tuple(self._examples))


def compare(flow: Flow) -> Agreement:
    """Compare the two sides, as they are now, of a flow that takes rows over as they are.

    Raises SynctasksError.
    """
    flow = bound(flow)
    rejected = letters(flow).units
    found = _Differences()
    with (
        stream(flow.source.database, _source_sql(flow)) as source,
        stream(flow.target.database, _stream_sql(flow)) as target,
    ):
        for left, right in _side_by_side(_masked(flow, source), target):
            found.rows += right is not None
            if left != right and _key(left, right) not in rejected:
                found.note(_key(left, right), _how(left, right))
    return found.agreement(flow)


def compare_with(flow: Flow, expectation: Expectation) -> Agreement:
    """Compare the target, as it is now, with what it is expected to hold. Raises SynctasksError."""
    keys = [*flow.target.row_key]
    columns = expectation.columns or (*keys, *(c.name for c in flow.columns if c.name not in keys))
    size = len(keys)
    expected = {row[:size]: row[size:] for row in expectation.rows}
    found = _Differences()
    with stream(flow.target.database, _target_sql(flow, columns)) as target:
        for row in target:
            found.rows += 1
            key, values = row[:size], row[size:]
            if key[0] in expectation.left_out:
                continue
            wanted = expected.pop(key, None)
            if wanted != values:
                found.note(_name(key), _how(wanted, values))
    for key in expected:
        found.note(_name(key), _how((), None))
    return found.agreement(flow)


def _how(expected: Row | None, found: Row | None) -> str:
    if expected is None:
        return "only at the target"
    return "missing at the target" if found is None else "different"


def _name(key: Row) -> str:
    return " ".join(str(part) for part in key)


def _key(expected: Row | None, found: Row | None) -> str:
    return str((expected or found or ("",))[0])


def _source_sql(flow: Flow) -> str:
    values = (f"({_original(each)})::{each.type}::text" for each in _compared(flow))
    return _STREAM.format(
        key=sql.name(flow.source.key),
        values=sql.lines(values),
        table=sql.name(flow.source.table),
        scope=flow.scope.sql if flow.scope else "true",
    )


def _original(column: Column) -> str:
    return (
        f"source.{sql.name(column.reads)}"
        if column.constant is None
        else sql.literal(column.constant)
    )


def _target_sql(flow: Flow, columns: Sequence[str]) -> str:
    values = sql.lines(f"target.{sql.name(each)}::text" for each in columns)
    return _TARGET.format(values=values, table=sql.name(flow.target.table))


def _stream_sql(flow: Flow) -> str:
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


def _masked(flow: Flow, rows: Iterator[Row]) -> Iterator[Row]:
    masks = [each.mask for each in _compared(flow)]
    for key, *values in rows:
        yield (key, *map(masked, masks, values))


def _side_by_side(
    expected: Iterator[Row], found: Iterator[Row]
) -> Iterator[tuple[Row | None, Row | None]]:
    """The rows of two streams in the same order, paired by key; None where a side has none."""
    left, right = next(expected, None), next(found, None)
    while left is not None or right is not None:
        order = _order(left, right)
        yield (left if order <= 0 else None), (right if order >= 0 else None)
        if order <= 0:
            left = next(expected, None)
        if order >= 0:
            right = next(found, None)


def _order(left: Row | None, right: Row | None) -> int:
    """Which key comes first: -1 the left one, 1 the right one, 0 they are the same."""
    if left is None or right is None:
        return 1 if left is None else -1
    # UTF-8 keeps the order of the characters, so Python compares as COLLATE "C" does.
    first, second = str(left[0]), str(right[0])
    return (first > second) - (first < second)
