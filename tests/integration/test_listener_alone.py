"""The listener's start and end, what it asks of its URL, and when the triggers notify."""

from __future__ import annotations

import math
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from redis import Redis

from synctasks import settings
from synctasks.capture import ears, installer, listener
from synctasks.capture.listener import Listener
from synctasks.capture.triggers import CHANNEL, SLEEP_LOCK
from synctasks.embedded.waiting import wait_until
from synctasks.flow import Database
from synctasks.flows import FLOWS
from tests.logs import events
from tests.programs import run, running
from tests.proxy import Proxy
from tests.rows import Connection, add_record, execute, rows, value
from tests.workspace import BROKER, CITIZEN, WAREHOUSE

OUR_LOCKS = f"""
SELECT mode FROM pg_locks
WHERE locktype = 'advisory' AND classid = {SLEEP_LOCK[0]} AND objid = {SLEEP_LOCK[1]}
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
BACKENDS = """
SELECT count(*) FROM pg_stat_activity
WHERE application_name LIKE 'synctasks listener%' AND datname = current_database()
"""


@pytest.fixture
def proxy(databases: dict[str, str]) -> Iterator[Proxy]:
    with closing(Proxy(databases[WAREHOUSE])) as made:
        yield made


def heard_of_a_commit(warehouse: Connection, session: Connection, key: str) -> list[str]:
    """What a session that listens hears of an insert; the order of commits is kept."""
    execute(session, f"LISTEN {CHANNEL}")
    add_record(warehouse, key)
    execute(warehouse, f"SELECT pg_notify('{CHANNEL}', 'end')")

    def has_ended() -> bool:
        session.poll()
        return any(notice.payload == "end" for notice in session.notifies)

    wait_until(has_ended, 10, "our own notification")
    words = [notice.payload for notice in session.notifies]
    return [word for word in words[: words.index("end")] if not word.startswith("probe")]


@pytest.mark.parametrize("sleeps", [True, False])
def test_a_commit_notifies_only_while_the_listener_sleeps(
    warehouse: Connection,
    open_session: Callable[[], Connection],
    sleeps: bool,
) -> None:
    session, sleeper = open_session(), open_session()
    session.autocommit = True
    if sleeps:
        execute(sleeper, f"SELECT pg_advisory_lock({SLEEP_LOCK[0]}, {SLEEP_LOCK[1]})")
    assert heard_of_a_commit(warehouse, session, "GR-1") == ([""] if sleeps else [])


def test_a_statement_that_captures_nothing_neither_notifies_nor_locks(
    warehouse: Connection, open_session: Callable[[], Connection]
) -> None:
    add_record(warehouse, "GR-1")
    execute(warehouse, "BEGIN; UPDATE golden_records SET review_status = 'x'")
    execute(warehouse, "DELETE FROM golden_records WHERE gr_id = 'nobody'")
    assert rows(warehouse, OUR_LOCKS) == []
    execute(warehouse, "UPDATE golden_records SET full_name = 'x'")
    assert rows(warehouse, OUR_LOCKS) == ["ShareLock"]
    execute(warehouse, "COMMIT")
    assert rows(warehouse, OUR_LOCKS) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_told_and_leaves_no_lock(
    warehouse: Connection, tmp_path: Path, number: signal.Signals
) -> None:
    log = tmp_path / "log"
    with running("synctasks", "listen", log=log) as process:
        wait_until(lambda: rows(warehouse, OUR_LOCKS) == ["ExclusiveLock"], 20, "its sleep")
        process.send_signal(number)
        assert process.wait(10) == 0
    assert "Traceback" not in log.read_text()
    wait_until(lambda: rows(warehouse, OUR_LOCKS) == [], 5, "the end of its session")


def test_without_notify_it_polls(
    warehouse: Connection,
    broker: Redis,
    open_session: Callable[[], Connection],
    tmp_path: Path,
) -> None:
    installer.install(FLOWS, with_schemas=False, notifies=False, progress=lambda _: None)
    session = open_session()
    session.autocommit = True
    with running("synctasks", "listen", log=tmp_path / "log"):
        wait_until(lambda: value(warehouse, BACKENDS) == 2, 20, "the listener")
        assert heard_of_a_commit(warehouse, session, "GR-1") == []
        wait_until(
            lambda: any(b'"drain.profile_data"' in item for item in broker.lrange("events", 0, -1)),
            10,
            "the message",
        )
        assert rows(warehouse, OUR_LOCKS) == []


def test_a_url_through_a_transaction_pool_is_refused(proxy: Proxy) -> None:
    """Such a pool gives each transaction another session: notifications reach nobody."""
    proxy.deaf = True
    refused = run("synctasks", "listen", env={WAREHOUSE: proxy.url})
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.endswith(
        "synctasks: warehouse database: the listener does not hear its own notification: the URL"
        " seems to lead through a transaction-pooling proxy. Give the listener a URL of the server"
        " itself, or of a session pool.\n"
    )


def test_a_database_that_is_away_at_the_start_is_waited_for(
    databases: dict[str, str], warehouse: Connection, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    away = urlsplit(databases[CITIZEN])._replace(netloc="nobody@127.0.0.1:1").geturl()
    with running("synctasks", "listen", log=log, env={CITIZEN: away}) as process:
        wait_until(lambda: value(warehouse, BACKENDS) == 2, 20, "it to listen at the other one")
        lost = {"event": "listener.lost", "database": "citizen"}
        wait_until(lambda: bool(events(log.read_text(), **lost)), 20, "a word of it")
        assert process.poll() is None
    nobody = {WAREHOUSE: away, CITIZEN: away}
    refused = run("synctasks", "listen", env=nobody)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "Is the server running" in refused.stderr


def test_a_broker_that_is_away_is_told_of_once(
    warehouse: Connection, citizen: Connection, tmp_path: Path
) -> None:
    """Also where there is nothing to send for: it has not come back because nobody asked it."""
    for side in (warehouse, citizen):
        execute(side, "DELETE FROM synctasks.run")
    log = tmp_path / "log"
    with running("synctasks", "listen", log=log, env={BROKER: "redis://127.0.0.1:1/0"}):
        sweeps = "SELECT count(*) FROM synctasks.tick"
        for side in (warehouse, citizen):
            wait_until(lambda side=side: value(side, sweeps) >= 3, 20, "some sweeps")
    words = log.read_text()
    assert len(events(words, "listener.broker_gone")) == 2, "once for each database"
    assert not events(words, "listener.broker_back")


def test_a_session_of_the_listener_does_not_outlive_its_client_for_hours(
    databases: dict[str, str], open_session: Callable[[], Connection]
) -> None:
    """It may hold the sleep lock: then each commit would notify, and the next listener poll."""
    listening, probing = open_session(), open_session()
    listening.autocommit = probing.autocommit = True
    ours = ears.Ears(listening, probing, Database.WAREHOUSE)
    ours.open()
    shown = [ours.tx.value(f"SHOW tcp_keepalives_{what}") for what in ("idle", "interval", "count")]
    assert (shown, ours.tx.value("SHOW tcp_user_timeout")) == (["5", "3", "3"], "15000")


def test_one_that_has_gone_deaf_notices_and_connects_again(
    proxy: Proxy, warehouse: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half-open connections and proxies lose notifications silently: it asks itself."""
    execute(warehouse, "DELETE FROM synctasks.run")
    monkeypatch.setenv(WAREHOUSE, proxy.url)
    monkeypatch.setattr(listener, "PROBE_SECONDS", 0.1)
    monkeypatch.setattr(ears, "_PROBE_WAIT_SECONDS", 0.5)
    monkeypatch.setattr(listener, "_RECONNECT_SECONDS", 0.1)
    # In this process there is no app to send by.
    monkeypatch.setattr(listener, "BEAT_SECONDS", math.inf)
    monkeypatch.setattr(listener, "SLOT_SECONDS", math.inf)
    settings.load.cache_clear()
    one = Listener(Database.WAREHOUSE)
    thread = threading.Thread(target=one.run, daemon=True)
    thread.start()
    try:
        wait_until(lambda: rows(warehouse, OUR_LOCKS) == ["ExclusiveLock"], 10, "its sleep")
        before = proxy.connections
        proxy.deaf = True
        wait_until(lambda: proxy.connections >= before + 4, 20, "it to connect again and again")
        proxy.deaf = False
        wait_until(lambda: rows(warehouse, OUR_LOCKS) == ["ExclusiveLock"], 10, "its sleep")
    finally:
        one.stop()
        thread.join(10)
        for end in (one._stopping, one._stop_sender):
            end.close()
    assert not thread.is_alive()
