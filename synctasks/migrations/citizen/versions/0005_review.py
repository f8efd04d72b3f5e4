"""Rounds: nightly verify, and what is stale and wants a review.

Revision ID: 0005
"""

from synctasks.migrations.script import run

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run("0005_review.sql")
