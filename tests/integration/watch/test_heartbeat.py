"""The heartbeat travels the way of all changes, in both directions, and is no flow's event."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from celery import Celery
from redis import Redis

from synctasks import dispatch, ledger, settings, tasks
from synctasks.capture import pulse
from synctasks.database import transaction
from synctasks.dead_letters import failed
from synctasks.door import message
from synctasks.engine.drain import drain
from synctasks.flow import Database
from synctasks.flows import FLOWS
from synctasks.flows.heartbeats import HEARTBEATS
from synctasks.ladder import LaneTask
from synctasks.monitoring.figures.signs import heartbeats
from synctasks.monitoring.status import status
from tests.letters import typed
from tests.messages import call
from tests.rows import Connection, execute, rows, value

BOTH = {"to_citizen": Database.WAREHOUSE, "to_warehouse": Database.CITIZEN}
_LOG = "SELECT flow, lane, key FROM synctasks.change_log"

each_direction = pytest.mark.parametrize("direction", BOTH)


def beat(direction: str) -> None:
    """What the listener of the direction's source does every few seconds."""
    database = BOTH[direction]
    with transaction(database) as tx:
        pulse.beat(tx, database)


def arrive(direction: str) -> None:
    drain(HEARTBEATS[direction], 0)


@pytest.fixture
def source(direction: str, warehouse: Connection, citizen: Connection) -> Connection:
    return {"to_citizen": warehouse, "to_warehouse": citizen}[direction]


@each_direction
def test_a_beat_travels_the_whole_way(source: Connection, direction: str) -> None:
    assert heartbeats()[direction] is None
    beat(direction)
    assert rows(source, _LOG) == [(f"heartbeat_{direction}", 0, direction)]
    assert heartbeats()[direction] is None, "not before it has arrived"
    arrive(direction)
    age = heartbeats()[direction]
    assert age is not None
    assert 0 <= age < 30
    assert rows(source, _LOG) == []
    shown = json.loads(typed("status", "--json").stdout)["heartbeats"]
    assert shown.keys() == BOTH.keys()
    assert shown[direction] >= age


@each_direction
def test_each_beat_moves_the_time_that_arrives(source: Connection, direction: str) -> None:
    for _ in range(2):
        beat(direction)
        arrive(direction)
        sent = value(source, "SELECT beat_at FROM synctasks.heartbeat")
        execute(source, "UPDATE synctasks.heartbeat SET beat_at = beat_at - interval '1 hour'")
        arrive(direction)
        age = heartbeats()[direction]
        assert age == pytest.approx(3_600, abs=30), sent


@each_direction
def test_with_nobody_to_take_it_one_beat_is_on_its_way_and_ages(
    source: Connection, direction: str
) -> None:
    beat(direction)
    arrive(direction)
    for _ in range(5):
        beat(direction)
    assert len(rows(source, _LOG)) == 1
    assert value(source, "SELECT count(*) FROM synctasks.heartbeat") == 1


def test_its_age_is_by_the_clock_that_it_was_taken_from(
    warehouse: Connection, citizen: Connection
) -> None:
    """The arrived row says when the source let it beat, whatever time it is at the target."""
    beat("to_citizen")
    arrive("to_citizen")
    sent, arrived = (
        value(connection, f"SELECT beat_at FROM synctasks.{table}")
        for connection, table in ((warehouse, "heartbeat"), (citizen, "heartbeat_arrived"))
    )
    assert sent == arrived
    execute(citizen, "UPDATE synctasks.heartbeat_arrived SET beat_at = now() + interval '1 hour'")
    age = heartbeats()["to_citizen"]
    assert age is not None
    assert age < 0


def test_it_is_no_event_of_any_flow(warehouse: Connection, citizen: Connection) -> None:
    for direction in BOTH:
        beat(direction)
    found = status(FLOWS)
    assert sum(entry["pending"] for entry in found["flows"].values()) == 0
    for direction in BOTH:
        arrive(direction)
    found = status(FLOWS)
    assert found["alerts"] == []
    assert not any(flow.startswith("heartbeat") for flow in found["flows"])
    assert all(entry["latency_seconds"]["p50"] is None for entry in found["flows"].values())
    for name in ("sync", "pause", "verify"):
        assert typed(name, "heartbeat_to_citizen").returncode == 2


def test_one_that_fails_leaves_a_letter_like_any_flows(
    warehouse: Connection, celery: Celery
) -> None:
    task = celery.tasks["drain.heartbeat_to_citizen"]
    assert isinstance(task, LaneTask)
    assert task.flow is HEARTBEATS["to_citizen"]
    beat("to_citizen")
    tasks._keep("heartbeat_to_citizen", failed.drain_of(0), "E", "trace", 0)
    listed = typed("dead-letters", "list", "--flow", "heartbeat_to_citizen", "--json")
    [letter] = json.loads(listed.stdout)
    assert (letter["kind"], letter["error"]) == ("task", "E")
    assert typed("dead-letters", "show", str(letter["id"])).returncode == 0
    arrive("to_citizen")
    assert value(warehouse, "SELECT state FROM synctasks.dead_letter") == "resolved"


def test_the_listener_says_that_it_is_there_at_its_own_database(
    warehouse: Connection, citizen: Connection
) -> None:
    beat("to_citizen")
    assert rows(warehouse, "SELECT process FROM synctasks.presence") == ["listener"]
    assert rows(citizen, "SELECT process FROM synctasks.presence") == []


@pytest.mark.parametrize("queue", dispatch.QUEUES)
def test_a_queue_is_asked_for_a_sign_of_life_once_until_a_worker_gives_it(
    warehouse: Connection, citizen: Connection, broker: Redis, celery: Celery, queue: str
) -> None:
    for _ in range(2):
        dispatch.send_presence(queue)
    [asked] = broker.lrange(queue, 0, -1)
    admitted = message.read(message.admit(asked, queue))
    assert (admitted.task, admitted.arguments) == ("control.presence", {"queue": queue})
    assert tasks._presence(queue) == "noted"
    for connection in (warehouse, citizen):
        assert rows(connection, "SELECT process FROM synctasks.presence") == [f"worker {queue}"]
    dispatch.send_presence(queue)
    assert broker.llen(queue) == 2


def test_one_that_is_lost_is_asked_for_again_before_anybody_is_alarmed(
    celery: Celery, broker: Redis
) -> None:
    dispatch.send_presence("events")
    assert 0 < broker.ttl(dispatch.presence_flag("events")) < 100


def test_the_door_lets_in_what_asks_for_it_and_for_a_purge(
    warehouse: Connection, citizen: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert message.read(message.admit(call("control.purge"), "control")).task == "control.purge"
    for wrong in (call("control.presence", queue="celery"), call("control.purge", days=0)):
        assert message.read(message.admit(wrong, "control")).task == "dlq.refused"
    purged: list[Database] = []

    def purge(database: Database) -> int:
        purged.append(database)
        return 0

    monkeypatch.setattr(ledger, "purge", purge)
    assert tasks._purge() == "purged"
    assert purged == list(Database)


@pytest.mark.usefixtures("databases")
@each_direction
def test_whoever_beats_is_there_on_its_own_machine_too(
    direction: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "presence"
    monkeypatch.setattr(settings, "presence_file", lambda: file)
    beat(direction)
    assert file.exists()
