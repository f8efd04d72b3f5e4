"""The SQL of the runbook runs, at both databases, and only reads."""

from __future__ import annotations

import re
from pathlib import Path

from synctasks.database import transaction
from synctasks.flow import Database
from synctasks.monitoring.alerts.condition import RUNBOOK

TEXT = (Path(__file__).parents[3] / RUNBOOK).read_text(encoding="utf-8")
STATEMENTS = [
    statement.strip().replace("run = ID", "run = 1").replace("%", "%%")
    for block in re.findall(r"```sql\n(.*?)```", TEXT, flags=re.DOTALL)
    for statement in block.split(";")
    if statement.strip()
]


def test_every_statement_of_the_runbook_runs_and_only_reads(databases: dict[str, str]) -> None:
    assert len(STATEMENTS) > 15
    for database in Database:
        with transaction(database, snapshot=True) as tx:
            for statement in STATEMENTS:
                tx.rows(statement, {})
