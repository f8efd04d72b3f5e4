"""The pools: one a process and database, opened lazily, never carried across a fork."""

from __future__ import annotations

import os
import time
from functools import cache
from typing import Any

import psycopg2
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

from synctasks.database.login import CONNECT_ARGUMENTS, pool_url
from synctasks.flow import Database

_IDLE_SECONDS = 5.0


@cache
def engine(database: str) -> Engine:
    """The process's pool for a database: up to ten connections, checked after an idle while."""
    pool = create_engine(
        pool_url(database),
        pool_size=4,
        max_overflow=6,
        pool_timeout=10,
        pool_reset_on_return=None,
        connect_args={**CONNECT_ARGUMENTS, "application_name": "synctasks"},
    )

    event.listen(pool, "connect", _set_autocommit)
    event.listen(pool, "checkin", _note_time)
    event.listen(pool, "checkout", _check_after_idling)
    return pool


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


def forget_connections(*, close: bool = True) -> None:
    """Drop the process's pools; without closing them where a parent still uses them."""
    for database in Database:
        if engine.cache_info().currsize:
            engine(str(database)).dispose(close=close)
    engine.cache_clear()


os.register_at_fork(after_in_child=lambda: forget_connections(close=False))
