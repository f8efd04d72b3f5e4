"""An alert fires once, however often it is looked at, and is over once it was quiet."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from synctasks import settings
from synctasks.embedded.waiting import wait_until
from synctasks.errors import SetupError, TransientError
from synctasks.flow import Database
from synctasks.monitoring import surroundings, thresholds, watch
from synctasks.monitoring.watch import Watch, look
from tests.receivers import Hook, web_hook
from tests.rows import Connection, execute, rows

_ALERTS = """\
SELECT name, about, resolved_at IS NOT NULL, told_at IS NOT NULL, end_told_at IS NOT NULL
FROM synctasks.alert
ORDER BY id
"""
HELD = "removals held"


@pytest.fixture
def hook(databases: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    """Who is told of alerts."""
    with web_hook() as (hook, url):
        monkeypatch.setenv(settings.ALERTS_VARIABLE, url)
        settings.load.cache_clear()
        yield hook
    monkeypatch.undo()
    settings.load.cache_clear()


def hold(source: Connection, flow: str, *keys: str) -> None:
    for key in keys:
        execute(
            source,
            """
            INSERT INTO synctasks.held (flow, lane, key, captured_at)
            VALUES (%s, 0, %s, clock_timestamp())
            """,
            [flow, key],
        )


def let_go(source: Connection) -> None:
    execute(source, "DELETE FROM synctasks.held")


def quiet(source: Connection, seconds: int = 61) -> None:
    """As if nothing had been seen of any alert for so long."""
    execute(
        source,
        "UPDATE synctasks.alert SET seen_at = seen_at - make_interval(secs => %s)",
        [seconds],
    )


def alerts(source: Connection) -> list[Any]:
    """(name, about, is over, was told, its end was told)"""
    return rows(source, _ALERTS)


def reasons(source: Connection) -> list[str]:
    return rows(source, "SELECT reason FROM synctasks.alert ORDER BY id")


def test_an_alert_is_one_row_and_one_message_however_often_one_looks(
    warehouse: Connection, hook: Hook
) -> None:
    hold(warehouse, "profile_data", "a")
    for _ in range(3):
        look()
    assert alerts(warehouse) == [(HELD, "profile_data", False, True, False)]
    [(title, body)] = hook.messages
    assert title == f"synctasks: {HELD}, profile_data"
    assert "1 removals are held" in body
    since = rows(warehouse, "SELECT to_char(since, 'YYYY-MM-DD HH24:MI:SS') FROM synctasks.alert")
    assert f"since {since[0]} UTC" in body
    assert "docs/runbook.md#removals-held" in body


def test_its_reason_keeps_up_with_what_is(warehouse: Connection, hook: Hook) -> None:
    hold(warehouse, "profile_data", "a")
    look()
    hold(warehouse, "profile_data", "b", "c")
    look()
    [reason] = reasons(warehouse)
    assert "3 removals are held" in reason
    assert len(hook.messages) == 1


def test_it_is_over_when_it_was_quiet_for_a_minute_and_fires_again_as_a_new_one(
    warehouse: Connection, hook: Hook
) -> None:
    hold(warehouse, "profile_data", "a")
    look()
    let_go(warehouse)
    quiet(warehouse, 55)
    look()
    assert alerts(warehouse) == [(HELD, "profile_data", False, True, False)]
    quiet(warehouse, 6)
    look()
    look()
    over = (HELD, "profile_data", True, True, True)
    assert alerts(warehouse) == [over]
    assert [title for title, _ in hook.messages][1:] == [f"synctasks: over: {HELD}, profile_data"]
    hold(warehouse, "profile_data", "a")
    look()
    assert alerts(warehouse) == [over, (HELD, "profile_data", False, True, False)]
    assert len(hook.messages) == 3


def test_one_that_comes_and_goes_is_one(warehouse: Connection, hook: Hook) -> None:
    for _ in range(3):
        hold(warehouse, "profile_data", "a")
        look()
        let_go(warehouse)
        look()
    assert (len(alerts(warehouse)), len(hook.messages)) == (1, 1)


def test_each_flow_and_database_has_its_own_and_one_message_tells_of_several(
    warehouse: Connection, citizen: Connection, hook: Hook
) -> None:
    hold(warehouse, "profile_data", "a")
    hold(warehouse, "schemes", "a")
    hold(citizen, "golden_records", "a")
    look()
    assert {about for _, about, *_ in alerts(warehouse)} == {"profile_data", "schemes"}
    assert [about for _, about, *_ in alerts(citizen)] == ["golden_records"]
    titles = {title for title, _ in hook.messages}
    assert titles == {"synctasks: 2 alerts", f"synctasks: {HELD}, golden_records"}


def test_two_watches_at_once_give_one_row_and_one_message(
    warehouse: Connection, hook: Hook
) -> None:
    hold(warehouse, "profile_data", "a")
    start = threading.Barrier(4)

    def look_with_others(_: int) -> None:
        start.wait(10)
        look()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(look_with_others, range(4)))
    assert alerts(warehouse) == [(HELD, "profile_data", False, True, False)]
    assert len(hook.messages) == 1


def test_watches_take_turns(warehouse: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[None] = []
    monkeypatch.setattr(watch, "look", lambda: looks.append(None))
    first, second = Watch(), Watch()
    first.look_in_turn()
    second.look_in_turn()
    first.look_in_turn()
    assert len(looks) == 1
    back = "UPDATE synctasks.presence SET seen_at = seen_at - interval '14.6 seconds'"
    execute(warehouse, back)
    second.look_in_turn()
    assert len(looks) == 2


def test_a_clock_that_is_put_back_silences_nobody(warehouse: Connection, hook: Hook) -> None:
    hold(warehouse, "profile_data", "a")
    Watch().look_in_turn()
    let_go(warehouse)
    execute(
        warehouse,
        """
        UPDATE synctasks.presence SET seen_at = seen_at + interval '1 hour';
        UPDATE synctasks.alert
        SET seen_at = seen_at + interval '1 hour', next_try = next_try + interval '1 hour'
        """,
    )
    Watch().look_in_turn()
    assert alerts(warehouse) == [(HELD, "profile_data", True, True, True)]


def test_a_watch_survives_what_goes_wrong(
    databases: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    problems: list[Exception] = [TransientError("gone"), SetupError("a", "b", "c"), KeyError("x")]
    looks: list[None] = []

    def broken(_: Watch) -> None:
        looks.append(None)
        if problems:
            raise problems.pop()

    monkeypatch.setattr(Watch, "look_in_turn", broken)
    each = Watch()
    each._seconds = 0.01
    thread = threading.Thread(target=each.run)
    thread.start()
    wait_until(lambda: len(looks) > 4, 10, "looks after the problems")
    each.stop()
    thread.join(10)
    assert not thread.is_alive()


def test_a_watch_does_not_begin_with_wrong_thresholds(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong() -> None:
        raise SetupError("config/alerts.toml", "it is no TOML", "Correct it")

    monkeypatch.setattr(watch, "thresholds", wrong)
    with pytest.raises(SetupError):
        Watch()


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> set[Database]:
    """The databases that do not answer."""
    gone: set[Database] = set()
    gather, transaction = surroundings.gather, watch.transaction

    def look_at(database: Database, flows: Any) -> Any:
        if database in gone:
            raise TransientError(f"{database} database: cannot connect")
        return gather(database, flows)

    def connect(database: Database) -> Any:
        if database in gone:
            raise TransientError(f"{database} database: cannot connect")
        return transaction(database)

    monkeypatch.setattr(surroundings, "gather", look_at)
    monkeypatch.setattr(watch, "transaction", connect)
    return gone


def test_what_is_known_of_a_database_that_is_away_neither_ends_nor_comes_again(
    warehouse: Connection, citizen: Connection, hook: Hook, away: set[Database]
) -> None:
    hold(warehouse, "profile_data", "a")
    hold(citizen, "golden_records", "a")
    execute(
        warehouse,
        "INSERT INTO synctasks.alert (name, about, reason, told_at) "
        "SELECT name, '', 'x', now() FROM unnest(ARRAY['dead letters', 'heartbeat late']) AS name",
    )
    look()
    away.add(Database.CITIZEN)
    for source in (warehouse, citizen):
        quiet(source)
    hook.messages.clear()
    look()
    look()
    assert [title for title, _ in hook.messages] == ["synctasks: away, citizen"]
    assert "citizen database: cannot connect" in hook.messages[0][1]
    assert [is_over for _, _, is_over, *_ in alerts(warehouse)] == [False] * 4
    assert [is_over for _, _, is_over, *_ in alerts(citizen)] == [False]
    away.clear()
    hook.messages.clear()
    quiet(warehouse)
    look()
    told = hook.messages[0][1]
    assert "over: away, citizen" in told
    assert alerts(citizen) == [(HELD, "golden_records", False, True, False)]


def test_trouble_with_keeping_at_one_database_hides_nothing_of_the_other(
    warehouse: Connection, citizen: Connection, hook: Hook
) -> None:
    hold(citizen, "golden_records", "a")
    execute(warehouse, "ALTER TABLE synctasks.alert RENAME TO alert_gone")
    try:
        look()
    finally:
        execute(warehouse, "ALTER TABLE synctasks.alert_gone RENAME TO alert")
    assert [title for title, _ in hook.messages] == [f"synctasks: {HELD}, golden_records"]


def test_that_both_databases_are_away_is_told_once_by_each_watch(
    databases: dict[str, str], hook: Hook, away: set[Database]
) -> None:
    away.update(Database)
    each = Watch()
    for looked in range(1, 5):
        with pytest.raises(watch.NobodyAnswers):
            each.look_in_turn()
        assert len(hook.messages) == (looked >= thresholds.DEFAULTS["away"]["tries"])
    [(title, body)] = hook.messages
    assert title == "synctasks: away, both databases"
    assert all(f"{database} database: cannot connect" in body for database in Database)
    away.clear()
    each.look_in_turn()
    each.look_in_turn()
    assert [title for title, _ in hook.messages][1:] == ["synctasks: over: away, both databases"]


def test_a_database_that_refuses_us_is_away_at_once(
    warehouse: Connection, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []
    gather = surroundings.gather

    def refuse(database: Database, flows: Any) -> Any:
        if database is Database.CITIZEN:
            tries.append(database)
            raise SetupError("citizen database", "the password is wrong", "Put the right one")
        return gather(database, flows)

    monkeypatch.setattr(surroundings, "gather", refuse)
    look()
    assert len(tries) == 1
    [(title, body)] = hook.messages
    assert (title, "the password is wrong" in body) == ("synctasks: away, citizen", True)
