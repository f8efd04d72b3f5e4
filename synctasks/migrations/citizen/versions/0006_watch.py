"""What it takes to see how the flows are doing, and to steer them.

Revision ID: 0006
"""

from synctasks.migrations.script import run

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run("0006_watch.sql")
