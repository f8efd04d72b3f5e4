"""Alembic's entry: see synctasks.migrations."""

from synctasks.migrations.script import migrate

migrate()
