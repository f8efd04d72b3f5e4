"""Slots: a time at which a flow was due is run once, late if need be, and never twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis import Redis

from synctasks import slots
from synctasks.embedded.waiting import wait_until
from synctasks.engine import refresh
from synctasks.flow import Database, Flow
from synctasks.flows import FLOWS
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from tests.programs import running
from tests.refreshing import add_records, finish, run_of, step, unseen
from tests.rows import Connection, execute, rows, value

SCHEDULED = [flow for flow in FLOWS if flow.schedule]
_SLOTS = "SELECT flow, due_at, run FROM synctasks.slot ORDER BY flow, due_at"
_RUNS = "SELECT flow, reason FROM synctasks.run WHERE flow = ANY (%s)"


def installed_ago(warehouse: Connection, **ago: float) -> None:
    """As if the installation were so old."""
    execute(
        warehouse,
        "UPDATE synctasks.installation SET installed_at = %s",
        [datetime.now(UTC) - timedelta(**ago)],
    )


def latest(flow: Flow, now: datetime | None = None) -> datetime:
    """The flow's newest slot."""
    assert flow.schedule is not None
    return flow.schedule.latest(now or datetime.now(UTC))


def taken(flow: Flow, now: datetime) -> int | None:
    """The run of the flow's newest slot, or None if somebody has taken it."""
    slot = slots.take(flow, now)
    return None if slot is None else slot.run


def reason(due_at: datetime) -> str:
    return f"scheduled for {due_at:%Y-%m-%d %H:%M} UTC"


def test_a_slot_that_beat_missed_is_made_up_by_the_listener_once_and_only_the_newest(
    warehouse: Connection, citizen: Connection, broker: Redis, tmp_path: Path
) -> None:
    before = [latest(flow) for flow in SCHEDULED]
    for side in (warehouse, citizen):
        installed_ago(side, days=3)

    def found() -> list[tuple[str, datetime, int]]:
        return sorted(rows(warehouse, _SLOTS) + rows(citizen, _SLOTS))

    for _ in range(2):
        with running("synctasks", "listen", log=tmp_path / "log"):
            wait_until(lambda: len(found()) >= len(SCHEDULED), 15, "the slots")
            wait_until(lambda: broker.llen("batch") > 0, 15, "the message for a run")
        broker.flushdb()
    names = [flow.name for flow in SCHEDULED]
    assert [flow for flow, *_ in found()] == sorted(names)
    due = {flow.name: {slot, latest(flow)} for flow, slot in zip(SCHEDULED, before, strict=True)}
    assert all(due_at in due[flow] for flow, due_at, _ in found()), "not the ones before"
    asked = sorted(rows(warehouse, _RUNS, [names]) + rows(citizen, _RUNS, [names]))
    assert asked == [(flow, reason(due_at)) for flow, due_at, _ in found()]


def test_what_was_due_before_the_installation_was_nobodys_to_run(warehouse: Connection) -> None:
    now = datetime.now(UTC)
    slot = latest(PROFILE_DATA, now)
    execute(warehouse, "UPDATE synctasks.installation SET installed_at = %s", [slot])
    assert taken(PROFILE_DATA, now) is None
    execute(
        warehouse,
        "UPDATE synctasks.installation SET installed_at = %s",
        [slot - timedelta(microseconds=1)],
    )
    assert taken(PROFILE_DATA, now) is not None


def test_whoever_comes_second_finds_the_slot_taken(warehouse: Connection) -> None:
    installed_ago(warehouse, days=2)
    now = datetime.now(UTC)
    run = taken(PROFILE_DATA, now)
    assert run is not None
    assert taken(PROFILE_DATA, now) is None
    assert rows(warehouse, _SLOTS) == [(PROFILE_DATA.name, latest(PROFILE_DATA, now), run)]
    assert taken(PROFILE_DATA, now + timedelta(days=1)) is not None, "the next day's is free"


@pytest.mark.parametrize("flow", SCHEDULED, ids=lambda flow: flow.name)
def test_a_slot_is_due_to_the_second(
    warehouse: Connection, citizen: Connection, flow: Flow
) -> None:
    source = {Database.WAREHOUSE: warehouse, Database.CITIZEN: citizen}[flow.source.database]
    installed_ago(source, days=9)
    slot = latest(flow)
    early = taken(flow, slot - timedelta(microseconds=1))
    assert early is not None
    assert flow.schedule is not None
    period = timedelta(days=1) if flow.schedule.hour is not None else timedelta(hours=1)
    assert run_of(source, early)["reason"] == reason(slot - period)
    due = taken(flow, slot)
    assert due is not None
    assert run_of(source, due)["reason"] == reason(slot)


def test_a_slot_that_falls_due_during_a_run_has_a_run_of_its_own_after_it(
    warehouse: Connection,
) -> None:
    """What the one under way has read already may have changed since."""
    with unseen(warehouse):
        add_records(warehouse, 1, 50)
    installed_ago(warehouse, days=2)
    under_way = refresh.request(PROFILE_DATA, "test")
    assert step()
    scheduled = taken(PROFILE_DATA, datetime.now(UTC))
    assert scheduled not in (None, under_way)
    assert run_of(warehouse, scheduled)["state"] == "requested"
    finish()
    first, second = (run_of(warehouse, run) for run in (under_way, scheduled))
    assert (first["state"], second["state"]) == ("succeeded", "succeeded")
    assert (first["read"], second["read"]) == (50, 50)
    assert first["finished_at"] <= second["started_at"], "never two of a flow at once"


def test_a_slot_whose_request_another_one_answers_names_that_run(warehouse: Connection) -> None:
    installed_ago(warehouse, days=2)
    assert taken(PROFILE_DATA, datetime.now(UTC))
    answer = refresh.request(PROFILE_DATA, "by hand")
    finish()
    assert rows(warehouse, "SELECT run FROM synctasks.slot") == [answer]
    assert rows(warehouse, "SELECT id FROM synctasks.run") == [answer]
    assert value(warehouse, "SELECT state FROM synctasks.run") == "succeeded"
