"""Contracts, dead letters, guarded removals, full runs that move only what differs.

Revision ID: 0002
"""

from synctasks.migrations.script import run

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run("0002_contracts.sql")
    run("0002_odd_letters.sql")
