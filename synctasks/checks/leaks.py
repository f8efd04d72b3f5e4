"""Values that broke the masks: the portal's rows that flows have written, searched page by page.

Only the columns that a flow writes. Tables, columns, counts and a few keys are told, never a
value; where a key itself is what leaked, no key either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from synctasks.checks import patterns, suspects
from synctasks.checks.finding import Finding, could_not_run, problem
from synctasks.checks.suspects import Searched
from synctasks.database import Row, transaction
from synctasks.flow import Database, Flow
from synctasks.flows import FLOWS

#: The flows to the portal: the warehouse holds real numbers by design.
TO_CITIZEN: tuple[Flow, ...] = tuple(
    flow for flow in FLOWS if flow.target.database is Database.CITIZEN
)

_MOST_KEYS = 3

_SIZE = """\
SELECT greatest(reltuples, 0)::bigint
FROM pg_catalog.pg_class
WHERE oid = to_regclass(%(table)s)
"""

#: Told how many rows are done, and of how many.
Progress = Callable[[int, int], None]


@dataclass
class Leak:
    """How many rows hold such a value in a column, and the keys of the first of them."""

    rows: int = 0
    keys: list[str] = field(default_factory=list)


Leaks = dict[tuple[str, str], Leak]


def look(flow: Flow, progress: Progress) -> Iterator[Finding]:
    """Search the rows that the flow has written. Raises SynctasksError."""
    with transaction(Database.CITIZEN) as tx:
        size = tx.row(_SIZE, {"table": flow.target.table})
        searched = suspects.searched(flow, tx)
        keys = suspects.key_types(flow, tx)
    if keys is None:
        yield could_not_run(
            f"citizen database, table {flow.target.table}",
            "it is not there, or its key is not",
            "Run: synctasks check",
        )
        return
    leaks: Leaks = {}
    done = 0
    for rows, count in suspects.pages(flow, keys, searched):
        done += count
        for row in rows:
            _judge(flow, searched, row, leaks)
        progress(done, max(size[0] if size else 0, done))
    yield from _told(flow, searched, leaks)


def _told(flow: Flow, searched: Sequence[Searched], leaks: Leaks) -> Iterator[Finding]:
    """What was found, by column and kind; where nothing was, the columns that are well."""
    place = f"citizen database, table {flow.target.table}, column"
    leaking = {name for name, _ in leaks}
    for each in searched:
        if each.column.name not in leaking:
            yield Finding(f"{place} {each.column.name}")
    for (name, kind), leak in leaks.items():
        where = f": {', '.join(leak.keys)}" if leak.keys else ""
        more = ", …" if len(leak.keys) < leak.rows and leak.keys else ""
        yield problem(
            f"{place} {name}",
            f"{leak.rows:,} rows hold: {kind}{where}{more}",
            _remedy(flow, name, kind),
        )


def _remedy(flow: Flow, column: str, kind: str) -> str:
    if kind == patterns.UNMASKED:
        return (
            f"synctasks verify {flow.name} --repair writes it masked; if it comes again, somebody "
            f"else writes that column: REVOKE UPDATE, INSERT ON {flow.target.table} FROM them"
        )
    source = next(each.reads for each in flow.columns if each.name == column) or column
    return (
        f"Correct {source} in {flow.source.table} of the {flow.source.database} database, and it "
        f"is carried over; if it is not there: synctasks verify {flow.name} --repair"
    )


def _judge(flow: Flow, searched: Sequence[Searched], row: Row, leaks: Leaks) -> None:
    keys = row[1 : 1 + len(flow.target.row_key)]
    values = row[1 + len(keys) : -1]
    found = [
        (each.column.name, kind)
        for each, value in zip(searched, values, strict=True)
        if value is not None
        for kind in dict.fromkeys(each.kinds(value))
    ]
    # A key that holds such a value itself is not told.
    tellable = not any(kind for key in keys for kind in patterns.in_text(key))
    for name, kind in found:
        leak = leaks.setdefault((name, kind), Leak())
        leak.rows += 1
        if tellable and len(leak.keys) < _MOST_KEYS:
            leak.keys.append(" ".join(keys))
