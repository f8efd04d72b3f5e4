"""A contract that does not fit: one message, instead of a flood of dead letters."""

from __future__ import annotations

import pytest

from synctasks.flow import Database, Flow
from synctasks.flows import FLOWS
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.monitoring.status import status
from tests.refreshing import add_records, books, carry, full_run, key, run_of, unseen, versions
from tests.rows import Connection, execute, rows, value

_LETTERS = "SELECT count(*) FROM synctasks.dead_letter"
# Spread evenly over ranges and lanes.
_SPOIL = "UPDATE golden_records SET gender = 'X' WHERE abs(hashtext(gr_id)) %% 100 < %s"


def spoil(warehouse: Connection, percent: int) -> int:
    """Make about so many of the records break their contract; how many do."""
    with unseen(warehouse):
        execute(warehouse, _SPOIL, [percent])
    count: int = value(warehouse, "SELECT count(*) FROM golden_records WHERE gender = 'X'")
    return count


def test_a_hundred_thousand_rejects_stop_the_run(
    warehouse: Connection, citizen: Connection
) -> None:
    with unseen(warehouse):
        add_records(warehouse, 1, 500)
        full_run(warehouse)
        add_records(warehouse, 501, 100_000)
        execute(warehouse, "UPDATE golden_records SET gender = 'X' WHERE gr_id > %s", [key(100)])
    before = versions(citizen)
    run = full_run(warehouse)
    assert run["state"] == "stopped"
    assert run["error"] == (
        f"contract mismatch: {run['rejected']:,} of the first {run['read']:,} records were rejected"
    )
    assert 1_000 <= run["read"] < 50_000, "it stops early"
    assert run["rejected"] * 2 > run["read"]
    assert rows(warehouse, _LETTERS) == [0]
    assert versions(citizen) == before
    [alert] = status(FLOWS)["alerts"]
    assert (alert["flow"], alert["name"]) == (PROFILE_DATA.name, "contract mismatch")
    assert alert["reason"].endswith(run["error"])


def test_a_stopped_run_is_no_history_and_the_next_one_starts_afresh(
    warehouse: Connection, citizen: Connection
) -> None:
    with unseen(warehouse):
        add_records(warehouse, 1, 3_000)
    spoil(warehouse, 100)
    assert full_run(warehouse)["state"] == "stopped"
    with unseen(warehouse):
        execute(warehouse, "UPDATE golden_records SET gender = 'F'")
    run = full_run(warehouse)
    assert (run["state"], books(run)) == ("succeeded", {"read": 3_000, "written": 3_000})
    assert "contract mismatch" not in [each["name"] for each in status(FLOWS)["alerts"]]


def test_two_in_five_rejected_do_not_stop_it_and_each_has_its_letter(
    warehouse: Connection, citizen: Connection
) -> None:
    with unseen(warehouse):
        add_records(warehouse, 1, 2_000)
    rejected = spoil(warehouse, 40)
    run = full_run(warehouse)
    assert run["state"] == "succeeded"
    assert books(run) == {"read": 2_000, "written": 2_000 - rejected, "rejected": rejected}
    units = rows(
        warehouse, "SELECT unit FROM synctasks.dead_letter WHERE state = 'open' ORDER BY 1"
    )
    assert units == rows(
        warehouse, "SELECT gr_id FROM golden_records WHERE gender = 'X' ORDER BY 1"
    )
    assert len(versions(citizen)) == 2_000 - rejected


@pytest.mark.parametrize(
    ("records", "rejected", "state"),
    [(999, 999, "succeeded"), (1_000, 501, "stopped"), (1_000, 500, "succeeded")],
    ids=["fewer than 1,000", "more than half", "half"],
)
def test_it_takes_a_thousand_records_and_more_than_half_of_them(
    warehouse: Connection, records: int, rejected: int, state: str
) -> None:
    with unseen(warehouse):
        add_records(warehouse, 1, records)
        execute(
            warehouse, "UPDATE golden_records SET gender = 'X' WHERE gr_id <= %s", [key(rejected)]
        )
    run = full_run(warehouse)
    assert run["state"] == state
    assert value(warehouse, _LETTERS) <= rejected
    assert (run["rejected"] == rejected) or state == "stopped"


def test_events_go_on_after_it(warehouse: Connection, citizen: Connection) -> None:
    """A full run is stopped; a record that breaks the contract by event has its own letter."""
    with unseen(warehouse):
        add_records(warehouse, 1, 1_200)
    spoil(warehouse, 100)
    assert full_run(warehouse)["state"] == "stopped"
    assert value(warehouse, _LETTERS) < 1_000, "those of before it was plain"
    execute(warehouse, "UPDATE golden_records SET gender = 'F' WHERE gr_id <= %s", [key(3)])
    execute(warehouse, "DELETE FROM synctasks.dead_letter")
    execute(warehouse, "UPDATE golden_records SET gender = 'Y' WHERE gr_id = %s", [key(4)])
    carry()
    assert sorted(versions(citizen)) == [key(1), key(2), key(3)]
    assert rows(warehouse, "SELECT unit FROM synctasks.dead_letter") == [key(4)]


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_a_run_that_reads_nothing_from_nothing_is_no_mismatch(
    warehouse: Connection, citizen: Connection, flow: Flow
) -> None:
    source = warehouse if flow.source.database is Database.WAREHOUSE else citizen
    run = full_run(source, flow)
    assert run_of(source, run["id"])["state"] == "succeeded"
    assert books(run) == {}
