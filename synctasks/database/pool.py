"""The pools of processes that stay: SQLAlchemy's, one a database."""

from __future__ import annotations

import time
from typing import Any

import psycopg2
from sqlalchemy import URL, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from synctasks import settings
from synctasks.database.login import CONNECT_ARGUMENTS
from synctasks.errors import TransientError

_IDLE_SECONDS = 5.0


def pool_url(database: str) -> URL:
    """The URL as SQLAlchemy takes it: plain `postgresql:` would mean another driver."""
    return make_url(settings.load().database_url(database)).set(drivername="postgresql+psycopg2")


class Pool:
    """Up to ten connections, checked after an idle while."""

    def __init__(self, database: str) -> None:
        self._database = database
        self.engine = create_engine(
            pool_url(database),
            pool_size=4,
            max_overflow=6,
            pool_timeout=10,
            pool_reset_on_return=None,
            connect_args={**CONNECT_ARGUMENTS, "application_name": "synctasks"},
        )
        event.listen(self.engine, "connect", _set_autocommit)
        event.listen(self.engine, "checkin", _note_time)
        event.listen(self.engine, "checkout", _check_after_idling)

    def raw_connection(self) -> PoolProxiedConnection:
        """Lend a connection. Raises psycopg2.Error, TransientError while all are lent."""
        try:
            return self.engine.raw_connection()
        except PoolTimeout:
            crowded = TransientError(f"{self._database}: no connection became free in the pool")
            crowded.place = self._database
            raise crowded from None

    def dispose(self, close: bool = True) -> None:
        """Forget the connections that are not lent."""
        self.engine.dispose(close=close)


def _set_autocommit(connection: Any, _record: ConnectionPoolEntry) -> None:
    connection.autocommit = True


def _note_time(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info["used_at"] = time.monotonic()


def _check_after_idling(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
    """Ask the server whether a connection that idled still stands; in use, that costs too much."""
    if time.monotonic() - record.info.get("used_at", time.monotonic()) < _IDLE_SECONDS:
        return
    try:
        connection.cursor().execute("SELECT")
    except psycopg2.Error:
        raise DisconnectionError from None
