"""A target is restored from an old dump: with help, that is `verify --repair`, it agrees again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.faults.bearing import RECOVERY_SECONDS, Bearing
from tests.faults.ground import CITIZEN, WAREHOUSE, Ground
from tests.faults.outcome import lost, open_letters, unbalanced, verified
from tests.faults.troubles import TARGETS
from tests.faults.workload import working
from tests.rows import execute

REPAIR_SECONDS = 120
# Full runs would find the difference by themselves: there is one at the beginning.
NO_RUNS_SECONDS = 300

# The rest of the golden records is the warehouse's own.
_OURS = {"public.golden_records": "updated_by = 'citizen_portal'"}
_DUMP = """\
DROP TABLE IF EXISTS witness.old_{name};
CREATE TABLE witness.old_{name} AS SELECT * FROM {table} WHERE {ours};
"""
# As pg_restore does it: nobody is told.
_RESTORE = """\
ALTER TABLE {table} DISABLE TRIGGER ALL;
DELETE FROM {table} WHERE {ours};
INSERT INTO {table} SELECT * FROM witness.old_{name};
ALTER TABLE {table} ENABLE TRIGGER ALL;
"""
# They have no events: what has changed shows only after a run, whoever restores what.
_NO_EVENTS = ("schemes", "user_behavior")


@pytest.mark.parametrize("side", [CITIZEN, WAREHOUSE])
def test_a_target_restored_from_an_old_dump_is_repaired_under_load(
    bearing: Bearing, side: str
) -> None:
    ground = bearing.ground
    with working(ground, ask_pause=NO_RUNS_SECONDS) as workload:
        workload.go_on(3, 200)
        _each_table(ground, side, _DUMP)
        workload.go_on(4, 300)
        _each_table(ground, side, _RESTORE)
        before = _verify(ground)
        assert _wrong_events(before), "the dump was old"
        assert _wrong_events(_verify(ground, "--repair")) == []
        workload.go_on(0, 50)
    ground.quiesce(RECOVERY_SECONDS)
    assert lost(ground) == []
    assert verified(ground) == []
    assert open_letters(ground) == []
    assert unbalanced(ground, bearing.witness) == []


def _each_table(ground: Ground, side: str, statements: str) -> None:
    with ground.at(side) as connection:
        for table in TARGETS[side]:
            told = {"table": table, "name": table.partition(".")[2]}
            execute(connection, statements.format(**told, ours=_OURS.get(table, "true")))


def _verify(ground: Ground, *options: str) -> list[dict[str, Any]]:
    """What `synctasks verify` counts, whose exit code says whether anything is wrong."""
    outcome = ground.run("synctasks", "verify", "--json", *options, timeout=REPAIR_SECONDS)
    assert outcome.returncode in (0, 1), outcome.stderr
    found: list[dict[str, Any]] = json.loads(outcome.stdout)
    assert outcome.returncode == any(_wrong(flow) for flow in found)
    return found


def _wrong_events(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The flows with events that something is wrong with."""
    return [flow for flow in found if _wrong(flow) and flow["flow"] not in _NO_EVENTS]


def _wrong(flow: dict[str, Any]) -> int:
    return int(flow["missing"] + flow["extra"] + flow["different"])
