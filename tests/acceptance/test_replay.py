"""Dead letters on a whole system: real workers, and what people type."""

from __future__ import annotations

import json
from typing import Any

import pytest

from synctasks.embedded.waiting import wait_until
from tests.acceptance.system import System
from tests.letters import UNMISTAKABLE, letters
from tests.logs import events
from tests.rows import add_record, execute

STATES = "SELECT record, state FROM synctasks.dead_letter ORDER BY record"
LETTERS = ("synctasks", "dead-letters")


@pytest.fixture
def rejected(system: System) -> System:
    """GR-1 to GR-3 are rejected, and GR-4 is refused by the portal; the others arrived."""
    with system.citizen() as citizen, system.warehouse() as warehouse:
        execute(citizen, "ALTER TABLE profile_data ADD CONSTRAINT known CHECK (city <> 'Nowhere')")
        for number in range(1, 4):
            add_record(warehouse, f"GR-{number}", **{**UNMISTAKABLE, "gender": "female"})
        add_record(warehouse, "GR-4", **{**UNMISTAKABLE, "city_village": "Nowhere"})
        add_record(warehouse, "GR-5")
        system.quiesce()
        execute(citizen, "ALTER TABLE profile_data DROP CONSTRAINT known")
    assert system.at_warehouse(STATES) == [(f"GR-{number}", "open") for number in range(1, 5)]
    assert system.at_citizen("SELECT record_id FROM profile_data") == ["GR-5"]
    return system


def mend(system: System, *keys: str) -> None:
    """Correct records so that no event says so."""
    with system.warehouse() as warehouse:
        execute(
            warehouse,
            "BEGIN; UPDATE golden_records SET gender = 'F' WHERE gr_id = ANY (%(keys)s);"
            "DELETE FROM synctasks.change_log WHERE key = ANY (%(keys)s); COMMIT",
            {"keys": list(keys)},
        )


def test_celery_call_of_a_letters_unit_resolves_it(rejected: System) -> None:
    mend(rejected, "GR-1", "GR-2")
    arguments = json.dumps({"keys": ["GR-1", "GR-4"]})
    outcome = rejected.run(
        "celery", "-A", "synctasks", "call", "sync.profile_data", "--kwargs", arguments
    )
    assert outcome.returncode == 0, outcome.stderr
    resolved = "SELECT record FROM synctasks.dead_letter WHERE state = 'resolved' ORDER BY record"
    wait_until(lambda: rejected.at_warehouse(resolved) == ["GR-1", "GR-4"], 10, "both to pass")
    rejected.quiesce()
    assert rejected.at_warehouse(STATES)[1:3] == [("GR-2", "open"), ("GR-3", "open")]
    assert sorted(rejected.at_citizen("SELECT record_id FROM profile_data")) == [
        "GR-1",
        "GR-4",
        "GR-5",
    ]


def test_the_executable_replays_and_says_what_came_of_it(rejected: System) -> None:
    mend(rejected, "GR-1", "GR-2")
    words = ("--flow", "profile_data", "--error", "gender")
    refused = rejected.run(*LETTERS, "replay", *words)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "Replay 3 dead letters? Give --yes" in refused.stderr
    outcome = rejected.run(*LETTERS, "replay", *words, "--yes")
    assert (outcome.returncode, outcome.stderr) == (1, "")
    assert outcome.stdout == "3 replayed: 2 passed, 1 rejected again\n"
    (left,) = listed(rejected, "--field", "gender")
    assert (left["record"], left["state"], left["count"]) == ("GR-3", "open", 2)
    (other,) = listed(rejected, "--category", "consistency")
    outcome = rejected.run(*LETTERS, "replay", str(other["id"]))
    assert (outcome.returncode, outcome.stdout) == (0, "1 replayed: 1 passed, 0 rejected again\n")
    status = json.loads(rejected.run("synctasks", "status", "--json").stdout)
    assert status["flows"]["profile_data"]["dead_letters_open"] == 1


def test_a_worker_logs_what_it_rejects_and_no_value(rejected: System) -> None:
    log = rejected.worker.words()
    with rejected.warehouse() as warehouse:
        stored = letters(warehouse)
    assert len(stored) == 4
    for each in stored:
        told = {"flow": "profile_data", "record": each["record"], "cause": each["error"]}
        assert events(log, "letter.opened", **told)
    said = [log, rejected.listener.words(), *(outcome_of(rejected, *each) for each in SAYING)]
    for text in said:
        assert text
        assert not [value for value in UNMISTAKABLE.values() if value in text]


SAYING = [
    ("list",),
    ("list", "--json"),
    ("check", "--flow", "profile_data"),
    ("check", "--flow", "profile_data", "--json"),
]


def outcome_of(system: System, *words: str) -> str:
    """All that a command says."""
    outcome = system.run(*LETTERS, *words)
    assert outcome.returncode in (0, 1)
    assert outcome.stderr == ""
    return outcome.stdout


def listed(system: System, *words: str) -> list[dict[str, Any]]:
    """What the list prints for programs."""
    found: list[dict[str, Any]] = json.loads(outcome_of(system, "list", "--json", *words))
    return found


def test_a_task_that_gave_up_is_tried_again(system: System) -> None:
    """What somebody asked for by hand is carried out after all: in full, the keys are lost."""
    told = {"flow": "profile_data", "task": "sync", "error": "it is lost", "trace": "Traceback"}
    called = ("celery", "-A", "synctasks", "call", "dlq.keep", "--kwargs", json.dumps(told))
    assert system.run(*called).returncode == 0
    wait_until(lambda: system.at_warehouse(STATES) == [("sync", "open")], 10, "the notice")
    [number] = system.at_warehouse("SELECT id FROM synctasks.dead_letter")
    runs = "SELECT count(*) FROM synctasks.run WHERE flow = 'profile_data' AND kind = 'full'"
    [before] = system.at_warehouse(runs)
    outcome = system.run(*LETTERS, "replay", str(number))
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert "1 replayed: 1 passed" in outcome.stdout
    assert system.at_warehouse(runs) == [before + 1]
    assert system.at_warehouse(STATES) == [("sync", "resolved")]
