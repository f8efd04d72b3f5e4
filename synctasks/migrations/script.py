"""What the migration scripts of both histories share: their environment and their SQL files."""

from __future__ import annotations

from importlib.resources import files

from alembic import context, op


def run(file: str) -> None:
    """Run (or print) one of the SQL files of `migrations/sql`."""
    op.execute(files("synctasks.migrations").joinpath("sql", file).read_text())


def migrate() -> None:
    """Alembic's environment: on a connection that is handed in, or into its output buffer."""
    connection = context.config.attributes.get("connection")
    context.configure(
        connection=connection,
        dialect_name="postgresql",
        version_table_schema="synctasks",
        # Printed, it is part of the installer's own transaction.
        transactional_ddl=connection is not None,
    )
    with context.begin_transaction():
        context.execute("CREATE SCHEMA IF NOT EXISTS synctasks")
        context.run_migrations()
