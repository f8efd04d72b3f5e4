"""Waiting for references, failures and what is done about them.

Revision ID: 0003
"""

from synctasks.migrations.script import run

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run("0003_failures.sql")
