"""How a connection is made, and what it means when it is not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import psycopg2

from synctasks import settings
from synctasks.errors import SetupError, SynctasksError, TransientError
from synctasks.flow import Database

# Our side gives a silent peer up after 15 s; 5 s to connect.
CONNECT_ARGUMENTS: Mapping[str, Any] = {
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


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
    """The URL as libpq takes it: a lone `%` in a name or password, say, is one of its letters."""
    url = urlsplit(settings.load().database_url(database))
    login, at, place = url.netloc.rpartition("@")
    quoted = ":".join(quote(unquote(part), safe="") for part in login.split(":", 1))
    return url._replace(scheme="postgresql", netloc=quoted + at + place).geturl()


def connect_error(error: psycopg2.Error, database: str) -> SynctasksError:
    """Why a connection failed: what an operator must mend, or what passes by itself."""
    ours = _why(error, database)
    ours.place = database
    return ours


def _why(error: psycopg2.Error, database: str) -> SynctasksError:
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
    # Before "does not exist", which libpq says of a file, too.
    (
        "root certificate file",
        "there is no file of root certificates to prove the server by",
        "Name one in {variable} (sslrootcert=/path), or take another sslmode",
    ),
    (
        "certificate verify failed",
        "its certificate is not signed by any of the root certificates",
        "Name the right ones in {variable} (sslrootcert=/path)",
    ),
    (
        "does not match host name",
        "its certificate is of another host name",
        "Put the name that the certificate has into {variable}, or take sslmode=verify-ca",
    ),
    (
        "server does not support SSL",
        "the server speaks no TLS, and the URL wants it",
        "Let the server speak it, or take another sslmode in {variable}",
    ),
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
        "does not exist",
        "the server has no such database or user",
        "Create it, or put the right names into {variable}",
    ),
    (
        "invalid dsn",
        "its URL holds an option that does not exist",
        "Correct {variable}",
    ),
    (
        "invalid sslmode",
        "its URL holds an sslmode that does not exist",
        "Correct {variable}",
    ),
    (
        "no pg_hba.conf entry",
        "the server does not admit this host and user",
        "Add them to its pg_hba.conf, or change {variable}",
    ),
)
