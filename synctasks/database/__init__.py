"""Connections and transactions to the two databases; nothing else talks to a driver."""

from synctasks.database.login import CONNECT_ARGUMENTS, connect, connect_error, driver_url, pool_url
from synctasks.database.pool import engine, forget_connections
from synctasks.database.transaction import (
    CHUNK,
    DRAIN,
    Limits,
    Row,
    Transaction,
    array,
    transaction,
)

__all__ = [
    "CHUNK",
    "CONNECT_ARGUMENTS",
    "DRAIN",
    "Limits",
    "Row",
    "Transaction",
    "array",
    "connect",
    "connect_error",
    "driver_url",
    "engine",
    "forget_connections",
    "pool_url",
    "transaction",
]
