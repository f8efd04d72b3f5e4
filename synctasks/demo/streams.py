"""Rows of a query as a stream: as text, over a connection of its own, from one snapshot."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import psycopg2

from synctasks.database import connect
from synctasks.errors import translate
from synctasks.flow import Database

# Values as text, in the order of the query's columns.
Row = tuple[str | None, ...]

_ROWS_AT_ONCE = 2_000

_SETTINGS = """\
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
SET extra_float_digits = 1;
SET statement_timeout = '120s'
"""


def moment(text: str | None) -> str:
    """A timestamp's text in a form that sorts as it does: null first, far-off years last."""
    if text is None:
        return ""
    return text.rjust(len(text) + max(0, 6 - text.find("-")), "0") if text[0].isdigit() else text


@contextlib.contextmanager
def stream(
    database: Database, statement: str, parameters: Mapping[str, Any] | None = None
) -> Iterator[Iterator[Row]]:
    """The rows of a query, a few at a time in memory. Raises SynctasksError."""
    connection = connect(database, role="demo comparison")
    try:
        with connection.cursor() as cursor:
            cursor.execute(_SETTINGS)
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True, autocommit=False)
        yield _rows(connection, statement, parameters, str(database))
    except psycopg2.Error as error:
        raise translate(error, str(database)) from None
    finally:
        connection.close()


def _rows(
    connection: Any, statement: str, parameters: Mapping[str, Any] | None, place: str
) -> Iterator[Row]:
    try:
        with connection.cursor(name="comparison") as cursor:
            cursor.itersize = _ROWS_AT_ONCE
            cursor.execute(statement, parameters)
            yield from cursor
    except psycopg2.Error as error:
        raise translate(error, place) from None
