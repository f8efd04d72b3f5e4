"""The bookkeeping: change log, lanes, runs, dead letters and what later flows need.

Revision ID: 0001
"""

from synctasks.migrations.script import run

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    run("0001_bookkeeping.sql")
