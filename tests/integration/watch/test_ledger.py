"""The ledger: each minute is added once, to its day and in total; what is old is forgotten."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from synctasks import ledger
from synctasks.capture import ears
from synctasks.counts import COUNTS
from synctasks.database import Transaction, connect, transaction
from synctasks.embedded.waiting import wait_until
from synctasks.flow import Database
from tests.rows import Connection, execute, rows, value

MIDNIGHT = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)

_MINUTE = """\
INSERT INTO synctasks.history (
    flow, lane, minute, taken, units, coalesced, captured, read, written, removed, latency
)
VALUES (%s, %s, %s, 3, 2, 1, 1, 2, 2, 5, %s)
"""
_DAYS = "SELECT day, taken, units, coalesced, captured, read, written FROM synctasks.day ORDER BY 1"


def minute(source: Connection, at: datetime, *, lane: int = 0, flow: str = "schemes") -> None:
    """A minute's books: 3 changes of 2 units, one of them coalesced."""
    execute(source, _MINUTE, [flow, lane, at, [1, 0, 2]])


def closed_through(source: Connection, moment: datetime) -> None:
    execute(source, "UPDATE synctasks.installation SET closed_through = %s", [moment])


def close(times: int = 1) -> None:
    for _ in range(times):
        with transaction(Database.WAREHOUSE) as tx:
            ledger.close(tx)


def totals(source: Connection) -> Any:
    return value(source, "SELECT taken, read, removed, latency FROM synctasks.total")


def test_minutes_that_are_over_are_added_to_their_day_and_in_total_once(
    warehouse: Connection,
) -> None:
    # Not when the file was read: the whole suite may have run since.
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    at = now - timedelta(minutes=20)
    closed_through(warehouse, at)
    minute(warehouse, at - timedelta(minutes=1))
    for lane in range(2):
        minute(warehouse, at, lane=lane)
    minute(warehouse, at + timedelta(minutes=1), flow="ml_alerts")
    minute(warehouse, now - timedelta(minutes=2))
    close(3)
    flows = dict(rows(warehouse, "SELECT flow, taken FROM synctasks.total"))
    assert flows == {"schemes": 6, "ml_alerts": 3}
    by_flow = "SELECT flow, latency FROM synctasks.day"
    if at.date() == (at + timedelta(minutes=15)).date():
        assert dict(rows(warehouse, by_flow)) == {"schemes": [2, 0, 4], "ml_alerts": [1, 0, 2]}


def test_all_boxes_are_added_and_so_is_what_comes_later(warehouse: Connection) -> None:
    day = MIDNIGHT - timedelta(days=2)
    closed_through(warehouse, day)
    boxes = ", ".join(COUNTS)
    execute(
        warehouse,
        f"""
        INSERT INTO synctasks.history (flow, lane, minute, latency, {boxes})
        VALUES ('schemes', 0, %s, '{{1,1}}', 28, 1, 2, 3, 4, 5, 6, 7, 8)
        """,
        [day],
    )
    execute(
        warehouse,
        "INSERT INTO synctasks.day (flow, day, captured) VALUES ('schemes', %s, 9)",
        [day.date()],
    )
    close()
    assert value(warehouse, f"SELECT captured, {boxes}, latency FROM synctasks.day") == (
        *(9, 28, 1, 2, 3, 4, 5, 6, 7, 8),
        [1, 1],
    )
    minute(warehouse, MIDNIGHT - timedelta(days=1))
    close()
    assert totals(warehouse) == (3, 30, 13, [2, 1, 2])


def test_a_minute_counts_for_the_day_that_it_is_of(warehouse: Connection) -> None:
    closed_through(warehouse, MIDNIGHT - timedelta(minutes=20))
    before, after = MIDNIGHT - timedelta(minutes=1), MIDNIGHT
    minute(warehouse, before)
    minute(warehouse, after)
    close(3)
    expected: dict[date, Any] = {before.date(): (3, 2, 1, 1, 2, 2)}
    if timedelta(minutes=6) < datetime.now(UTC) - MIDNIGHT:
        expected[after.date()] = (3, 2, 1, 1, 2, 2)
    assert {day: counts for day, *counts in rows(warehouse, _DAYS)} == {
        day: list(counts) for day, counts in expected.items()
    }


def test_after_days_of_standstill_a_day_is_closed_at_a_time(warehouse: Connection) -> None:
    closed_through(warehouse, MIDNIGHT - timedelta(days=3) + timedelta(hours=5))
    for ago in (3, 2, 1):
        minute(warehouse, MIDNIGHT - timedelta(days=ago) + timedelta(hours=6))
    through = "SELECT closed_through FROM synctasks.installation"
    for closed in (1, 2, 3):
        close()
        assert totals(warehouse)[0] == 3 * closed
        assert value(warehouse, through) == MIDNIGHT - timedelta(days=3 - closed)
    close(2)
    assert totals(warehouse)[0] == 9
    days = rows(warehouse, "SELECT day FROM synctasks.day ORDER BY day")
    assert days == [(MIDNIGHT - timedelta(days=ago)).date() for ago in (3, 2, 1)]


def test_two_listeners_that_close_at_once_add_a_minute_once(warehouse: Connection) -> None:
    closed_through(warehouse, MIDNIGHT - timedelta(days=1))
    minute(warehouse, MIDNIGHT - timedelta(hours=20))
    other = connect(Database.WAREHOUSE, role="test")
    try:
        with transaction(Database.WAREHOUSE) as tx:
            ledger.close(tx)
            with other.cursor() as cursor:
                cursor.execute("SET lock_timeout = '100ms'")
            second = Transaction(other.cursor(), "warehouse")
            with pytest.raises(Exception, match="lock"):
                ledger.close(second)
        ledger.close(Transaction(other.cursor(), "warehouse"))
    finally:
        other.close()
    assert totals(warehouse)[0] == 3


def test_one_that_waited_for_the_other_adds_nothing(warehouse: Connection) -> None:
    """It has looked at the books before the other one closed them."""
    closed_through(warehouse, MIDNIGHT - timedelta(days=1))
    minute(warehouse, MIDNIGHT - timedelta(hours=20))
    waits = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ~ 'span'"
    )
    with ThreadPoolExecutor(1) as threads:
        with transaction(Database.WAREHOUSE) as tx:
            ledger.close(tx)
            waiting = threads.submit(close)
            wait_until(lambda: value(warehouse, waits) == 1, 10, "the other one to wait")
        waiting.result(10)
    assert totals(warehouse)[0] == 3


def test_days_are_those_of_utc_whatever_the_server_says(warehouse: Connection) -> None:
    [name] = rows(warehouse, "SELECT current_database()")
    closed_through(warehouse, MIDNIGHT - timedelta(minutes=30))
    minute(warehouse, MIDNIGHT - timedelta(minutes=10))
    execute(warehouse, f"ALTER DATABASE {name} SET TimeZone = 'Asia/Kolkata'")
    try:
        listening, probing = (connect(Database.WAREHOUSE, role="test") for _ in range(2))
        heard = ears.Ears(listening, probing, Database.WAREHOUSE)
        heard.open()
        ledger.close(heard.tx)
        listening.close()
        probing.close()
    finally:
        execute(warehouse, f"ALTER DATABASE {name} RESET TimeZone")
    days = rows(warehouse, "SELECT day FROM synctasks.day")
    assert days == [(MIDNIGHT - timedelta(days=1)).date()]


def ago(days: float) -> datetime:
    return datetime.now(UTC) - timedelta(days=days)


def test_minutes_older_than_ninety_days_are_forgotten_in_steps_and_their_sums_stay(
    warehouse: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "_SOME", 100)
    execute(
        warehouse,
        """
        INSERT INTO synctasks.history (flow, lane, minute, latency)
        SELECT 'schemes', 0, date_trunc('minute', now()) - make_interval(hours => hour), '{1}'
        FROM generate_series(1, 100 * 24) AS passed (hour)
        """,
    )
    closed_through(warehouse, ago(0))
    minute(warehouse, ago(99), flow="ml_alerts")
    execute(
        warehouse,
        "INSERT INTO synctasks.day (flow, day, taken) VALUES ('ml_alerts', '2020-01-01', 7)",
    )
    assert ledger.purge(Database.WAREHOUSE) == 10 * 24 + 1 + 1
    left = value(warehouse, "SELECT count(*), min(minute) FROM synctasks.history")
    assert left[0] == 90 * 24 - 1
    assert left[1] > ago(90)
    assert rows(warehouse, "SELECT taken FROM synctasks.day") == [7]
    assert ledger.purge(Database.WAREHOUSE) == 0


def test_minutes_that_are_not_closed_yet_are_not_forgotten(warehouse: Connection) -> None:
    closed_through(warehouse, ago(95))
    for days in (96, 94):
        minute(warehouse, ago(days))
    assert ledger.purge(Database.WAREHOUSE) == 1
    assert value(warehouse, "SELECT minute FROM synctasks.history") < ago(90)


def test_old_runs_are_forgotten_but_for_the_last_of_a_flow_and_kind(warehouse: Connection) -> None:
    execute(
        warehouse,
        """
        INSERT INTO synctasks.run (flow, kind, reason, state, finished_at)
        SELECT flow, kind, 'test', 'succeeded', now() - interval '91 days'
        FROM unnest(ARRAY['schemes', 'ml_alerts'], ARRAY['full', 'keys']) AS named (flow, kind),
            generate_series(1, 25)
        ORDER BY flow;
        INSERT INTO synctasks.run (flow, kind, reason, state, finished_at)
        VALUES ('ml_alerts', 'keys', 'test', 'succeeded', now() - interval '89 days'),
            ('ml_alerts', 'keys', 'test', 'running', NULL);
        INSERT INTO synctasks.chunk (run, number, phase, size)
        SELECT id, 1, 'range', 1 FROM synctasks.run WHERE flow = 'schemes'
        """,
    )
    assert ledger.purge(Database.WAREHOUSE) == 5 + 7
    left = "SELECT flow, count(*) FROM synctasks.run GROUP BY flow"
    assert dict(rows(warehouse, left)) == {"schemes": 20, "ml_alerts": 20}
    assert value(warehouse, "SELECT count(*) FROM synctasks.chunk") == 20


def test_old_slots_and_alerts_are_forgotten_but_for_the_newest_slot_and_what_fires(
    warehouse: Connection,
) -> None:
    for days in (200, 100, 95):
        for duty in ("sync", "verify"):
            execute(
                warehouse,
                "INSERT INTO synctasks.slot (flow, duty, due_at) VALUES ('schemes', %s, %s)",
                [duty, ago(days)],
            )
    execute(
        warehouse,
        "INSERT INTO synctasks.slot (flow, duty, due_at) VALUES ('schemes', 'sync', %s)",
        [ago(1)],
    )
    for about, days in (("a", 91), ("b", 89), ("c", None)):
        ended = None if days is None else ago(days)
        execute(
            warehouse,
            """
            INSERT INTO synctasks.alert (name, about, reason, since, resolved_at)
            VALUES ('latency', %s, 'x', now() - interval '1 year', %s)
            """,
            [about, ended],
        )
    assert ledger.purge(Database.WAREHOUSE) == 3 + 2 + 1
    slots = rows(warehouse, "SELECT duty, due_at::date FROM synctasks.slot ORDER BY due_at")
    assert slots == [("verify", ago(95).date()), ("sync", ago(1).date())]
    assert rows(warehouse, "SELECT about FROM synctasks.alert ORDER BY id") == ["b", "c"]
