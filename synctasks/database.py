"""Connections and transactions to the two databases, with every limit that keeps us harmless.

Connections are pooled, one pool a process and database, opened lazily (they must not cross a
fork). They run in autocommit; a transaction's BEGIN travels with its limits and its first
statement in one round trip.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, BinaryIO

import psycopg2
from psycopg2.extensions import cursor as Cursor
from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from synctasks import settings
from synctasks.errors import SetupError, SynctasksError, TransientError, translate
from synctasks.flow import Database

Parameters = Mapping[str, Any]
Row = tuple[Any, ...]

# Our side gives a silent peer up after 15 s; 5 s to connect.
CONNECT_ARGUMENTS: Mapping[str, Any] = {
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}

# lock_timeout stays under deadlock_timeout (1 s), so that we lose and never the application.
# synchronous_commit: whatever the server says, but at least local.
_BEGIN = """\
BEGIN ISOLATION LEVEL {isolation};
SET LOCAL statement_timeout = {statement_ms};
SET LOCAL idle_in_transaction_session_timeout = 20000;
SET LOCAL client_connection_check_interval = 5000;
SET LOCAL lock_timeout = {lock_ms};
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO';
SELECT
    set_config('synchronous_commit', 'local', true)
WHERE current_setting('synchronous_commit') = 'off'
"""

_BY_KEY = ";\nSET LOCAL enable_seqscan = off"


@dataclass(frozen=True)
class Limits:
    """How long one statement may run and wait for a lock, in milliseconds."""

    statement_ms: int = 5_000
    lock_ms: int = 500


DRAIN = Limits()
CHUNK = Limits(statement_ms=30_000)


class Transaction:
    """One open transaction: statements in, rows out, driver errors translated."""

    def __init__(self, cursor: Cursor, place: str) -> None:
        self._cursor = cursor
        self._place = place

    def execute(self, sql: str, parameters: Parameters | None = None) -> None:
        """Run statements. Raises SynctasksError, as every method here."""
        with _translated(self._place):
            self._cursor.execute(sql, parameters)

    def rows(self, sql: str, parameters: Parameters | None = None) -> list[Row]:
        """All rows of the last statement; for results that are bounded."""
        with _translated(self._place):
            self._cursor.execute(sql, parameters)
            rows: list[Row] = self._cursor.fetchall()
            return rows

    def row(self, sql: str, parameters: Parameters | None = None) -> Row | None:
        """The first row of the last statement, or None."""
        with _translated(self._place):
            self._cursor.execute(sql, parameters)
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
            statement = self._cursor.mogrify(sql, parameters)
            self._cursor.copy_expert(statement, file)


def array(values: Iterable[str | bool]) -> str:
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
        isolation=isolation, statement_ms=limits.statement_ms, lock_ms=limits.lock_ms
    )
    with _connection(str(database)) as cursor:
        tx = Transaction(cursor, str(database))
        tx.execute(begin + _BY_KEY if by_key else begin)
        yield tx
        tx.execute("COMMIT")


@contextlib.contextmanager
def _connection(database: str) -> Iterator[Cursor]:
    """A pooled connection's cursor. On an error the connection is closed: that rolls back."""
    try:
        pooled = engine(database).raw_connection()
    except DBAPIError as error:
        raise connect_error(error.orig, database) from None
    except PoolTimeout:
        raise TransientError(f"{database}: no connection became free in the pool") from None
    try:
        cursor: Cursor = pooled.cursor()
        yield cursor
    except BaseException:
        pooled.invalidate()
        raise
    else:
        cursor.close()
    finally:
        pooled.close()


@contextlib.contextmanager
def _translated(place: str) -> Iterator[None]:
    try:
        yield
    except psycopg2.Error as error:
        raise translate(error, place) from None


def connect(database: Database | str, *, role: str) -> psycopg2.extensions.connection:
    """A connection of its own, in autocommit (the listener's, the installer's).

    Raises SetupError for what only an operator can mend, TransientError for the rest.
    """
    url = driver_url(str(database))
    try:
        connection = psycopg2.connect(
            url, application_name=f"synctasks {role}", **CONNECT_ARGUMENTS
        )
    except psycopg2.Error as error:
        raise connect_error(error, str(database)) from None
    connection.autocommit = True
    return connection


def driver_url(database: str) -> str:
    """The URL as libpq takes it."""
    url = make_url(settings.load().database_url(database)).set(drivername="postgresql")
    return url.render_as_string(hide_password=False)


def pool_url(database: str) -> URL:
    """The URL as SQLAlchemy takes it: plain `postgresql:` would mean another driver."""
    return make_url(settings.load().database_url(database)).set(drivername="postgresql+psycopg2")


def connect_error(error: BaseException | None, database: str) -> SynctasksError:
    """Why a connection failed: what an operator must mend, or what passes by itself."""
    variable = settings.DATABASE_VARIABLES[database]
    text = str(error)
    for sign, cause, remedy in _CONNECT_PROBLEMS:
        if sign in text:
            return SetupError(f"{database} database", cause, remedy.format(variable=variable))
    return TransientError(
        f"{database} database: cannot connect. Is the server running, "
        f"and are host and port in {variable} right?"
    )


# libpq reports a refused login without an SQLSTATE, so its words are all there is to go by.
_CONNECT_PROBLEMS = (
    (
        "password authentication failed",
        "the password is wrong",
        "Put the right user and password into {variable}",
    ),
    (
        "no password supplied",
        "the server wants a password and the URL has none",
        "Put user and password into {variable}",
    ),
    (
        "could not translate host name",
        "the host name is unknown",
        "Put the right host into {variable}",
    ),
    (
        "does not exist",
        "the server has no such database or user",
        "Create it, or put the right names into {variable}",
    ),
    (
        "no pg_hba.conf entry",
        "the server does not admit this host and user",
        "Add them to its pg_hba.conf, or change {variable}",
    ),
)


@cache
def engine(database: str) -> Engine:
    """The process's pool for a database: up to ten connections, checked before use."""
    pool = create_engine(
        pool_url(database),
        pool_size=4,
        max_overflow=6,
        pool_timeout=10,
        pool_pre_ping=True,
        pool_reset_on_return=None,
        connect_args={**CONNECT_ARGUMENTS, "application_name": "synctasks"},
    )

    @event.listens_for(pool, "connect")
    def _autocommit(connection: Any, _record: object) -> None:
        connection.autocommit = True

    return pool


def forget_connections(*, close: bool = True) -> None:
    """Drop the process's pools; without closing them where a parent still uses them."""
    for database in Database:
        if engine.cache_info().currsize:
            engine(str(database)).dispose(close=close)
    engine.cache_clear()


os.register_at_fork(after_in_child=lambda: forget_connections(close=False))
