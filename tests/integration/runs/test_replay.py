"""Replays of a period and of a run's failed chunks: as one run, while others come by."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from synctasks import pauses, replay
from synctasks.audit import Act, Action
from synctasks.capture.change_log import lane_count
from synctasks.cli.runs import _STATES
from synctasks.engine import refresh
from synctasks.engine.refresh import plan, ranges
from synctasks.engine.refresh.chunk import Chunk
from synctasks.errors import PermanentError, SetupError
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.monitoring.runs import runs
from tests import oracle
from tests.letters import one_line, typed, worker
from tests.refreshing import books, carry, fill_both, finish, key, run_of, unseen
from tests.rows import Connection, execute, rows, value

SYNC = ("sync", "profile_data")
PERIOD = ("--since", "2025-11-01", "--until", "2025-11-02T12:00+05:30")
ACT = Act(Action.REPLAY, "a test")
_AUDIT = "SELECT action, flow, subject, reason FROM synctasks.audit"
_WRONG = "SELECT record_id FROM profile_data WHERE city = 'Atlantis' ORDER BY 1"


def sync(*words: str) -> dict[str, Any]:
    """The books that a good `sync … --json` tells, answered by a worker."""
    with worker():
        outcome = typed(*SYNC, *words, "--json")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    told: dict[str, Any] = json.loads(outcome.stdout)
    return told


@pytest.fixture
def corrupted(warehouse: Connection, citizen: Connection) -> None:
    """Five records of five times, all of them wrong at the portal."""
    fill_both(warehouse, 5)
    times = ["2025-10-31 23:59:59.999999", "2025-11-01", "2025-11-02 06:29", "2025-11-02 06:30"]
    with unseen(warehouse):
        for number, time in enumerate([*times, "2026-01-01"], 1):
            stamp = "UPDATE golden_records SET updated_at = %s::timestamptz WHERE gr_id = %s"
            execute(warehouse, stamp, [f"{time}+00", key(number)])
    execute(citizen, "UPDATE profile_data SET city = 'Atlantis'")


@pytest.mark.usefixtures("corrupted")
def test_what_is_of_the_period_is_carried_over_and_the_act_noted(
    warehouse: Connection, citizen: Connection
) -> None:
    told = sync(*PERIOD, "--reason", "the portal was restored")
    assert (told["state"], told["read"], told["written"]) == ("succeeded", 2, 2)
    assert rows(citizen, _WRONG) == [key(1), key(4), key(5)]
    [run] = runs([PROFILE_DATA])
    said = "updated_at since 2025-11-01 until 2025-11-02T06:30"
    assert (run["kind"], run["reason"]) == ("keys", f"replay: {said}")
    noted = ("replay", "profile_data", f"run {run['id']}: {said}", "the portal was restored")
    assert rows(warehouse, _AUDIT) == [noted]


@pytest.mark.usefixtures("corrupted")
def test_nothing_of_that_time_is_nothing_to_do() -> None:
    outcome = typed(*SYNC, "--until", "2020-01-01")
    said = "profile_data: nothing of that time (until 2020-01-01), nothing to do.\n"
    assert (outcome.returncode, outcome.stdout) == (0, said)


@pytest.mark.usefixtures("corrupted")
def test_without_waiting_it_is_only_asked_for(warehouse: Connection) -> None:
    outcome = typed(*SYNC, *PERIOD, "--no-wait", "--json")
    run = json.loads(outcome.stdout)["run"]
    assert (run_of(warehouse, run)["state"], run_of(warehouse, run)["planned"]) == ("running", 2)
    carry()
    assert books(run_of(warehouse, run)) == {"read": 2, "written": 2}


@pytest.mark.usefixtures("corrupted")
def test_of_a_paused_flow_all_is_asked_for_and_begins_when_it_goes_on(
    warehouse: Connection, citizen: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "_AT_ONCE", 1)
    pauses.pause(PROFILE_DATA, None)
    outcome = typed(*SYNC, "--since", "2020-01-01")
    assert (outcome.returncode, outcome.stdout) == (1, "")
    [run] = runs([PROFILE_DATA])
    assert f"profile_data is paused: run {run['id']} is asked for" in outcome.stderr
    assert (run["state"], run["planned"]) == ("running", 5)
    pauses.resume(PROFILE_DATA, None)
    carry()
    assert run_of(warehouse, run["id"])["state"] == "succeeded"
    assert rows(citizen, _WRONG) == []


def test_many_are_asked_for_some_at_a_time_while_the_work_goes_on(
    warehouse: Connection, citizen: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody finds the run ended in between, or more of it pending than two lots."""
    fill_both(warehouse, 30)
    execute(citizen, "UPDATE profile_data SET city = 'Atlantis'")
    monkeypatch.setattr(replay, "_AT_ONCE", 3)
    monkeypatch.setattr(replay, "_PAGE", 8)
    ask, seen = replay.Replay.ask, []

    def watched(self: replay.Replay) -> bool:
        found = ask(self)
        pending = "SELECT count(*) FROM synctasks.change_log"
        seen.append((value(warehouse, pending), run_of(warehouse, self.run)["state"]))
        return found

    monkeypatch.setattr(replay.Replay, "ask", watched)
    told = sync("--since", "2020-01-01")
    assert (told["state"], told["read"], told["written"]) == ("succeeded", 30, 30)
    assert len(seen) > 10
    assert max(count for count, _ in seen) <= 6
    assert {state for _, state in seen} == {"running"}
    assert not oracle.profile_data(warehouse, citizen)


def test_a_run_that_is_worked_off_faster_than_it_is_asked_for_ends_with_the_last(
    warehouse: Connection,
) -> None:
    fill_both(warehouse, 4)
    with replay.begin(PROFILE_DATA, [[key(1), key(2)], [], [key(3)]], ACT) as asked:
        while asked.ask():
            carry()
            assert run_of(warehouse, asked.run)["state"] == "running"
    ended = run_of(warehouse, asked.run)
    assert (ended["state"], ended["planned"], ended["done"]) == ("succeeded", 3, 3)
    assert ended["finished_at"] is not None


def test_a_unit_that_comes_twice_while_it_is_open_is_done_once(warehouse: Connection) -> None:
    fill_both(warehouse, 2)
    with replay.begin(PROFILE_DATA, [[key(1), key(1)], [key(2), key(1)]], ACT) as asked:
        while asked.ask():
            pass
    carry()
    ended = run_of(warehouse, asked.run)
    assert (ended["state"], ended["planned"], ended["done"]) == ("succeeded", 2, 2)


def test_a_replay_that_is_broken_off_has_failed_and_what_was_asked_for_is_done(
    warehouse: Connection, citizen: Connection
) -> None:
    fill_both(warehouse, 4)
    execute(citizen, "DELETE FROM profile_data")

    def broken_off() -> None:
        with replay.begin(PROFILE_DATA, [[key(1)], [key(2)]], ACT) as asked:
            asked.ask()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken_off()
    carry()
    [run] = runs([PROFILE_DATA])
    ended = run_of(warehouse, run["id"])
    assert (ended["state"], ended["written"]) == ("failed", 1)
    assert ended["error"] == "broken off before all of its units were asked for"
    assert rows(citizen, "SELECT record_id FROM profile_data") == [key(1)]


def test_one_whose_program_was_killed_is_closed_by_the_next_one(warehouse: Connection) -> None:
    begun = replay.begin(PROFILE_DATA, [], ACT)
    killed = begun.__enter__().run
    execute(warehouse, "UPDATE synctasks.run SET started_at = started_at - interval '25 hours'")
    with replay.begin(PROFILE_DATA, [], ACT) as asked:
        assert run_of(warehouse, killed)["state"] == "failed"
    assert run_of(warehouse, asked.run)["state"] == "succeeded"


# Failed chunks ------------------------------------------------------------------------------------


@pytest.mark.parametrize("room", ["range", "chunk"])
def test_what_a_run_could_not_carry_is_carried_over_and_the_rest_left_alone(
    warehouse: Connection, citizen: Connection, monkeypatch: pytest.MonkeyPatch, room: str
) -> None:
    monkeypatch.setattr(plan, "_FIRST_RANGE_ROWS", 50)
    fill_both(warehouse, 200)
    wrong = "UPDATE profile_data SET city = 'Atlantis' WHERE record_id <= %s OR record_id > %s"
    execute(citizen, wrong, [key(40), key(160)])
    broken, place = ((ranges, "_compare"), (Chunk, "held"))[room == "chunk"]
    if room == "chunk":
        execute(citizen, "INSERT INTO profile_data (record_id) VALUES ('zz')")
    works, failures = getattr(broken, place), []

    def fails_once(*given: Any, **named: Any) -> Any:
        if failures:
            return works(*given, **named)
        failures.append(given)
        raise PermanentError("warehouse: permission denied (table districts) [42501]")

    monkeypatch.setattr(broken, place, fails_once)
    refresh.request(PROFILE_DATA, "test")
    finish()
    [failed] = runs([PROFILE_DATA], ["failed"])
    assert failed["failed_chunks"] == 1
    assert oracle.profile_data(warehouse, citizen)
    told = sync("--failed-chunks", str(failed["id"]))
    assert told["state"] == "succeeded"
    assert told["read"] < 200
    assert (told["written"], told["removed"]) == ((40, 0), (0, 1))[room == "chunk"]
    assert not oracle.profile_data(warehouse, citizen)


def test_chunks_that_a_stopped_run_left_open_are_failed(
    warehouse: Connection, citizen: Connection
) -> None:
    fill_both(warehouse, 20)
    execute(citizen, "UPDATE profile_data SET city = 'Atlantis'")
    run = refresh.request(PROFILE_DATA, "test")
    lanes = lane_count(PROFILE_DATA)
    open_chunks = "SELECT count(*) FROM synctasks.chunk WHERE phase = 'source'"
    while not value(warehouse, open_chunks):
        refresh.step(PROFILE_DATA, lanes)
    with pytest.raises(SetupError, match="it is running and has no failed chunks"):
        replay.of_failed_chunks(PROFILE_DATA, run)
    execute(warehouse, "UPDATE synctasks.run SET state = 'stopped', finished_at = now()")
    [stopped] = runs([PROFILE_DATA])
    assert stopped["failed_chunks"] > 1
    assert sync("--failed-chunks", str(run))["written"] == 20


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("profile_data", "--failed-chunks", "99"), "run 99: warehouse has none of this number"),
        (("profile_data", "--failed-chunks", "1"), "run 1: it is succeeded and has no failed"),
        (("schemes", "--failed-chunks", "1"), "run 1: it is not of schemes but of profile_data"),
        (
            ("profile_summary", *PERIOD),
            "flow profile_summary: its records have no time that it may",
        ),
    ],
    ids=["unknown", "good", "another flow's", "no time"],
)
def test_what_cannot_be_replayed_is_said_with_what_to_do_instead(
    warehouse: Connection, words: tuple[str, ...], said: str
) -> None:
    execute(
        warehouse,
        "INSERT INTO synctasks.run (id, flow, reason, state) OVERRIDING SYSTEM VALUE"
        " VALUES (1, 'profile_data', 'test', 'succeeded')",
    )
    line = one_line(typed("sync", *words))
    assert said in line
    assert f"See: synctasks runs {words[0]}" in line or "Name the records with --key" in line
    assert rows(warehouse, _AUDIT) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--since", "2025-11-01", "--key", "GR-1"), "--key and --since do not go together"),
        (("--until", "2025-11-01", "--accept-shrink"), "--until and --accept-shrink do not go"),
        ((*PERIOD, "--failed-chunks", "1"), "--since and --failed-chunks do not go together"),
        (("--key", "GR-1", "--accept-shrink"), "--key and --accept-shrink do not go together"),
        (("--since", "2025-11-01", "--until", "2025-11-01"), "--until is not after --since"),
        (("--since", "yesterday"), "'yesterday' is no time: write 2026-11-01 or"),
        (("--since", "0001-01-01T00:00+05:30"), "is no time"),
        (("--failed-chunks", "none"), "is not a valid integer"),
    ],
)
def test_wrong_usage_asks_for_nothing(
    warehouse: Connection, words: tuple[str, ...], said: str
) -> None:
    outcome = typed(*SYNC, *words)
    assert (outcome.returncode, outcome.stdout) == (2, "")
    assert said in " ".join(outcome.stderr.split())
    assert rows(warehouse, "SELECT id FROM synctasks.run") == []


# Runs ---------------------------------------------------------------------------------------------


def test_the_runs_of_both_databases_are_shown_the_latest_first(
    warehouse: Connection, citizen: Connection
) -> None:
    for number, (connection, flow) in enumerate(
        [(warehouse, "schemes"), (citizen, "golden_records"), (warehouse, "profile_data")]
    ):
        execute(
            connection,
            "INSERT INTO synctasks.run (flow, reason, state, error, requested_at, read, rejected)"
            " VALUES (%s, 'test', 'failed', 'no such table', %s::timestamptz, 7, 7)",
            [flow, f"2025-11-0{number + 1}"],
        )
    told = json.loads(typed("runs", "--json").stdout)
    assert [run["flow"] for run in told] == ["profile_data", "golden_records", "schemes"]
    assert (told[0]["state"], told[0]["rejected"], told[0]["failed_chunks"]) == ("failed", 7, 0)
    assert [run["id"] for run in json.loads(typed("runs", "schemes", "--json").stdout)]
    shown = " ".join(typed("runs", "--limit", "2", "--state", "failed").stdout.split())
    assert "profile_data full failed 2025-11-03 00:00" in shown
    assert "7 read, 7 rejected; no such table" in shown
    assert "schemes" not in shown
    assert "There are more" in shown
    assert typed("runs", "--state", "guarded").stdout == "No runs.\n"
    assert json.loads(typed("runs", "--state", "guarded", "--json").stdout) == []


def test_every_state_that_a_run_may_have_can_be_chosen(warehouse: Connection) -> None:
    check = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'run_state_check'"
    allowed = value(warehouse, check)
    assert re.findall(r"'(\w+)'", allowed) == list(_STATES)
