"""A source that lost its rows does not empty the portal, until somebody says that it is right."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from synctasks.embedded.waiting import wait_until
from tests.acceptance.system import System
from tests.refreshing import add_records, unseen, versions
from tests.rows import Connection, execute

RECORDS = 1_500
SYNC = ("synctasks", "sync", "profile_data")


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


def delete(warehouse: Connection) -> None:
    execute(warehouse, "DELETE FROM golden_records")


def truncate(warehouse: Connection) -> None:
    execute(warehouse, "TRUNCATE golden_records")


def deploy(warehouse: Connection) -> None:
    """The table is replaced by a tenth of it, with all triggers off."""
    with unseen(warehouse):
        execute(warehouse, "DELETE FROM golden_records WHERE gr_id NOT LIKE '%7'")


# How the rows go, how many are left, how many removals are held as events, and the alerts.
LOSSES: dict[str, tuple[Callable[[Connection], None], int, int, list[str]]] = {
    "by delete": (delete, 0, RECORDS, ["volume drop", "removals held"]),
    "by truncate": (truncate, 0, 0, ["volume drop"]),
    "by a bad deploy": (deploy, RECORDS // 10, 0, ["volume drop"]),
}


@pytest.mark.parametrize(("lose", "left", "held", "alerts"), LOSSES.values(), ids=LOSSES)
def test_nothing_is_removed_until_the_shrink_is_accepted(
    filled: System,
    lose: Callable[[Connection], None],
    left: int,
    held: int,
    alerts: list[str],
) -> None:
    with filled.citizen() as citizen, filled.warehouse() as warehouse:
        before = versions(citizen)
        lose(warehouse)
        filled.quiesce()
        assert status(filled)["flows"]["profile_data"]["held"] == held
        refused = filled.run(*SYNC, "--json")
        assert refused.returncode == 1
        run = json.loads(refused.stdout)
        assert (run["state"], run["read"], run["removed"]) == ("guarded", left, 0)
        assert versions(citizen) == before
        found = status(filled)
        assert found["flows"]["profile_data"]["last_run"] == run
        assert [alert["name"] for alert in found["alerts"] if alert["flow"]] == alerts
        accepted = filled.run(*SYNC, "--accept-shrink", "--json")
        assert accepted.returncode == 0, accepted.stderr
        filled.quiesce()
        filled.agree()
        assert len(versions(citizen)) == left
    assert audited(filled) == [f"{held} held removals, and a full run"]
    again = filled.run(*SYNC, "--json")
    assert (again.returncode, json.loads(again.stdout)["state"]) == (0, "succeeded")
    found = status(filled)
    assert [alert["name"] for alert in found["alerts"] if alert["flow"]] == []
    assert found["flows"]["profile_data"]["held"] == 0


def test_a_truncated_source_asks_for_a_run_by_itself_which_is_guarded(filled: System) -> None:
    with filled.warehouse() as warehouse:
        truncate(warehouse)
    filled.quiesce()
    last = "SELECT reason, state, read, removed FROM synctasks.run ORDER BY id DESC LIMIT 1"
    asked = "the source table was truncated"
    assert filled.at_warehouse(last) == [(asked, "guarded", 0, 0)]
    assert filled.at_citizen("SELECT count(*) FROM profile_data") == [RECORDS]


def test_people_are_told_what_was_refused_and_what_to_do(filled: System) -> None:
    with filled.warehouse() as warehouse:
        delete(warehouse)
    filled.quiesce()
    refused = filled.run(*SYNC)
    assert refused.returncode == 1
    said = refused.stdout.splitlines()
    assert said[0] == "profile_data: guarded. Read 0: nothing; removed 0."
    assert "nothing was" in refused.stdout
    assert said[-1].strip() == "synctasks sync profile_data --accept-shrink"
    shown = filled.run("synctasks", "status").stdout
    assert "guarded" in shown
    assert "1,500" in shown, "the removals that are held"
    assert "! removals held profile_data: 1,500 removals are held" in shown
    assert "! volume drop profile_data: the last full run found 0 records" in shown


def test_one_record_whose_removal_is_held_is_guarded_too(filled: System) -> None:
    with filled.warehouse() as warehouse:
        delete(warehouse)
    filled.quiesce()
    refused = filled.run(*SYNC, "--key", "GR-000007", "--json")
    assert (refused.returncode, json.loads(refused.stdout)["state"]) == (1, "guarded")
    assert filled.at_citizen("SELECT count(*) FROM profile_data") == [RECORDS]


def status(system: System) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(system.run("synctasks", "status", "--json").stdout)
    return found


def audited(system: System) -> list[str]:
    accepted = "SELECT subject FROM synctasks.audit WHERE action = 'accept-shrink'"
    return system.at_warehouse(accepted)
