"""Figures where SQL decides: records and rejects, volumes, runs, books, letters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from synctasks import slots
from synctasks.flow import Database, Duty, Flow
from synctasks.flows import FLOWS
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.flows.to_citizen.profile_summary import PROFILE_SUMMARY
from synctasks.flows.to_warehouse.feedback_analytics import FEEDBACK_ANALYTICS
from synctasks.monitoring.figures.gather import gather
from tests.refreshing import carry, full_run
from tests.rows import Connection, add_record, execute, value
from tests.watching import entry_of, let_pass

WEEKS = (1, 8, 15, 22, 29)

_HISTORY = """\
INSERT INTO synctasks.history (flow, lane, minute, read, waiting, rejected, written, latency)
VALUES (%s, 0, date_trunc('minute', statement_timestamp()) - make_interval(mins => %s),
    %s, %s, %s, %s, '{}')
"""
_RUN = """\
INSERT INTO synctasks.run (flow, kind, reason, state, error, read, filtered, unchanged, finished_at)
VALUES ('profile_data', %s, 'test', %s, 'E', 10, 3, 7, clock_timestamp())
"""
_DAY = """\
INSERT INTO synctasks.day (flow, day, captured)
VALUES (%s, (statement_timestamp() AT TIME ZONE 'UTC')::date - %s, %s)
"""


def test_drains_and_full_runs_count_for_the_failure_rate_and_what_waits_does_not(
    warehouse: Connection,
) -> None:
    add_record(warehouse, "GR-1")
    add_record(warehouse, "GR-2", gender="X")
    carry()
    entry = entry_of(PROFILE_DATA)
    assert (entry["records"], entry["rejected"]) == (2, 1)
    full_run(warehouse)
    entry = entry_of(PROFILE_DATA)
    assert (entry["records"], entry["rejected"]) == (4, 2)
    for minutes_ago, waiting in ((14, 5), (16, 0)):
        execute(warehouse, _HISTORY, ["ml_alerts", minutes_ago, 9, waiting, 4, 5 - waiting])
    [ml_alerts] = [flow for flow in FLOWS if flow.name == "ml_alerts"]
    entry = entry_of(ml_alerts)
    assert (entry["records"], entry["rejected"]) == (4, 4)


def installed(source: Connection, days_ago: int) -> None:
    """So long ago, and the ledger is closed up to now."""
    execute(
        source,
        """
        UPDATE synctasks.installation SET
            installed_at = clock_timestamp() - make_interval(days => %s),
            closed_through = clock_timestamp()
        """,
        [days_ago],
    )


def days(source: Connection, flow: Flow, captured: dict[int, int]) -> None:
    for ago, count in captured.items():
        execute(source, _DAY, [flow.name, ago, count])


def test_yesterday_is_compared_with_the_median_of_its_weekday(warehouse: Connection) -> None:
    installed(warehouse, 60)
    days(warehouse, PROFILE_DATA, dict(zip(WEEKS, (40, 100, 200, 300, 400), strict=True)))
    days(warehouse, PROFILE_DATA, {2: 9_999, 36: 9_999})
    assert entry_of(PROFILE_DATA)["captured"] == (40, 250.0)


def test_a_day_without_a_row_captured_nothing(warehouse: Connection) -> None:
    installed(warehouse, 60)
    days(warehouse, PROFILE_DATA, {8: 100, 15: 100, 22: 100})
    assert entry_of(PROFILE_DATA)["captured"] == (0, 100.0)


@pytest.mark.parametrize(("days_ago", "known"), [(9, None), (16, (0, 100.0))])
def test_what_is_usual_takes_two_such_weekdays_to_know(
    warehouse: Connection, days_ago: int, known: Any
) -> None:
    installed(warehouse, days_ago)
    days(warehouse, PROFILE_DATA, {8: 100, 15: 100})
    assert entry_of(PROFILE_DATA)["captured"] == known


def test_nothing_is_said_of_a_day_that_is_not_closed(warehouse: Connection) -> None:
    installed(warehouse, 60)
    days(warehouse, PROFILE_DATA, {8: 100, 15: 100})
    execute(
        warehouse,
        "UPDATE synctasks.installation SET closed_through = date_trunc('day', clock_timestamp(), "
        "'UTC') - interval '1 minute'",
    )
    assert entry_of(PROFILE_DATA)["captured"] is None


def test_nothing_is_said_while_changes_of_yesterday_rest_until_their_slot(
    citizen: Connection,
) -> None:
    installed(citizen, 16)
    days(citizen, FEEDBACK_ANALYTICS, {8: 100, 15: 100})
    execute(
        citizen,
        """
        INSERT INTO synctasks.change_log (flow, lane, key, operation, rests)
        VALUES ('feedback_analytics', 0, 'x', 'insert', true)
        """,
    )
    assert entry_of(FEEDBACK_ANALYTICS)["captured"] == (0, 100.0)
    let_pass(citizen, 86_400)
    assert entry_of(FEEDBACK_ANALYTICS)["captured"] is None


def test_a_change_counts_for_the_day_of_its_capture_though_it_is_taken_the_next(
    warehouse: Connection,
) -> None:
    add_record(warehouse, "GR-1")
    add_record(warehouse, "GR-2")
    let_pass(warehouse, 86_400)
    execute(warehouse, "UPDATE golden_records SET full_name = 'B' WHERE gr_id = 'GR-2'")
    carry()
    yesterday = "SELECT captured FROM synctasks.day WHERE flow = 'profile_data'"
    assert value(warehouse, yesterday) == 2
    today = "SELECT sum(captured), sum(taken) FROM synctasks.history WHERE flow = 'profile_data'"
    assert value(warehouse, today) == (1, 3)


def run(source: Connection, *states: str, kind: str = "full") -> None:
    for state in states:
        execute(source, _RUN, [kind, state])


@pytest.mark.parametrize(
    ("states", "state", "times"),
    [
        (["failed"], "failed", 1),
        (["failed", "guarded", "guarded"], "guarded", 2),
        (["guarded", "succeeded"], "succeeded", 1),
        (["stopped"] * 12, "stopped", 10),
    ],
)
def test_how_often_in_a_row_full_runs_have_come_to_the_same(
    warehouse: Connection, states: list[str], state: str, times: int
) -> None:
    run(warehouse, *states)
    run(warehouse, "requested")
    run(warehouse, "guarded", kind="slot")
    run(warehouse, "failed", kind="verify")
    ended = {"state": state, "error": "E", "in_scope": 7, "times": times}
    assert entry_of(PROFILE_DATA)["ended"] == ended


def test_the_last_slot_says_how_it_went(warehouse: Connection) -> None:
    installed(warehouse, 9)
    now = datetime.now(UTC)
    slots.take(PROFILE_DATA, Duty.SYNC, now - timedelta(days=1))
    slots.take(PROFILE_DATA, Duty.VERIFY, now)
    slots.take(PROFILE_DATA, Duty.SYNC, now)
    slot = entry_of(PROFILE_DATA)["slot"]
    due = PROFILE_DATA.duties[Duty.SYNC].latest(now)
    assert (slot["due_at"], slot["state"], slot["finished_at"]) == (due, "requested", None)


def test_books_that_do_not_add_up_are_found(warehouse: Connection) -> None:
    def unbalanced() -> int:
        return gather(Database.WAREHOUSE, FLOWS).unbalanced

    dropped = {
        "history_takes_all": ("history", "taken = units + coalesced"),
        "history_balances": ("history", _BALANCES),
        "run_balances": ("run", _BALANCES),
    }
    run(warehouse, "succeeded")
    execute(warehouse, _HISTORY, ["profile_data", 1, 9, 4, 4, 1])
    assert unbalanced() == 0
    for name, (table, _) in dropped.items():
        execute(warehouse, f"ALTER TABLE synctasks.{table} DROP CONSTRAINT {name}")
    try:
        execute(warehouse, _HISTORY, ["profile_data", 2, 9, 4, 4, 0])
        execute(warehouse, "UPDATE synctasks.run SET read = 11")
        assert unbalanced() == 2
        execute(warehouse, "UPDATE synctasks.history SET taken = 1 WHERE written = 1")
        assert unbalanced() == 3
        execute(warehouse, "UPDATE synctasks.history SET minute = minute - interval '6 hours'")
        assert unbalanced() == 1
    finally:
        execute(warehouse, "TRUNCATE synctasks.history, synctasks.run CASCADE")
        for name, (table, condition) in dropped.items():
            execute(
                warehouse,
                f"ALTER TABLE synctasks.{table} ADD CONSTRAINT {name} CHECK ({condition})",
            )


_BALANCES = """\
read = written + unchanged + filtered + deferred + rejected + waiting + superseded"""

_BACKLOG = """\
INSERT INTO synctasks.waiting (flow, lane, unit, record, needs, since)
SELECT 'profile_data', 0, unit, unit, '{n}', now() - make_interval(days => days)
FROM (VALUES ('a', 8), ('b', 9), ('c', NULL)) AS waits (unit, days);
INSERT INTO synctasks.held (flow, lane, key, captured_at) VALUES ('profile_data', 0, 'a', now());
INSERT INTO synctasks.breaker (flow, side, reason, climber, opened_at)
VALUES ('profile_data', 'target', 'gone', NULL, now() - interval '9 s'),
    ('profile_summary', 'target', 'slow', 1, now());
INSERT INTO synctasks.pause (flow, actor, since)
VALUES ('profile_data', 'x', now() - interval '25 h');
INSERT INTO synctasks.run (flow, kind, reason, state, done, found, finished_at)
VALUES ('profile_data', 'review', 'x', 'succeeded', 9, '{"stale": 8}', now()),
    ('profile_data', 'review', 'x', 'failed', 1, '{"stale": 1}', now())
"""


def test_what_has_not_arrived_and_for_how_long(warehouse: Connection) -> None:
    execute(warehouse, _BACKLOG)
    entry = entry_of(PROFILE_DATA)
    assert (entry["waiting"], entry["held"]) == (2, 1), "who climbs does not wait yet"
    assert entry["oldest_waiting_seconds"] == pytest.approx(9 * 86_400, abs=60)
    assert (entry["breaker"], round(entry["breaker_seconds"], -1)) == ("target: gone", 10)
    assert entry["paused_seconds"] == pytest.approx(25 * 3_600, abs=60)
    assert (entry["review"], entry["reviewed"]) == (8, 9)
    execute(warehouse, "UPDATE synctasks.pause SET resumed_at = now()")
    assert (entry_of(PROFILE_DATA)["paused"], entry_of(PROFILE_DATA)["paused_seconds"]) == (
        False,
        None,
    )
    slow = entry_of(PROFILE_SUMMARY)
    assert slow["breaker"] is None, "one lane climbs for all, which is not told"


_LETTERS = """\
INSERT INTO synctasks.dead_letter (flow, kind, unit, record, error, state, source_row)
SELECT 'profile_data', 'record', number, number, 'E', %s, decode(repeat('00', 1500), 'hex')
FROM generate_series(%s, %s) AS numbered (number)
"""


def test_open_letters_are_counted_exactly_among_however_many_that_are_closed(
    warehouse: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synctasks.monitoring.figures.counting._EXACT_PAGES", 10)
    monkeypatch.setattr("synctasks.monitoring.figures.counting._SAMPLED_PAGES", 1)
    execute(warehouse, _LETTERS, ["resolved", 1, 500])
    execute(warehouse, _LETTERS, ["open", 501, 507])
    entry = entry_of(PROFILE_DATA)
    assert (entry["dead_letters_open"], entry["estimated"]) == (7, [])
