"""Makes some of the rows of a table wrong, in every way that ``dirty`` lists."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from synctasks.sample.copying import Row, escaped
from synctasks.sample.dirty import IN_SCOPE, KINDS
from synctasks.sample.kinds import Kind, Spot, Value
from synctasks.sample.numbers import Draw
from synctasks.sample.plan import Plan


def with_dirt(
    table: str, columns: Sequence[str], rows: Iterable[Row], plan: Plan, found: Counter[str]
) -> Iterator[Row]:
    """Yield the rows, the plan's share of them dirty: the kinds of the table take turns.

    Args:
        table: its name in ``dirty.KINDS``; a table without kinds stays clean.
        columns: of the rows, in order.
        rows: clean ones.
        plan: its ``dirty`` is the share.
        found: counts the dirty rows, by the name of their kind.
    """
    kinds = KINDS.get(table, ())
    if not kinds or not plan.dirty:
        yield from rows
        return
    places = _places(1 / plan.dirty, plan.draw(f"dirt/{table}"))
    number, place = 0, next(places)
    for at, row in enumerate(rows):
        if at < place:
            yield row
            continue
        again, which = divmod(number, len(kinds))
        found[kinds[which].name] += 1
        yield _soiled(row, table, columns, kinds[which], Spot(plan, number, again))
        number, place = number + 1, next(places)


def _places(distance: float, draw: Draw) -> Iterator[int]:
    """Where the dirty rows are: one somewhere in each stretch of ``distance`` rows."""
    number, last = 0, -1
    while True:
        last = max(last + 1, int((number + draw()) * distance))
        yield last
        number += 1


def _soiled(row: Row, table: str, columns: Sequence[str], kind: Kind, spot: Spot) -> Row:
    values: dict[str, Value] = {**IN_SCOPE.get(table, {}), **kind.values}
    fields = dict(zip(columns, row, strict=True))
    for column, value in values.items():
        fields[column] = escaped(value(spot) if callable(value) else value)
    return tuple(fields.values())
