"""What the clock asks beside the syncs: real beats and workers verify, repair and review."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from synctasks.embedded.waiting import wait_until
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from tests.acceptance.system import System
from tests.logs import events
from tests.refreshing import add_records, key
from tests.rows import execute

RECORDS = 50
_ROUNDS = """\
SELECT count(*), min(state), min(found::text)
FROM synctasks.run
WHERE flow = 'profile_data' AND kind = '{}'
"""
_STALE = "UPDATE golden_records SET updated_at = now() - interval '200 days' WHERE gr_id = %s"
_BEGIN = """\
from synctasks import duties
from synctasks.flow import Duty
from synctasks.flows import by_name

duties.request(by_name("profile_data"), Duty.VERIFY, "test")
"""


@pytest.fixture
def filled(system: System) -> System:
    """Records that have arrived; one of them is stale."""
    with system.warehouse() as warehouse:
        add_records(warehouse, 1, RECORDS)
        system.quiesce()
        execute(warehouse, _STALE, [key(7)])
    system.quiesce()
    return system


@pytest.fixture
def night(filled: System) -> Iterator[System]:
    """Verify and review were due, and nobody has taken their slots; that of the sync is taken."""
    assert PROFILE_DATA.schedule is not None
    now = datetime.now(UTC)
    with filled.warehouse() as warehouse:
        for moment in (now, now + timedelta(days=1)):
            execute(
                warehouse,
                "INSERT INTO synctasks.slot (flow, due_at) VALUES ('profile_data', %s)",
                [PROFILE_DATA.schedule.latest(moment)],
            )
        execute(warehouse, "UPDATE synctasks.installation SET installed_at = '2020-01-01'")
    yield filled
    with filled.warehouse() as warehouse:
        execute(warehouse, "UPDATE synctasks.installation SET installed_at = clock_timestamp()")


def await_round(system: System, duty: str, state: str = "succeeded") -> dict[str, int]:
    """Wait until the flow's only round has ended so; what it found that is not 0."""
    statement = _ROUNDS.format(duty)
    wait_until(
        lambda: system.at_warehouse(statement)[0][:2] == (1, state), 20, f"the {duty} to end"
    )
    found = json.loads(system.at_warehouse(statement)[0][2])
    return {name: count for name, count in found.items() if count}


def test_the_night_repairs_what_a_hand_did_and_flags_what_is_stale(night: System) -> None:
    night.stop("listener")
    with night.citizen() as citizen:
        execute(citizen, "UPDATE profile_data SET city = 'x' WHERE record_id = %s", [key(3)])
    night.start("impatient beat", "second impatient beat")
    found = await_round(night, "verify")
    assert (found.pop("different"), found.pop("repaired")) == (1, 1)
    assert await_round(night, "review") == {"stale": 1}
    night.kill("impatient beat", "second impatient beat")
    night.start("listener")
    night.quiesce()
    assert night.at_citizen("SELECT count(*) FROM profile_data WHERE city = 'x'") == [0]
    runs = "SELECT reason, planned FROM synctasks.run WHERE flow = 'profile_data' AND kind = 'keys'"
    assert night.at_warehouse(runs) == [("repair", 1)]
    assert await_round(night, "verify"), "one, however often beat knocked"
    told = {"flow": "profile_data", "duty": "verify", "different": 1, "repaired": 1}
    assert len(events(night.worker.words(), "round.ended", **told)) == 1
    [flagged] = json.loads(night.run("synctasks", "review", "list", "--json").stdout)
    assert (flagged["flow"], flagged["key"], flagged["days"]) == ("profile_data", key(7), 200)
    status = json.loads(night.run("synctasks", "status", "--json").stdout)
    assert status["flows"]["profile_data"]["review"] == 1


def test_slots_that_beat_missed_are_made_up_by_the_listener(night: System) -> None:
    assert await_round(night, "verify").keys() <= {"matched", "deferred"}
    assert await_round(night, "review") == {"stale": 1}


def test_a_round_whose_worker_died_and_whose_message_is_lost_goes_on(filled: System) -> None:
    filled.kill("worker", "listener")
    begun = filled.run("python", "-c", _BEGIN)
    assert begun.returncode == 0, begun.stderr
    with filled.broker() as broker:
        broker.flushall()
    filled.start("worker", "listener")
    assert await_round(filled, "verify")["matched"] >= RECORDS - 1


def test_a_round_that_cannot_go_on_leaves_a_letter_that_its_replay_closes(filled: System) -> None:
    rename = "ALTER TABLE profile_data RENAME TO elsewhere"
    with filled.citizen() as citizen:
        execute(citizen, rename)
        try:
            assert filled.run("python", "-c", _BEGIN).returncode == 0
            await_round(filled, "verify", state="failed")
        finally:
            execute(citizen, "ALTER TABLE elsewhere RENAME TO profile_data")
    letters = "SELECT kind, unit, state FROM synctasks.dead_letter"
    wait_until(lambda: filled.at_warehouse(letters) != [], 10, "the letter")
    assert filled.at_warehouse(letters) == [("task", "verify", "open")]
    replayed = filled.run(
        "synctasks", "dead-letters", "replay", "--flow", "profile_data", "--kind", "task", "--yes"
    )
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    wait_until(
        lambda: filled.at_warehouse(letters) == [("task", "verify", "resolved")], 20, "its success"
    )
