"""Schedules: beat only knocks; a slot is run once, whoever dies or knocks twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from synctasks.embedded.waiting import wait_until
from tests.acceptance.system import System
from tests.logs import events
from tests.rows import add_record

_SLOTS = """
SELECT due_at
FROM synctasks.slot
WHERE flow = 'profile_data' AND duty = 'sync'
ORDER BY due_at
"""
_RUNS = """
SELECT reason
FROM synctasks.run
WHERE flow = 'profile_data' AND kind = 'full' AND reason LIKE 'scheduled%'
ORDER BY reason
"""

# Eight that ask at once, twice for one day and once for the next.
_RIVALS = """\
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from synctasks import slots
from synctasks.flow import Duty
from synctasks.flows import by_name
from synctasks.monitoring import logs

def race(now):
    start = Barrier(8)
    def ask(_):
        start.wait(10)
        return slots.take(by_name("profile_data"), Duty.SYNC, now)
    with ThreadPoolExecutor(8) as threads:
        return [slot.run for slot in threads.map(ask, range(8)) if slot]

logs.for_commands()
days = [datetime(2031, 3, day, 12, tzinfo=UTC) for day in (1, 1, 2)]
print(json.dumps([len(race(day)) for day in days]))
"""

_DUE = """\
import json
from datetime import UTC, datetime, timedelta
from synctasks.app import app

entry = app.conf.beat_schedule["profile_data"]
last = datetime(2031, 3, 1, 0, 30, tzinfo=UTC)
def is_due(after):
    entry["schedule"].nowfun = lambda: last + after
    return entry["schedule"].is_due(last).is_due
moments = [timedelta(hours=23, minutes=59, seconds=59), timedelta(days=1), timedelta(days=3)]
print(json.dumps([entry["task"], entry["kwargs"], [is_due(each) for each in moments]]))
"""


@pytest.fixture
def long_installed(system: System) -> Iterator[None]:
    """We were there when the latest slots were due, but nobody took them."""
    installed = "UPDATE synctasks.installation SET installed_at = {} RETURNING 1"
    system.at_warehouse(installed.format("'2020-01-01'"))
    yield
    system.at_warehouse(installed.format("clock_timestamp()"))


@pytest.mark.usefixtures("long_installed")
def test_a_slot_is_run_once_though_two_beats_knock_and_one_is_killed(system: System) -> None:
    with system.warehouse() as warehouse:
        add_record(warehouse, "GR-1")
    before = _latest_slot()
    beats = ("impatient beat", "second impatient beat")
    system.start(*beats)
    for _ in range(2):
        _await_knocks(system, 4)
        system.kill("impatient beat")
        system.start("impatient beat")
    _await_knocks(system, 4)
    system.kill(*beats)
    system.quiesce()
    slots = system.at_warehouse(_SLOTS)
    assert slots == sorted({before, _latest_slot()}), "two only where 00:30 has just passed"
    assert system.at_warehouse(_RUNS) == [
        f"scheduled for {slot.astimezone(UTC):%Y-%m-%d %H:%M} UTC" for slot in slots
    ]


def test_a_slot_has_one_taker_however_many_ask_at_once(system: System) -> None:
    outcome = system.run("python", "-c", _RIVALS)
    assert outcome.returncode == 0, outcome.stderr
    assert json.loads(outcome.stdout) == [1, 0, 1]
    assert len(system.at_warehouse(_SLOTS)) == 2
    system.quiesce()


def test_beat_knocks_at_half_past_midnight_utc_whatever_the_machines_zone(system: System) -> None:
    system.ways["TZ"] = "Asia/Kolkata"
    try:
        outcome = system.run("python", "-c", _DUE)
    finally:
        del system.ways["TZ"]
    assert outcome.returncode == 0, outcome.stderr
    knock = ["control.knock", {"flow": "profile_data"}]
    assert json.loads(outcome.stdout) == [*knock, [False, True, True]]


def _latest_slot() -> datetime:
    """00:30 UTC, today's or yesterday's."""
    now = datetime.now(UTC)
    today = now.replace(hour=0, minute=30, second=0, microsecond=0)
    return today if today <= now else today - timedelta(days=1)


def _await_knocks(system: System, count: int) -> None:
    """Wait until the worker has answered that many more knocks."""

    def answered() -> int:
        words = system.worker.words()
        return sum(len(events(words, event)) for event in ("slot.taken", "slot.taken_already"))

    until = answered() + count
    wait_until(lambda: answered() >= until, 15, f"{count} knocks")
