"""All twelve flows: wide units, event logs, slots.

Revision ID: 0004
"""

from synctasks.migrations.script import run

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run("0004_all_flows.sql")
