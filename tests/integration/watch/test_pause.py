"""A paused flow: nothing of it is written, all is captured, and it goes on where it stood."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg2
import pytest
from celery import Celery

from synctasks import breaker, pauses, slots
from synctasks.capture import change_log, waiting
from synctasks.cli import follow
from synctasks.database import CHUNK, transaction
from synctasks.embedded.waiting import wait_until
from synctasks.engine import lock, refresh
from synctasks.engine.drain import drain
from synctasks.engine.reconcile import reconcile
from synctasks.engine.refresh import runs
from synctasks.engine.refresh.chunk import Chunk
from synctasks.flow import Database, Duty
from synctasks.flows.to_citizen.ml_alerts import ML_ALERTS
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.flows.to_citizen.profile_summary import PROFILE_SUMMARY
from tests.letters import one_line, typed
from tests.refreshing import add_records, carry, finish, run_of, step, unseen
from tests.rows import Connection, add_record, execute, insert, names_at_portal, rows, value
from tests.watching import entry_of, let_pass
from tests.workspace import CITIZEN

PAUSED = "SELECT flow, reason FROM synctasks.pause WHERE resumed_at IS NULL"
AUDIT = "SELECT action, flow, reason, actor LIKE '%@%' FROM synctasks.audit ORDER BY id"


@pytest.fixture
def paused(databases: dict[str, str]) -> None:
    assert pauses.pause(PROFILE_DATA, "a test")


def due_lanes() -> set[str]:
    with transaction(Database.WAREHOUSE) as source:
        return {each.flow for each in change_log.pending_lanes(source)}


def pending(source: Connection) -> int:
    counted: int = value(
        source, "SELECT count(*) FROM synctasks.change_log WHERE flow = 'profile_data'"
    )
    return counted


@pytest.mark.usefixtures("paused")
def test_while_it_is_paused_changes_are_captured_and_nobody_is_sent_or_writes(
    warehouse: Connection, citizen: Connection, celery: Celery
) -> None:
    add_records(warehouse, 1, 50)
    assert due_lanes() == set()
    for lane in range(8):
        assert not drain(PROFILE_DATA, lane)
        # A message that was in its queue already does no harm.
        assert celery.tasks["drain.profile_data"](lane=lane) == "drained"
    assert (names_at_portal(citizen), pending(warehouse)) == ({}, 50)
    execute(warehouse, "UPDATE golden_records SET full_name = 'B' WHERE gr_id = 'GR-000001'")
    assert pending(warehouse) == 51
    started = "SELECT count(*) FROM synctasks.lane WHERE started_at IS NOT NULL"
    assert value(warehouse, started) == 0, "nobody is taken for dead later"


@pytest.mark.usefixtures("paused")
def test_other_flows_go_on(warehouse: Connection, citizen: Connection) -> None:
    add_record(warehouse, "GR-1")
    summary = {"gr_id": "GR-1", "vulnerability_level": "LOW", "inferred_income_band": "LOW"}
    insert(warehouse, "profile_360", summary)
    assert due_lanes() == {"profile_summary"}
    carry(PROFILE_SUMMARY)
    carry()
    assert value(citizen, "SELECT count(*) FROM profile_summary") == 1
    assert names_at_portal(citizen) == {}


def test_a_full_run_stands_still_where_it_is_and_goes_on_with_the_resume(
    warehouse: Connection, citizen: Connection, celery: Celery
) -> None:
    with unseen(warehouse):
        add_records(warehouse, 1, 50)
    asked = refresh.request(PROFILE_DATA, "test")
    step()
    pauses.pause(PROFILE_DATA, None)
    assert not step()
    assert celery.tasks["refresh.profile_data"](slot=0) == "nothing to do"
    assert names_at_portal(citizen) == {}
    pauses.resume(PROFILE_DATA, None)
    finish()
    assert run_of(warehouse, asked)["written"] == 50
    pauses.pause(PROFILE_DATA, None)
    again = refresh.request(PROFILE_DATA, "test")
    assert not step(), "nor does one begin"
    assert value(warehouse, "SELECT state FROM synctasks.run WHERE id = %s", [again]) == "requested"


def test_who_saw_the_run_before_the_pause_writes_no_chunk_after_it(
    warehouse: Connection, citizen: Connection
) -> None:
    with unseen(warehouse):
        add_records(warehouse, 1, 50)
    refresh.request(PROFILE_DATA, "test")
    standing = None
    while standing is None or not standing.open_chunks:
        step()
        standing = runs.standing(PROFILE_DATA)
    assert typed("pause", "profile_data").returncode == 0
    assert reconcile(PROFILE_DATA, Chunk(PROFILE_DATA, standing, CHUNK, last=True)) is None
    assert names_at_portal(citizen) == {}
    assert value(warehouse, "SELECT max(claims) FROM synctasks.chunk") == 0, "nobody has died"


@pytest.mark.usefixtures("paused")
def test_neither_breakers_nor_what_waits_nor_rounds_stir_it(
    warehouse: Connection, celery: Celery
) -> None:
    breaker.open_for(PROFILE_DATA, "citizen", "gone")
    refresh.request(PROFILE_DATA, "test")
    execute(
        warehouse,
        """
        UPDATE synctasks.breaker SET probed_at = probed_at - interval '6 seconds';
        INSERT INTO synctasks.waiting (flow, lane, unit, record, needs, since, next_look)
        SELECT flow, 0, 'x', 'x', '{n}', now(), now()
        FROM unnest(ARRAY['profile_data', 'ml_alerts']) AS named (flow)
        """,
    )
    with transaction(Database.WAREHOUSE) as source:
        assert breaker.to_probe(source) == []
        waiting.wake_some(source)
        waiting.wake_some(source)
    assert rows(warehouse, "SELECT flow FROM synctasks.change_log") == [ML_ALERTS.name]
    assert celery.tasks["verify.profile_data"]() == "paused"


def test_a_slot_is_made_up_after_the_resume(warehouse: Connection) -> None:
    now = datetime.now(UTC)
    execute(
        warehouse,
        "UPDATE synctasks.installation SET installed_at = %s",
        [now - timedelta(days=9)],
    )
    pauses.pause(PROFILE_DATA, None)
    for duty in Duty.SYNC, Duty.VERIFY:
        assert slots.take(PROFILE_DATA, duty, now) is None
    assert rows(warehouse, "SELECT * FROM synctasks.slot") == []
    pauses.resume(PROFILE_DATA, None)
    for duty in Duty.SYNC, Duty.VERIFY:
        assert slots.take(PROFILE_DATA, duty, now) is not None


def test_the_resume_works_off_everything_and_counts_no_lateness(
    warehouse: Connection, citizen: Connection
) -> None:
    assert typed("pause", "profile_data").returncode == 0
    add_records(warehouse, 1, 50)
    let_pass(warehouse, 3_600)
    assert typed("resume", "profile_data").returncode == 0
    assert due_lanes() == {"profile_data"}
    carry()
    assert (len(names_at_portal(citizen)), pending(warehouse)) == (50, 0)
    entry = entry_of(PROFILE_DATA)
    assert (entry["changes"], entry["late"]) == (0, 0)
    add_records(warehouse, 51, 52)
    carry()
    assert entry_of(PROFILE_DATA)["changes"] == 2


def test_pause_and_resume_are_audited_once_and_may_be_repeated(
    warehouse: Connection, citizen: Connection
) -> None:
    said = [typed("pause", "profile_data", "--reason", why).stdout for why in ("one", "two")]
    assert said[0].startswith("profile_data is paused. Let it go on with: synctasks resume")
    assert said[1].startswith("profile_data is paused already.")
    assert rows(warehouse, PAUSED) == [("profile_data", "one")]
    shown = json.loads(typed("status", "--json").stdout)["flows"]
    assert {name for name, entry in shown.items() if entry["paused"]} == {"profile_data"}
    assert "(paused)" in typed("status").stdout
    said = [typed("resume", "profile_data", "--reason", "three").stdout for _ in range(2)]
    assert said == [
        "profile_data goes on; see: synctasks status\n",
        "profile_data was not paused.\n",
    ]
    assert rows(warehouse, PAUSED) == []
    assert typed("pause", "profile_data").returncode == 0
    assert rows(warehouse, AUDIT) == [
        ("pause", "profile_data", "one", True),
        ("resume", "profile_data", "three", True),
        ("pause", "profile_data", None, True),
    ]
    assert rows(citizen, AUDIT) == [], "it stands where the flow's books are"


@pytest.mark.parametrize("command", ["pause", "resume"])
def test_an_unknown_flow_is_named(databases: dict[str, str], command: str) -> None:
    assert "there is no such flow" in one_line(typed(command, "profile_date"))


@pytest.mark.usefixtures("paused")
@pytest.mark.parametrize("words", [[], ["--key", "GR-1"], ["--json"]])
def test_to_sync_a_paused_flow_is_asked_for_and_said_to_wait(
    warehouse: Connection, words: list[str]
) -> None:
    outcome = typed("sync", "profile_data", *words)
    assert (outcome.returncode, outcome.stdout) == (1, "")
    assert "profile_data is paused" in outcome.stderr
    assert "synctasks resume profile_data" in outcome.stderr
    assert value(warehouse, "SELECT count(*) FROM synctasks.run") == 1


@pytest.mark.usefixtures("paused")
def test_who_follows_a_run_is_told_of_the_pause() -> None:
    run = refresh.request(PROFILE_DATA, "test")
    followed = follow.follow(PROFILE_DATA, run)
    assert next(followed)["state"] == "requested"
    with pytest.raises(follow.NoWorker, match="profile_data is paused"):
        next(followed)


@pytest.fixture
def at_work(databases: dict[str, str]) -> Iterator[Any]:
    """A worker that holds a lane of the flow, and will write."""
    session = psycopg2.connect(databases[CITIZEN])
    with session.cursor() as cursor:
        space = lock._space(PROFILE_DATA)
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 5)", [space])
    yield session
    session.close()


def test_a_pause_returns_when_nobody_writes_any_more(warehouse: Connection, at_work: Any) -> None:
    looks: list[int] = []
    take_any = lock.take_any

    def look(*arguments: Any) -> int | None:
        [lane] = arguments[2]
        looks.append(lane)
        return take_any(*arguments)

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(1) as threads:
        patch.setattr(lock, "take_any", look)
        outcome = threads.submit(typed, "pause", "profile_data")
        wait_until(lambda: looks.count(5) > 2, 10, "the pause to wait for the worker")
        assert rows(warehouse, PAUSED) == [("profile_data", None)]
        assert not outcome.done()
        at_work.commit()
        assert outcome.result(10).returncode == 0
    assert set(looks) == set(range(8))


def test_a_pause_that_nobody_lets_through_says_so_and_holds(
    warehouse: Connection, at_work: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "_TRIES", 2)
    outcome = typed("pause", "profile_data")
    assert outcome.returncode == 1
    assert "is paused, but somebody still writes" in outcome.stderr
    assert rows(warehouse, PAUSED) == [("profile_data", None)]
    at_work.commit()
    assert typed("pause", "profile_data").returncode == 0


def test_a_replay_of_a_paused_flows_letter_does_not_wait_for_ever(warehouse: Connection) -> None:
    add_record(warehouse, "GR-1", gender="X")
    carry()
    pauses.pause(PROFILE_DATA, None)
    outcome = typed("dead-letters", "replay", "--flow", "profile_data")
    assert outcome.returncode == 1
    assert "profile_data is paused" in outcome.stderr
