"""The real `synctasks listen`: whatever is committed is sent for, at once, whatever got lost."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from redis import Redis

from synctasks.capture.listener import STALE_FLAG_SECONDS, SWEEP_SECONDS
from synctasks.capture.triggers import CHANNEL, SLEEP_LOCK
from synctasks.dispatch import MOST_WAITING
from synctasks.embedded.waiting import wait_until
from tests.conftest import connected
from tests.programs import running
from tests.rows import Connection, add_record, execute, rows, value
from tests.workspace import BROKER, WAREHOUSE, Workspace

SLEEPS = f"""
SELECT count(*) FROM pg_locks
WHERE locktype = 'advisory' AND classid = {SLEEP_LOCK[0]} AND objid = {SLEEP_LOCK[1]}
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND mode = 'ExclusiveLock' AND granted
"""
BACKENDS = """
SELECT pid FROM pg_stat_activity
WHERE application_name LIKE 'synctasks listener%' AND datname = current_database() ORDER BY pid
"""
# What the trigger takes where the listener is awake; here it may wait until it is.
STAY_AWAKE = f"SELECT pg_advisory_xact_lock_shared({SLEEP_LOCK[0]}, {SLEEP_LOCK[1]})"


@dataclass
class Ground:
    """A listener at work, its databases, and its log."""

    place: Workspace
    warehouse: Connection
    broker: Redis
    log: Path

    def asleep(self) -> bool:
        return value(self.warehouse, SLEEPS) == 1

    def sent(self, queue: str = "events") -> int:
        """The messages of a queue, but for those by which the listener sees that all is well."""
        own = (b'"control.presence"', b'"drain.heartbeat_')
        return sum(not any(o in item for o in own) for item in self.broker.lrange(queue, 0, -1))

    def quiet(self) -> None:
        """Nothing pending, nothing sent, the listener asleep."""
        execute(self.warehouse, "DELETE FROM synctasks.change_log; DELETE FROM synctasks.run")
        wait_until(self.stays_silent, 10, "the listener to have nothing to say")
        wait_until(self.asleep, 10, "the listener to sleep")

    def stays_silent(self) -> bool:
        """No message for a while: a look that began before the deletion may still send."""
        self.broker.flushdb()
        until = time.monotonic() + 0.1
        while time.monotonic() < until:
            if self.sent():
                return False
        return True

    def open_session(self) -> closing[Connection]:
        return closing(psycopg2.connect(self.place.environment[WAREHOUSE]))


@pytest.fixture(scope="module")
def listening(place: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    place.renew()
    log = tmp_path_factory.mktemp("listener") / "log"
    with (
        connected(place.environment[WAREHOUSE]) as warehouse,
        closing(Redis.from_url(place.environment[BROKER])) as broker,
        running("synctasks", "listen", log=log) as process,
    ):
        yield Ground(place, warehouse, broker, log)
        assert process.poll() is None, log.read_text()


@pytest.fixture
def ground(listening: Ground) -> Ground:
    listening.quiet()
    return listening


def median_seconds_until_sent(ground: Ground, commit: Callable[[str], Any]) -> float:
    """From a commit to its message, of five; a sweep alone would take half a second."""
    times = []
    for number in range(5):
        ground.broker.flushdb()
        commit(f"GR-{time.monotonic_ns()}-{number}")
        since = time.monotonic()
        while not ground.sent():
            assert time.monotonic() - since < 10, ground.log.read_text()
            time.sleep(0.002)
        times.append(time.monotonic() - since)
    return statistics.median(times)


def test_a_commit_wakes_it_at_once(ground: Ground) -> None:
    def commit(key: str) -> None:
        wait_until(ground.asleep, 10, "the listener to sleep")
        add_record(ground.warehouse, key)

    assert median_seconds_until_sent(ground, commit) < 0.3


def test_a_message_says_flow_and_lane_and_nothing_about_the_record(ground: Ground) -> None:
    add_record(ground.warehouse, "GR-77", full_name="Secret Name")
    wait_until(lambda: ground.sent() == 1, 10, "the message")
    message = ground.broker.lindex("events", 0)
    assert message is not None
    assert b"drain.profile_data" in message
    for private in (b"Secret", b"GR-77", b"12345678"):
        assert private not in message


@contextmanager
def notifications(ground: Ground) -> Iterator[Callable[[], list[str]]]:
    """What is heard on our channel: all that was sent before the question."""
    with connected(ground.place.environment[WAREHOUSE]) as session:
        execute(session, f"LISTEN {CHANNEL}")

        def heard() -> list[str]:
            execute(ground.warehouse, f"SELECT pg_notify('{CHANNEL}', 'end')")
            words: list[str] = []

            def has_ended() -> bool:
                session.poll()
                words.extend(notice.payload for notice in session.notifies)
                session.notifies.clear()
                return "end" in words

            wait_until(has_ended, 10, "our own notification")
            before_it = words[: words.index("end")]
            return [word for word in before_it if not word.startswith("probe")]

        yield heard


def test_an_open_transaction_that_did_not_notify_keeps_it_awake(ground: Ground) -> None:
    """It polls, so that this commit and all others are seen at once without a notification."""
    with ground.open_session() as session, notifications(ground) as heard:
        execute(session, STAY_AWAKE)
        add_record(session, "GR-open")
        polled: set[Any] = set()
        activity = "SELECT query_start FROM pg_stat_activity WHERE application_name = %s"

        def polls() -> bool:
            assert not ground.asleep()
            polled.update(rows(ground.warehouse, activity, ["synctasks listener"]))
            return len(polled) > 10

        wait_until(polls, 10, "the listener to poll")
        seconds = median_seconds_until_sent(ground, lambda key: add_record(ground.warehouse, key))
        assert seconds < 0.3
        assert heard() == []
        execute(ground.warehouse, "DELETE FROM synctasks.change_log")
        wait_until(ground.stays_silent, 10, "the listener to have nothing to say")
        session.commit()
        wait_until(lambda: ground.sent() == 1, 10, "the message for the open transaction")
    wait_until(ground.asleep, 10, "the listener to sleep again")


def test_a_requested_full_run_is_sent_for(ground: Ground) -> None:
    execute(ground.warehouse, "TRUNCATE golden_records")
    wait_until(lambda: ground.sent("batch") > 0, 5, "the message for the run")
    assert ground.sent("events") == 0


def test_a_lane_has_one_message_however_much_is_committed(ground: Ground) -> None:
    for number in range(50):
        add_record(ground.warehouse, f"GR-many-{number}")
        execute(ground.warehouse, "UPDATE golden_records SET full_name = %s", [str(number)])
    wait_until(lambda: ground.sent() == 8, 10, "the messages of all lanes")
    pending = "SELECT DISTINCT lane FROM synctasks.change_log WHERE flow = 'profile_data'"
    lanes = rows(ground.warehouse, pending)
    assert len(lanes) == 8
    assert ground.sent() == 8


def test_an_emptied_broker_is_filled_again(ground: Ground) -> None:
    add_record(ground.warehouse, "GR-1")
    wait_until(lambda: ground.sent() == 1, 10, "the message")
    ground.broker.flushdb()
    wait_until(lambda: ground.sent() == 1, 10, "the message to be sent again")


def test_a_lost_message_is_sent_again_whatever_its_flag_says(ground: Ground) -> None:
    add_record(ground.warehouse, "GR-2")
    wait_until(lambda: ground.sent() == 1, 10, "the message")
    flags = list(ground.broker.scan_iter("synctasks:drain:profile_data:*"))
    assert [ground.broker.expire(flag, 60) for flag in flags] == [True]
    ground.broker.delete("events")
    wait_until(lambda: ground.sent() == 1, 10, "the message to be sent again")


def test_it_reconnects_when_its_connections_are_cut(ground: Ground) -> None:
    before = rows(ground.warehouse, BACKENDS)
    assert len(before) == 2
    execute(ground.warehouse, f"SELECT pg_terminate_backend(pid) FROM ({BACKENDS}) AS listener")
    add_record(ground.warehouse, "GR-meanwhile")
    wait_until(lambda: ground.sent() == 1, 10, "the message")
    wait_until(ground.asleep, 10, "the listener to sleep")
    now = rows(ground.warehouse, BACKENDS)
    assert len(now) == 2
    assert not set(now) & set(before)
    assert "listener.lost" in ground.log.read_text()


def test_a_second_listener_is_harmless(ground: Ground, tmp_path: Path) -> None:
    with running("synctasks", "listen", log=tmp_path / "log"):
        wait_until(lambda: len(rows(ground.warehouse, BACKENDS)) == 4, 20, "the second one")
        for number in range(10):
            add_record(ground.warehouse, f"GR-second-{number}")
        pending = "SELECT lane FROM synctasks.change_log WHERE flow = 'profile_data'"
        lanes = set(rows(ground.warehouse, pending))
        wait_until(lambda: ground.sent() >= len(lanes), 10, "the messages")
        assert ground.sent() == len(lanes)


def test_with_no_worker_a_queue_does_not_grow_without_end(ground: Ground) -> None:
    for number in range(MOST_WAITING - 3):
        ground.broker.rpush("events", str(number))
    for number in range(50):
        add_record(ground.warehouse, f"GR-piled-{number}")
    wait_until(lambda: ground.sent() >= MOST_WAITING, 10, "the queue to be full")
    oldest = "SELECT extract(epoch FROM clock_timestamp() - min(captured_at)) FROM synctasks."
    swept = STALE_FLAG_SECONDS + 2 * SWEEP_SECONDS
    wait_until(lambda: value(ground.warehouse, f"{oldest}change_log") > swept, 10, "two sweeps")
    assert ground.sent() < MOST_WAITING + 8
