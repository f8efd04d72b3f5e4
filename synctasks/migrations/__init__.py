"""Our own schema in both databases: two histories, kept by Alembic."""

from __future__ import annotations

import io
from functools import cache
from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from synctasks.database import CONNECT_ARGUMENTS, Transaction
from synctasks.database.pool import pool_url
from synctasks.errors import SetupError, translate
from synctasks.flow import Database


def upgrade(database: Database) -> None:
    """Bring the schema `synctasks` of a database to the newest version. Raises SynctasksError."""
    engine = create_engine(
        pool_url(str(database)),
        poolclass=NullPool,
        connect_args={**CONNECT_ARGUMENTS, "application_name": "synctasks install"},
    )
    config = _config(database)
    try:
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except DBAPIError as error:
        raise translate(error.orig, str(database)) from None


def versions(database: Database) -> list[str]:
    """All versions of the schema that we know, the newest first."""
    scripts = ScriptDirectory.from_config(_config(database))
    return [script.revision for script in scripts.walk_revisions()]


def sql(database: Database) -> str:
    """The same as SQL text, from nothing to the newest version."""
    buffer = io.StringIO()
    command.upgrade(_config(database, buffer), "head", sql=True)
    return buffer.getvalue()


def require_current(tx: Transaction, database: Database) -> None:
    """Raise SetupError if our schema there is older than this program.

    One that is newer was brought by a newer program, beside which this one may end its work.
    """
    found = tx.value("SELECT max(version_num) FROM synctasks.alembic_version")
    older, needed = _versions(database)
    if found in (None, *older):
        raise SetupError(
            f"{database} database",
            f"its schema synctasks is of version {found}, and this program needs {needed}",
            "Run: synctasks install",
        )


def require_known(tx: Transaction, database: Database) -> None:
    """Raise SetupError if our schema there, if it is there, is newer than this program."""
    if not tx.value("SELECT to_regclass('synctasks.alembic_version') IS NOT NULL"):
        return
    found = tx.value("SELECT max(version_num) FROM synctasks.alembic_version")
    older, newest = _versions(database)
    if found not in (None, newest, *older):
        raise SetupError(
            f"{database} database",
            f"its schema synctasks is of version {found}, which this program does not know",
            "A newer one has installed it: take that one",
        )


@cache
def _versions(database: Database) -> tuple[tuple[str, ...], str]:
    """The versions of our schema: the older ones, and the newest that this program knows."""
    script = ScriptDirectory.from_config(_config(database))
    newest, *older = (each.revision for each in script.walk_revisions())
    return tuple(older), newest


def _config(database: Database, buffer: io.StringIO | None = None) -> Config:
    config = Config(output_buffer=buffer)
    folder = files("synctasks.migrations").joinpath(str(database))
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
