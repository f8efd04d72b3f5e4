"""Who lends connections: the process's pool, opened lazily and never carried across a fork.

A command that asks a few questions and ends goes without: to load SQLAlchemy takes longer than all
that `synctasks status` asks.
"""

from __future__ import annotations

import os
from functools import partial
from typing import Any, Protocol

import psycopg2
from psycopg2.extensions import connection as Connection

from synctasks.database.login import CONNECT_ARGUMENTS, driver_url


class Lent(Protocol):
    """A connection in autocommit: `close` gives it back, `invalidate` ends it."""

    def cursor(self) -> Any: ...
    def invalidate(self) -> None: ...
    def close(self) -> None: ...


class Lender(Protocol):
    """Lends connections to one database, to any thread."""

    def raw_connection(self) -> Lent:
        """Lend one. Raises psycopg2.Error, TransientError where too many are lent."""

    def dispose(self, close: bool = True) -> None:
        """Forget the connections that are not lent; unclosed where a parent still uses them."""


_lenders: dict[str, Lender] = {}
_briefly = False


def lend_briefly() -> None:
    """This process asks a few questions and ends: it keeps its connections without a pool."""
    global _briefly
    _briefly = not _lenders


def lender(database: str) -> Lender:
    """The process's lender for a database."""
    if database not in _lenders:
        _lenders[database] = _made(database)
    return _lenders[database]


def forget_connections(*, close: bool = True) -> None:
    """Drop the process's lenders; without closing connections where a parent still uses them."""
    while _lenders:
        _lenders.popitem()[1].dispose(close=close)


def _made(database: str) -> Lender:
    if _briefly:
        return _Keeper(database)
    from synctasks.database.pool import Pool

    return Pool(database)


class _Keeper:
    """Keeps what was given back for whoever asks next."""

    def __init__(self, database: str) -> None:
        self._database = database
        self._idle: list[Connection] = []

    def raw_connection(self) -> Lent:
        try:
            lent = self._idle.pop()
        except IndexError:
            lent = psycopg2.connect(
                driver_url(self._database), application_name="synctasks", **CONNECT_ARGUMENTS
            )
            lent.autocommit = True
        return _Kept(lent, self._idle)

    def dispose(self, close: bool = True) -> None:
        while self._idle:
            idle = self._idle.pop()
            if close:
                idle.close()


class _Kept:
    """A connection that goes back to its keeper, unless it is closed."""

    def __init__(self, connection: Connection, keeper: list[Connection]) -> None:
        self._connection = connection
        self._keeper = keeper
        self.cursor = connection.cursor
        self.invalidate = connection.close

    def close(self) -> None:
        if not self._connection.closed:
            self._keeper.append(self._connection)


os.register_at_fork(after_in_child=partial(forget_connections, close=False))
