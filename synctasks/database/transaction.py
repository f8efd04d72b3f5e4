"""Transactions at the two databases, with every limit that keeps us harmless.

Connections run in autocommit: BEGIN and the limits travel with a transaction's first statement.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

import psycopg2
from psycopg2.extensions import cursor as Cursor

from synctasks.database.lender import Lent, lender
from synctasks.database.login import connect_error
from synctasks.errors import SynctasksError, translate
from synctasks.flow import Database

Parameters = Mapping[str, Any]
Row = tuple[Any, ...]

# lock_timeout stays under deadlock_timeout (1 s), so that we lose and never the application.
# Constraints are checked where a row breaks them, not at COMMIT, where no row could be told apart.
# synchronous_commit: whatever the server says, but at least local.
# jit: what we forbid (enable_seqscan) is dear to the planner, and to compile for what it then
# thinks is a long statement takes most of a second, each time.
_BEGIN = """\
BEGIN ISOLATION LEVEL {isolation};
SET LOCAL statement_timeout = {statement_ms};
SET LOCAL idle_in_transaction_session_timeout = {idle_ms};
SET LOCAL client_connection_check_interval = 5000;
SET LOCAL lock_timeout = {lock_ms};
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO';
SET LOCAL jit = off;
SET CONSTRAINTS ALL IMMEDIATE;
SELECT
    set_config('synchronous_commit', 'local', true)
WHERE current_setting('synchronous_commit') = 'off';
"""

_BY_KEY = "SET LOCAL enable_seqscan = off;\n"


_IDLE_MS = 20_000
_MOST_STATEMENT_MS = 120_000


@dataclass(frozen=True)
class Limits:
    """How long one statement may run and wait for a lock, in milliseconds."""

    statement_ms: int = 5_000
    lock_ms: int = 500

    def doubled(self, times: int) -> Limits:
        """The same with the time for a statement doubled so often, up to 120 s."""
        return replace(self, statement_ms=min(self.statement_ms * 2**times, _MOST_STATEMENT_MS))

    @property
    def idle_ms(self) -> int:
        """How long a transaction may idle: at least as long as it may wait for the other side."""
        return max(_IDLE_MS, self.statement_ms + 5_000)


DRAIN = Limits()
CHUNK = Limits(statement_ms=30_000)


class Transaction:
    """One transaction: statements in, rows out, driver errors translated.

    `begin` travels with the first statement, in one round trip.
    """

    def __init__(self, cursor: Cursor, place: str, begin: str = "") -> None:
        self._cursor = cursor
        self._place = place
        self._begin = begin

    def execute(self, sql: str, parameters: Parameters | None = None) -> None:
        """Run statements. Raises SynctasksError, as every method here."""
        with _translated(self._place):
            self._run(sql, parameters)

    def rows(self, sql: str, parameters: Parameters | None = None) -> list[Row]:
        """All rows of the last statement; for results that are bounded."""
        with _translated(self._place):
            self._run(sql, parameters)
            rows: list[Row] = self._cursor.fetchall()
            return rows

    def row(self, sql: str, parameters: Parameters | None = None) -> Row | None:
        """The first row of the last statement, or None."""
        with _translated(self._place):
            self._run(sql, parameters)
            row: Row | None = self._cursor.fetchone()
            return row

    def value(self, sql: str, parameters: Parameters | None = None) -> Any:
        """The first column of the first row; the statement must return one."""
        row = self.row(sql, parameters)
        assert row is not None, "the statement returns a row by its shape"
        return row[0]

    def copy(self, sql: str, file: BinaryIO, parameters: Parameters | None = None) -> None:
        """COPY … TO STDOUT into the file, or COPY … FROM STDIN out of it."""
        with _translated(self._place):
            if self._begin:
                self._run("", None)
            self._cursor.copy_expert(self._cursor.mogrify(sql, parameters), file)

    @contextlib.contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo what the block does to this transaction if it raises; the transaction goes on."""
        self.execute("SAVEPOINT part")
        try:
            yield
        except SynctasksError:
            self.execute("ROLLBACK TO SAVEPOINT part")
            raise
        finally:
            self.execute("RELEASE SAVEPOINT part")

    def wait_for_locks(self, milliseconds: int) -> None:
        """Wait no longer than this for a lock from now on."""
        self.execute(f"SET LOCAL lock_timeout = {milliseconds:d}")

    def commit(self) -> None:
        """Commit, if there was a statement at all."""
        if not self._begin:
            self.execute("COMMIT")

    def _run(self, sql: str, parameters: Parameters | None) -> None:
        begin, self._begin = self._begin, ""
        self._cursor.execute(begin + sql, parameters)


def array(values: Iterable[str | bool | int]) -> str:
    """Values as one array literal, to be cast by the statement.

    The driver would send `ARRAY['a', 'b', …]`: thousands of constants to parse, where this is
    one, and several times faster for a chunk of keys.
    """
    quoted = (str(value).replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return "{" + ",".join(f'"{value}"' for value in quoted) + "}"


@contextlib.contextmanager
def transaction(
    database: Database | str,
    limits: Limits = DRAIN,
    *,
    snapshot: bool = False,
    by_key: bool = False,
) -> Iterator[Transaction]:
    """A transaction under our session limits; committed at the end, rolled back on any error.

    `snapshot` makes it a read-only REPEATABLE READ one. `by_key` keeps the planner from scanning
    whole tables for some thousands of keys. Raises SynctasksError.
    """
    isolation = "REPEATABLE READ READ ONLY" if snapshot else "READ COMMITTED"
    begin = _BEGIN.format(
        isolation=isolation,
        statement_ms=limits.statement_ms,
        lock_ms=limits.lock_ms,
        idle_ms=limits.idle_ms,
    )
    with _connection(str(database)) as cursor:
        tx = Transaction(cursor, str(database), begin + _BY_KEY if by_key else begin)
        yield tx
        tx.commit()


@contextlib.contextmanager
def _connection(database: str) -> Iterator[Cursor]:
    """A pooled connection's cursor; rolled back on an error, or closed where that fails."""
    try:
        pooled = lender(database).raw_connection()
    except psycopg2.Error as error:
        raise connect_error(error, database) from None
    try:
        cursor: Cursor = pooled.cursor()
        yield cursor
    except SynctasksError:
        _roll_back(pooled, database)
        raise
    except BaseException:
        pooled.invalidate()
        raise
    finally:
        pooled.close()


def _roll_back(pooled: Lent, database: str) -> None:
    """End the transaction; with the connection gone, the pool's others are gone, too."""
    try:
        pooled.cursor().execute("ROLLBACK")
    except psycopg2.Error:
        pooled.invalidate()
        lender(database).dispose()


@contextlib.contextmanager
def _translated(place: str) -> Iterator[None]:
    try:
        yield
    except psycopg2.Error as error:
        raise translate(error, place) from None
