"""Fills the two databases with data that does not exist: streaming, repeatable, fast.

All of it follows from a ``Plan``. Tables that are only a target of the sync stay empty.

    plan = Plan(households=2_000, seed=7, dirty=0.005)
    counts = fill(warehouse, citizen, plan)

    fill_tables(warehouse, ["public.golden_records"], Plan.of_records(1_000_000))
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

from psycopg2 import sql

from synctasks.sample.copying import CopyStream, Row, line
from synctasks.sample.plan import Plan
from synctasks.sample.spoil import with_dirt
from synctasks.sample.tables import CITIZEN, WAREHOUSE, Table

__all__ = ["CITIZEN", "WAREHOUSE", "Counts", "Plan", "copy_text", "fill", "fill_tables"]

#: A psycopg2 connection, which has no type of its own for mypy.
Connection: TypeAlias = Any
#: Called with the table and the number of its rows so far.
Progress: TypeAlias = Callable[[str, int], None]

_TABLES = {table.name: table for table in (*WAREHOUSE, *CITIZEN)}


@dataclass(frozen=True)
class Counts:
    """What was written.

    ``rows`` by table; ``dirty`` by table and then by the name of the kind, among these rows.
    """

    rows: Mapping[str, int] = field(default_factory=dict)
    dirty: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def fill(
    warehouse: Connection, citizen: Connection, plan: Plan, *, progress: Progress | None = None
) -> Counts:
    """Fill all tables of both databases, commit, and return what was written.

    Args:
        warehouse: connection to a database with the tables of the warehouse, empty.
        citizen: the same for the portal.
        plan: what to write.
        progress: called after each two thousand rows.

    Raises:
        ValueError: a table is not empty. Nothing was written to its database.
        psycopg2.Error: the server refused. The database at fault is as it was.
    """
    ours = fill_tables(warehouse, [table.name for table in WAREHOUSE], plan, progress=progress)
    theirs = fill_tables(citizen, [table.name for table in CITIZEN], plan, progress=progress)
    return Counts({**ours.rows, **theirs.rows}, {**ours.dirty, **theirs.dirty})


def fill_tables(
    database: Connection, tables: Iterable[str], plan: Plan, *, progress: Progress | None = None
) -> Counts:
    """Fill the named tables of one database in one transaction, and return what was written.

    The rows of a table are the same, whichever others are filled with it.

    Args:
        database: connection to the database; what is open on it is committed, too.
        tables: names as in ``WAREHOUSE`` and ``CITIZEN``, referred tables first.
        plan: what to write.
        progress: called after each two thousand rows.

    Raises:
        KeyError: there is no such table.
        ValueError: a table is not empty.
        psycopg2.Error: the server refused. Nothing was written.
    """
    chosen = [_TABLES[name] for name in tables]
    rows: dict[str, int] = {}
    dirty: dict[str, Mapping[str, int]] = {}
    with database, database.cursor() as cursor:
        for table in chosen:
            found: Counter[str] = Counter()
            stream = _rows(table, plan, found)
            rows[table.name] = _copy(cursor, table, stream, progress or _nobody_watches)
            dirty[table.name] = dict(found)
    return Counts(rows, dirty)


def copy_text(table: str, plan: Plan) -> Iterator[str]:
    """Yield the lines of COPY that ``fill`` sends for a table: equal for equal plans.

    Raises:
        KeyError: there is no such table.
    """
    return (line(row) for row in _rows(_TABLES[table], plan, Counter()))


def _rows(table: Table, plan: Plan, found: Counter[str]) -> Iterator[Row]:
    return with_dirt(table.name, table.columns, table.rows(plan), plan, found)


def _nobody_watches(_table: str, _rows: int) -> None:
    """The progress of a run that reports none."""


def _copy(cursor: Any, table: Table, rows: Iterator[Row], progress: Progress) -> int:
    name = sql.Identifier(*table.name.split("."))
    cursor.execute(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(name))
    if cursor.fetchone()[0]:
        raise ValueError(f"{table.name} is not empty")
    columns = sql.SQL(", ").join(map(sql.Identifier, table.columns))
    stream = CopyStream(rows, partial(progress, table.name))
    cursor.copy_expert(sql.SQL("COPY {} ({}) FROM STDIN").format(name, columns), stream)
    # Not left to autovacuum: the first queries come within seconds and need good plans.
    cursor.execute(sql.SQL("ANALYZE {}").format(name))
    return stream.count
