"""What people type: the real executables on a whole system."""

from __future__ import annotations

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from synctasks.embedded.waiting import wait_until
from tests.acceptance.obstacles import slow_portal
from tests.acceptance.system import System
from tests.rows import add_record, execute

LAST_RUN = {"state", "started_at", "finished_at", "removed"}
BOXES = {"written", "unchanged", "filtered", "deferred", "rejected", "waiting", "superseded"}
SYNC = ("synctasks", "sync", "profile_data")

# Equal for a careless comparison, and different records.
KEYS = ["GR-00000001", "gr-00000001", "GR-00000001 ", "GR-\u00e9", "GR-e\u0301", "GR-%s", "{GR,1}"]
# Blank, malformed, with prefix and suffix: each is masked in its own way.
DOUBTFUL = [
    {"jan_aadhaar": "  ", "mobile_number": "+919876543210", "email": "a@b@example.com"},
    {"jan_aadhaar": None, "mobile_number": "98765-43210", "email": "@example.com"},
    {"mobile_number": "", "email": ""},
    {"mobile_number": None, "email": None, "date_of_birth": None, "district_id": None},
    {"full_name": "\u0906\u0936\u093e 'D\\evi\" \t%s {}", "city_village": "", "email": "x@"},
]


@pytest.fixture
def filled(system: System) -> System:
    """Some records that have arrived."""
    with system.warehouse() as warehouse:
        for key, columns in zip(KEYS, [{}, {}, *DOUBTFUL], strict=True):
            add_record(warehouse, key, **columns)
    system.quiesce()
    return system


def test_celery_call_mends_a_row_that_a_hand_corrupted(filled: System) -> None:
    with filled.citizen() as citizen:
        execute(citizen, "UPDATE profile_data SET full_name = 'Somebody', jan_aadhaar = '0'")
    arguments = json.dumps({"keys": ["GR-00000001"]})
    outcome = filled.run(
        "celery", "-A", "synctasks", "call", "sync.profile_data", "--kwargs", arguments
    )
    assert outcome.returncode == 0, outcome.stderr
    names = "SELECT count(*) FROM profile_data WHERE full_name <> 'Somebody'"
    wait_until(lambda: filled.at_citizen(names) == [1], 10, "the row to be right again")
    filled.quiesce()
    mended = "SELECT record_id FROM profile_data WHERE jan_aadhaar LIKE '%-1234'"
    assert filled.at_citizen(mended) == ["GR-00000001"], "the others were not asked for"


def test_sync_mends_all_and_its_books_balance(filled: System) -> None:
    with filled.citizen() as citizen:
        execute(
            citizen,
            "UPDATE profile_data SET city = 'Atlantis' WHERE record_id = ANY (%s)",
            [KEYS[:2]],
        )
        execute(citizen, "DELETE FROM profile_data WHERE record_id = %s", [KEYS[2]])
        execute(citizen, "INSERT INTO profile_data (record_id) VALUES ('GR-nobody')")
    run = last_run(filled.run(*SYNC, "--json"))
    filled.agree()
    assert run["state"] == "succeeded"
    assert run["started_at"] < run["finished_at"]
    assert (run["read"], run["written"], run["unchanged"], run["removed"]) == (7, 3, 4, 1)
    status = json.loads(filled.run("synctasks", "status", "--json").stdout)
    assert status["flows"]["profile_data"]["last_run"] == run


def test_sync_of_keys_touches_these_only(filled: System) -> None:
    with filled.citizen() as citizen:
        execute(citizen, "UPDATE profile_data SET city = 'Atlantis'")
    run = last_run(
        filled.run(*SYNC, "--key", KEYS[3], "--key", KEYS[6], "--key", "GR-none", "--json")
    )
    assert (run["state"], run["read"], run["written"]) == ("succeeded", 2, 2)
    wrong = "SELECT record_id FROM profile_data WHERE city = 'Atlantis' ORDER BY 1"
    assert set(filled.at_citizen(wrong)) == set(KEYS) - {KEYS[3], KEYS[6]}


def test_a_second_sync_follows_the_first_ones_run(filled: System) -> None:
    with filled.citizen() as citizen:
        execute(citizen, "UPDATE profile_data SET city = 'Atlantis'")
    before = filled.at_warehouse("SELECT count(*) FROM synctasks.run")
    with ThreadPoolExecutor() as threads:
        with slow_portal(filled, 0.8):
            first = threads.submit(filled.run, *SYNC, "--json")
            under_way = "SELECT count(*) FROM synctasks.run WHERE state = 'running'"
            wait_until(lambda: filled.at_warehouse(under_way) == [1], 10, "the run to start")
            second = threads.submit(filled.run, *SYNC, "--json")
            wait_until(lambda: filled.at_warehouse(under_way) == [0], 20, "the run's end")
        assert last_run(first.result()) == last_run(second.result())
    assert filled.at_warehouse("SELECT count(*) FROM synctasks.run") == [before[0] + 1]
    filled.agree()


def test_a_source_that_lost_its_rows_does_not_empty_the_portal(filled: System) -> None:
    before = filled.at_citizen("SELECT * FROM profile_data ORDER BY record_id")
    with filled.warehouse() as warehouse:
        execute(warehouse, "TRUNCATE golden_records")
    outcome = filled.run(*SYNC, "--json")
    assert outcome.returncode == 1
    run = json.loads(outcome.stdout)
    assert (run["state"], run["read"], run["removed"]) == ("guarded", 0, 0)
    assert filled.at_citizen("SELECT * FROM profile_data ORDER BY record_id") == before


def last_run(outcome: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The run that a good `sync --json` printed, checked for its shape and its sums."""
    assert outcome.returncode == 0, outcome.stderr
    run: dict[str, Any] = json.loads(outcome.stdout)
    assert run.keys() == LAST_RUN | BOXES | {"read"}
    assert run["read"] == sum(run[box] for box in BOXES)
    return run
