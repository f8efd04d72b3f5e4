"""Everything that can go wrong, grouped by what to do next: retry, give back, or stop.

PostgreSQL's messages and DETAIL lines carry people's values, so no driver error leaves the
database room: it is translated here into one of ours, which names the SQLSTATE's condition and
the table or constraint concerned, never a value.
"""

from __future__ import annotations

from dataclasses import dataclass

import psycopg2
from psycopg2 import errorcodes


class SynctasksError(Exception):
    """The family's root: a message a person may read, free of values.

    `place` is the database it came from, empty if it came from none.
    """

    place: str = ""


class TransientError(SynctasksError):
    """Try again later: the dependency is gone, starting, full, or another transaction won."""


class TimeoutExceeded(TransientError):
    """Try again with more time: a statement ran into its limit."""


class LockTimeout(TransientError):
    """Somebody else holds a lock on what this transaction needed."""


class LaneBusy(SynctasksError):
    """Another worker holds the lane; it looks for more work itself when it is done."""


class PermanentError(SynctasksError):
    """Trying again changes nothing: the data or the schema must change first."""


class RowError(PermanentError):
    """A row itself is at fault, not the tables: the others of its batch may pass without it."""

    def __init__(self, message: str, category: str) -> None:
        super().__init__(message)
        self.category = category

    def __reduce__(self) -> tuple[type[RowError], tuple[str, str], dict[str, object]]:
        """As it travels out of a worker's child: with both of its arguments."""
        return type(self), (str(self), self.category), self.__dict__


class MissingColumn(PermanentError):
    """The tables differ from what was read about them; look again before the next try."""


class Mistake(PermanentError):
    """A mistake of ours, or of a library: told by its kind, since its words may repeat a value."""


@dataclass
class SetupError(SynctasksError):
    """Stop: something outside must be put right first. Shown as one line, exit code 2."""

    thing: str
    cause: str
    remedy: str

    def __post_init__(self) -> None:
        # By these it is pickled: Celery would make a bare SynctasksError of one that cannot be.
        self.args = (self.thing, self.cause, self.remedy)

    def __str__(self) -> str:
        return f"{self.thing}: {self.cause}. {self.remedy}."


# Data exceptions, violated constraints, a row too large for an index, and what a trigger raises.
_ROW_CLASSES = ("22", "23", "54", "P0")

_TRANSIENT_CLASSES = ("08", "40", "53")
_TRANSIENT_STATES = frozenset(
    {
        errorcodes.READ_ONLY_SQL_TRANSACTION,
        errorcodes.ADMIN_SHUTDOWN,
        errorcodes.CRASH_SHUTDOWN,
        errorcodes.CANNOT_CONNECT_NOW,
        errorcodes.DATABASE_DROPPED,
        errorcodes.IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
    }
)


def kind_of(sqlstate: str | None) -> type[SynctasksError]:
    """The one mapping from SQLSTATE to what is to be done; no state at all is a lost connection."""
    match sqlstate:
        case None:
            return TransientError
        case errorcodes.QUERY_CANCELED:
            return TimeoutExceeded
        case errorcodes.LOCK_NOT_AVAILABLE:
            return LockTimeout
        case errorcodes.UNDEFINED_COLUMN:
            return MissingColumn
        case _ if sqlstate[:2] in _TRANSIENT_CLASSES or sqlstate in _TRANSIENT_STATES:
            return TransientError
        case _ if sqlstate[:2] in _ROW_CLASSES or _condition(sqlstate) is None:
            # A code that PostgreSQL does not define was raised by somebody's trigger.
            return RowError
        case _:
            return PermanentError


def translate(error: psycopg2.Error, place: str) -> SynctasksError:
    """Our error for the driver's, naming `place` (a database) and the condition, never a value."""
    ours = _translated(error, place)
    ours.place = place
    return ours


def _translated(error: psycopg2.Error, place: str) -> SynctasksError:
    if error.pgcode is None:
        return _without_state(error, place)
    if error.pgcode == errorcodes.UNDEFINED_TABLE and '"synctasks.' in str(error):
        return SetupError(
            f"{place} database", "synctasks is not installed there", "Run: synctasks install"
        )
    condition = _condition(error.pgcode) or "a condition of the database's own"
    message = f"{place}: {condition}{_where(error)} [{error.pgcode}]"
    kind = kind_of(error.pgcode)
    if issubclass(kind, RowError):
        return kind(message, _category(error.pgcode))
    return kind(message)


def _where(error: psycopg2.Error) -> str:
    """The table, column and constraint concerned: names, never values."""
    named = [
        f"{noun} {name}"
        for noun, name in (
            ("table", error.diag.table_name),
            ("column", error.diag.column_name),
            ("constraint", error.diag.constraint_name),
        )
        if name
    ]
    return f" ({', '.join(named)})" if named else ""


def _condition(sqlstate: str) -> str | None:
    """What PostgreSQL calls an SQLSTATE; None if it does not know it."""
    try:
        return str(errorcodes.lookup(sqlstate)).lower().replace("_", " ")
    except KeyError:
        return None


def _category(sqlstate: str) -> str:
    """The specification's category of a row that the database refused."""
    if sqlstate == errorcodes.NOT_NULL_VIOLATION:
        return "completeness"
    return "consistency" if sqlstate.startswith("23") else "accuracy"


def _without_state(error: psycopg2.Error, place: str) -> SynctasksError:
    """Errors that libpq or the driver raised by itself: a lost connection, or our own misuse."""
    if isinstance(error, (psycopg2.OperationalError, psycopg2.InterfaceError)):
        return TransientError(f"{place}: the connection is lost or refused")
    return PermanentError(f"{place}: {type(error).__name__} raised by the driver")
