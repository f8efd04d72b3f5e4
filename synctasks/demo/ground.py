"""The ground the demo stands on: whose servers, and the tables and people in them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import psycopg2
from cryptography.fernet import Fernet

from synctasks import schemas, settings, sql
from synctasks.database import connect
from synctasks.embedded.servers import start_servers
from synctasks.errors import SetupError, translate
from synctasks.flow import Database
from synctasks.flows import FLOWS
from synctasks.sample.generate import CITIZEN, WAREHOUSE, Counts, Plan, Progress, fill
from synctasks.settings import BROKER_VARIABLE, DATABASE_VARIABLES, KEYS_VARIABLE

VARIABLES = (*DATABASE_VARIABLES.values(), BROKER_VARIABLE)

_HOLDS_ROWS = "SELECT EXISTS (SELECT FROM {table})"
_EXISTS = "SELECT to_regclass(%s) IS NOT NULL"


@contextlib.contextmanager
def servers() -> Iterator[dict[str, str]]:
    """Start servers of our own and yield the variables that lead there; they go at the end.

    Rows of dead letters are sealed with a key made up for the demo, where there is none.

    Where the environment names servers, those are used and nothing is yielded but an empty
    mapping. Raises SetupError if it names only some of them, or if tables there hold rows;
    EmbeddedServerError.
    """
    named = [name for name in VARIABLES if settings.holds(name)]
    key = {} if settings.holds(KEYS_VARIABLE) else {KEYS_VARIABLE: Fernet.generate_key().decode()}
    os.environ.update(key)  # for ourselves and the processes that we start
    if named:
        _require_all(named)
        _require_empty()
        yield {}
        return
    with start_servers() as started:
        variables = started.environment()
        os.environ.update(variables)
        yield {**variables, **key}


def _require_all(named: list[str]) -> None:
    missing = [name for name in VARIABLES if name not in named]
    if missing:
        raise SetupError(
            thing="environment",
            cause=f"{', '.join(named)} set, but not {', '.join(missing)}",
            remedy="Set all three to use these servers, or none to get servers for the demo only",
        )


def _require_empty() -> None:
    """Never fill or change somebody's data. Raises SetupError naming the first table with rows."""
    for database in Database:
        with _errors(database), contextlib.closing(connect(database, role="demo")) as connection:
            for table in _tables(database):
                with connection.cursor() as cursor:
                    cursor.execute(_EXISTS, (table,))
                    if not cursor.fetchone()[0]:
                        continue
                    cursor.execute(_HOLDS_ROWS.format(table=sql.name(table)))
                    if cursor.fetchone()[0]:
                        raise _in_use(database, table)


def _tables(database: Database) -> list[str]:
    """What the demo would write to, by itself or through the sync."""
    filled = WAREHOUSE if database is Database.WAREHOUSE else CITIZEN
    sides = [side for flow in FLOWS for side in (flow.source, flow.target)]
    synced = [side.table for side in sides if side.database is database]
    return list(dict.fromkeys([*(table.name for table in filled), *synced]))


def _in_use(database: Database, table: str) -> SetupError:
    return SetupError(
        thing=f"{database} database, table {table}",
        cause="it holds rows already, and the demo fills and changes tables",
        remedy=f"Name empty databases, or unset {', '.join(VARIABLES)}: "
        "the demo then starts servers of its own",
    )


def lay(plan: Plan, progress: Progress) -> Counts:
    """Create the tables of both databases and fill them. Raises SynctasksError."""
    for database in Database:
        with (
            _errors(database),
            contextlib.closing(connect(database, role="demo")) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(schemas.ddl(database))
    with (
        contextlib.closing(connect(Database.WAREHOUSE, role="demo")) as warehouse,
        contextlib.closing(connect(Database.CITIZEN, role="demo")) as citizen,
        _errors("filling the tables"),
    ):
        return fill(warehouse, citizen, plan, progress=progress)


@contextlib.contextmanager
def _errors(place: str) -> Iterator[None]:
    try:
        yield
    except psycopg2.Error as error:
        raise translate(error, place) from None
