"""Which changes count for latency: captured ones that nothing but us has held back."""

from __future__ import annotations

from typing import Any

import pytest

from synctasks.capture import change_log
from synctasks.engine import drain
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from tests.refreshing import carry
from tests.rows import Connection, add_record, execute, rows
from tests.watching import entry_of, let_pass, tick

BOUND = 10.0


@pytest.fixture(autouse=True)
def _untracked(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a server that does not track its commits; ours does, which no session can change."""
    asked = "current_setting('track_commit_timestamp')::boolean"
    assert asked in drain._FORGET
    monkeypatch.setattr(drain, "_FORGET", drain._FORGET.replace(asked, "false"))


def counted() -> tuple[int, int]:
    """Of the changes that were drained lately: how many, and how many of them late."""
    entry = entry_of(PROFILE_DATA)
    return entry["changes"], entry["late"]


def test_where_commits_are_tracked_latency_begins_there(
    warehouse: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    add_record(warehouse, "GR-1")
    let_pass(warehouse, 600)
    carry()
    assert counted() == (1, 0)


def change(source: Connection, what: str) -> None:
    execute(source, f"UPDATE synctasks.change_log SET {what} WHERE flow = 'profile_data'")


def resume(source: Connection, seconds_ago: float) -> None:
    execute(
        source,
        """
        INSERT INTO synctasks.pause (flow, actor, resumed_at)
        VALUES ('profile_data', 'x', clock_timestamp() - make_interval(secs => %s))
        """,
        [seconds_ago],
    )


@pytest.mark.parametrize(("seconds", "late"), [(0, 0), (9.0, 0), (10.5, 1)])
def test_a_captured_change_is_late_after_ten_seconds(
    warehouse: Connection, seconds: float, late: int
) -> None:
    add_record(warehouse, "GR-1")
    let_pass(warehouse, seconds)
    carry()
    assert counted() == (1, late)
    assert entry_of(PROFILE_DATA)["latency_seconds"]["p50"] == pytest.approx(
        seconds, rel=0.2, abs=1
    )


@pytest.mark.parametrize(
    "what",
    ["origin = 'replay'", "not_before = clock_timestamp()", "removal_accepted = true"],
    ids=["replayed", "waited", "held and accepted"],
)
def test_what_was_held_back_by_others_than_us_does_not_count(
    warehouse: Connection, what: str
) -> None:
    add_record(warehouse, "GR-1")
    let_pass(warehouse, 60)
    change(warehouse, what)
    carry()
    assert counted() == (0, 0)


def test_what_somebody_asks_for_does_not_count(warehouse: Connection) -> None:
    add_record(warehouse, "GR-1")
    execute(warehouse, "DELETE FROM synctasks.change_log")
    change_log.request(PROFILE_DATA, ["GR-1"], "key")
    let_pass(warehouse, 60)
    assert entry_of(PROFILE_DATA)["late_seconds"] is None
    carry()
    assert counted() == (0, 0)


def test_what_was_captured_before_the_resume_does_not_count_and_what_came_after_does(
    warehouse: Connection,
) -> None:
    add_record(warehouse, "GR-1")
    let_pass(warehouse, 60)
    resume(warehouse, 30)
    carry()
    assert counted() == (0, 0)
    add_record(warehouse, "GR-2")
    let_pass(warehouse, 20)
    carry()
    assert counted() == (1, 1)


@pytest.mark.parametrize("long", [True, False])
def test_a_long_transaction_is_not_our_delay(warehouse: Connection, long: bool) -> None:
    execute(warehouse, "BEGIN")
    add_record(warehouse, "GR-1")
    if not long:
        execute(warehouse, "COMMIT")
    # More than a second after the capture the listener looks: is it there?
    execute(warehouse, "UPDATE synctasks.change_log SET captured_at = captured_at - interval '2 s'")
    tick()
    if long:
        execute(warehouse, "COMMIT")
    let_pass(warehouse, 60)
    carry()
    assert counted() == ((0, 0) if long else (1, 1))


def pending(source: Connection, seen_ago: float = 11, older_by: float = 20) -> None:
    """A change that the listener saw so many seconds ago, captured some seconds before that."""
    add_record(source, "GR-1")
    let_pass(source, older_by)
    tick()
    let_pass(source, seen_ago)


def test_a_change_that_stays_pending_is_late_though_it_never_arrives(warehouse: Connection) -> None:
    pending(warehouse)
    assert entry_of(PROFILE_DATA)["late_seconds"] == pytest.approx(31, abs=5)


LANE = "UPDATE synctasks.lane SET retry_at = clock_timestamp() + interval '{}'"


@pytest.mark.parametrize(
    ("what", "is_late"),
    [
        ("UPDATE synctasks.change_log SET not_before = clock_timestamp()", False),
        ("UPDATE synctasks.change_log SET rests = true", False),
        ("UPDATE synctasks.change_log SET origin = 'woken'", False),
        ("DELETE FROM synctasks.tick", False),
        (LANE.format("5 s"), False),
        (LANE.format("-1 s"), True),
    ],
    ids=["waits", "rests", "woken", "nobody looked", "lane climbs", "retry overdue"],
)
def test_what_is_pending_for_a_reason_is_not_late(
    warehouse: Connection, what: str, is_late: bool
) -> None:
    pending(warehouse)
    execute(warehouse, what)
    assert (entry_of(PROFILE_DATA).get("late_seconds") is not None) is is_late


def test_what_the_listener_has_seen_for_less_than_ten_seconds_is_not_late(
    warehouse: Connection,
) -> None:
    pending(warehouse, seen_ago=8, older_by=600)
    assert entry_of(PROFILE_DATA)["late_seconds"] is None


def test_a_transaction_that_is_just_committed_is_not_late_however_old(
    warehouse: Connection,
) -> None:
    execute(warehouse, "BEGIN")
    pending(warehouse)
    execute(warehouse, "COMMIT")
    assert entry_of(PROFILE_DATA)["late_seconds"] is None
    assert entry_of(PROFILE_DATA)["oldest_pending_seconds"] > BOUND


def test_pending_from_before_the_resume_is_not_late(warehouse: Connection) -> None:
    pending(warehouse)
    resume(warehouse, 5)
    assert entry_of(PROFILE_DATA)["late_seconds"] is None


def test_ticks_are_kept_for_minutes(warehouse: Connection) -> None:
    tick()
    let_pass(warehouse, 299)
    tick()
    let_pass(warehouse, 2)
    tick()
    ages: list[Any] = rows(
        warehouse, "SELECT round(extract(epoch FROM clock_timestamp() - at)) FROM synctasks.tick"
    )
    assert sorted(int(age) for age in ages) == [0, 2]
