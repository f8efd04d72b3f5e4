"""Connections and transactions to the two databases; nothing else talks to a driver."""

from synctasks.database.lender import forget_connections, lend_briefly
from synctasks.database.login import CONNECT_ARGUMENTS, connect, connect_error, driver_url
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
    "forget_connections",
    "lend_briefly",
    "transaction",
]
