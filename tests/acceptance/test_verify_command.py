"""`synctasks verify` as people and programs run it, on a whole system."""

from __future__ import annotations

import json
from typing import Any

import pytest

from synctasks.embedded.waiting import wait_until
from synctasks.flows import FLOWS
from tests.acceptance.system import System
from tests.acceptance.traffic import Traffic
from tests.programs import Outcome
from tests.refreshing import add_records, key, unseen, versions
from tests.rows import execute, value

RECORDS = 200
VERIFY = ("synctasks", "verify", "profile_data")
CLASSES = {
    "matched",
    "missing",
    "extra",
    "different",
    "deferred",
    "waiting",
    "superseded",
    "in_flight",
    "dead_lettered",
}
_WRITTEN = """\
SELECT
    (SELECT coalesce(max(id), 0) FROM synctasks.run),
    (SELECT coalesce(sum(taken), 0) FROM synctasks.history WHERE flow !~ '^heartbeat'),
    (SELECT count(*) FROM synctasks.change_log WHERE flow !~ '^heartbeat'),
    (SELECT count(*) FROM synctasks.dead_letter)
"""


@pytest.fixture
def filled(system: System) -> System:
    """Records that have arrived, by a full run."""
    with system.warehouse() as warehouse, unseen(warehouse):
        add_records(warehouse, 1, RECORDS)
    system.send("sync.profile_data", "control")
    count = "SELECT count(*) FROM profile_data"
    wait_until(lambda: system.at_citizen(count) == [RECORDS], 20, "the records")
    system.quiesce()
    return system


def spoil(system: System) -> None:
    """Three rows changed, two deleted, one added by a hand at the portal."""
    with system.citizen() as citizen:
        changed = [key(1), key(2), key(3)]
        execute(citizen, "UPDATE profile_data SET city = 'x' WHERE record_id = ANY (%s)", [changed])
        execute(citizen, "DELETE FROM profile_data WHERE record_id IN (%s, %s)", [key(4), key(5)])
        execute(citizen, "INSERT INTO profile_data (record_id) VALUES ('GR-nobody')")


def counts(outcome: Outcome) -> dict[str, int]:
    """What `verify FLOW --json` printed, checked for its shape, without the empty classes."""
    found: dict[str, Any] = json.loads(outcome.stdout)
    assert found.keys() == CLASSES | {"flow"}
    assert found.pop("flow") == "profile_data"
    return {name: count for name, count in found.items() if count}


def test_it_finds_what_a_hand_did_writes_nothing_and_repairs_when_told(filled: System) -> None:
    spoil(filled)
    with filled.warehouse() as warehouse, filled.citizen() as citizen:
        before = value(warehouse, _WRITTEN), versions(citizen)
        found = filled.run(*VERIFY, "--json")
        assert found.returncode == 1
        wrong = {"matched": 195, "different": 3, "missing": 2, "extra": 1}
        assert counts(found) == wrong
        assert (value(warehouse, _WRITTEN), versions(citizen)) == before, "only looked at"
        repaired = filled.run(*VERIFY, "--repair", "--json")
        assert repaired.returncode == 0, repaired.stderr
        assert counts(repaired) == {"matched": RECORDS}
        written = versions(citizen)
        untouched = [each for each in before[1] if written.get(each) == before[1][each]]
        assert len(untouched) == 195, "only what was wrong was written"
    filled.agree()
    reasons = filled.at_warehouse("SELECT reason, planned FROM synctasks.run WHERE kind = 'keys'")
    assert reasons == [("repair", 6)]


def test_people_get_a_table(filled: System) -> None:
    spoil(filled)
    told = filled.run(*VERIFY)
    assert told.returncode == 1
    heading, row = told.stdout.splitlines()
    assert heading.split() == ["flow", "matched", "missing", "extra", "different"]
    assert row.split() == ["profile_data", "195", "2", "1", "3"]


def test_without_a_flow_all_are_verified(filled: System) -> None:
    found = filled.run("synctasks", "verify", "--json")
    assert found.returncode == 0, found.stderr
    listed = json.loads(found.stdout)
    assert [each["flow"] for each in listed] == [flow.name for flow in FLOWS]
    assert all(each.keys() == CLASSES | {"flow"} for each in listed)


def test_a_repair_that_would_remove_too_much_is_held_and_found_wrong(filled: System) -> None:
    """More than 1,000 extras and a fifth of the target: a person has to look first."""
    with filled.citizen() as citizen:
        execute(
            citizen,
            "INSERT INTO profile_data (record_id) "
            "SELECT 'GR-nobody-' || number FROM generate_series(1, 1500) AS numbered (number)",
        )
    refused = filled.run(*VERIFY, "--repair")
    assert "more than 1,000 rows and a fifth of the target" in refused.stderr
    assert "synctasks sync profile_data --accept-shrink" in refused.stderr
    assert filled.at_citizen("SELECT count(*) FROM profile_data")[0] >= 700
    assert refused.returncode == 1, "it found something wrong; nothing is wrong with its use"


def test_under_traffic_nothing_is_wrong(filled: System) -> None:
    url = filled.environment["SYNCTASKS_WAREHOUSE_URL"]
    with Traffic(url, writers=2) as traffic:
        for _ in range(2):
            found = filled.run(*VERIFY, "--json")
            assert found.returncode == 0, found.stdout
            assert counts(found).keys() <= {"matched", "in_flight"}
            traffic.await_writes(20)
    filled.quiesce()
    assert counts(filled.run(*VERIFY, "--json")).keys() == {"matched"}
