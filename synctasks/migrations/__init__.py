"""Our own schema in both databases: two histories, kept by Alembic."""

from __future__ import annotations

import io
from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from synctasks.database import CONNECT_ARGUMENTS, pool_url
from synctasks.errors import translate
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


def _config(database: Database, buffer: io.StringIO | None = None) -> Config:
    config = Config(output_buffer=buffer)
    folder = files("synctasks.migrations").joinpath(str(database))
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
