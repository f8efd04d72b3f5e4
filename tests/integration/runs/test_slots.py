"""Slots: a time at which something was due is taken once, late if need be, and never twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis import Redis

from synctasks import slots
from synctasks.embedded.waiting import wait_until
from synctasks.engine import refresh
from synctasks.flow import Aged, Captured, Database, Duty, Flow
from synctasks.flows import FLOWS
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.flows.to_citizen.profile_summary import PROFILE_SUMMARY
from tests.programs import running
from tests.refreshing import add_records, finish, run_of, step, unseen
from tests.rows import Connection, execute, rows, value

DUE = [(flow, duty) for flow in FLOWS for duty in flow.duties]
HERE = sorted(
    ((flow, duty) for flow, duty in DUE if flow.source.database is Database.WAREHOUSE),
    key=lambda due: (due[0].name, due[1]),
)
KINDS = {Duty.VERIFY: "verify", Duty.REVIEW: "review"}
_SLOTS = "SELECT flow, duty, due_at, run FROM synctasks.slot ORDER BY flow, duty, due_at"

every_duty = pytest.mark.parametrize(
    ("flow", "duty"), DUE, ids=[f"{flow.name} {duty}" for flow, duty in DUE]
)


def installed_ago(source: Connection, **ago: float) -> None:
    """As if the installation were so old."""
    execute(
        source,
        "UPDATE synctasks.installation SET installed_at = %s",
        [datetime.now(UTC) - timedelta(**ago)],
    )


@pytest.fixture
def source(flow: Flow, warehouse: Connection, citizen: Connection) -> Connection:
    """The database where the flow's slots are; installed nine days ago."""
    found = warehouse if flow.source.database is Database.WAREHOUSE else citizen
    installed_ago(found, days=9)
    return found


def latest(flow: Flow, duty: Duty = Duty.SYNC, now: datetime | None = None) -> datetime:
    """The newest slot of a flow's duty."""
    return flow.duties[duty].latest(now or datetime.now(UTC))


def take(flow: Flow, now: datetime, duty: Duty = Duty.SYNC) -> int | None:
    """Take the slot; its run."""
    slot = slots.take(flow, duty, now)
    return slot.run if slot else None


def reason(due_at: datetime) -> str:
    return f"scheduled for {due_at:%Y-%m-%d %H:%M} UTC"


def test_a_slot_that_beat_missed_is_made_up_by_the_listener_once_and_only_the_newest(
    warehouse: Connection, broker: Redis, tmp_path: Path
) -> None:
    before = [latest(*due) for due in HERE]
    installed_ago(warehouse, days=3)
    for _ in range(2):
        with running("synctasks", "listen", log=tmp_path / "log"):
            wait_until(lambda: len(rows(warehouse, _SLOTS)) >= len(HERE), 15, "the slots")
            wait_until(lambda: broker.llen("batch") > 0, 15, "the message for a run")
        broker.flushdb()
    found = rows(warehouse, _SLOTS)
    assert [(flow, duty) for flow, duty, *_ in found] == [(flow.name, duty) for flow, duty in HERE]
    for due, slot, (_, _, due_at, run) in zip(HERE, before, found, strict=True):
        assert due_at in (slot, latest(*due)), "not the ones before"
        assert run_of(warehouse, run)["reason"] == reason(due_at)


def test_what_was_due_before_the_installation_was_nobodys_to_run(warehouse: Connection) -> None:
    now = datetime.now(UTC)
    slot = latest(PROFILE_DATA, now=now)
    execute(warehouse, "UPDATE synctasks.installation SET installed_at = %s", [slot])
    assert take(PROFILE_DATA, now) is None
    execute(
        warehouse,
        "UPDATE synctasks.installation SET installed_at = %s",
        [slot - timedelta(microseconds=1)],
    )
    assert take(PROFILE_DATA, now) is not None


@every_duty
def test_whoever_comes_second_finds_the_slot_taken(
    source: Connection, flow: Flow, duty: Duty
) -> None:
    now = datetime.now(UTC)
    taken = slots.take(flow, duty, now)
    assert taken is not None
    assert taken.duty is duty
    assert slots.take(flow, duty, now) is None
    assert rows(source, _SLOTS) == [(flow.name, duty, latest(flow, duty, now), taken.run)]
    assert slots.take(flow, duty, now + timedelta(days=1)) is not None, "the next day's is free"


@every_duty
def test_a_slot_is_due_to_the_second(source: Connection, flow: Flow, duty: Duty) -> None:
    slot = latest(flow, duty)
    early = take(flow, slot - timedelta(microseconds=1), duty)
    before = latest(flow, duty, slot - timedelta(microseconds=1))
    assert before < slot
    assert run_of(source, early)["reason"] == reason(before)
    if duty in KINDS:
        execute(source, "UPDATE synctasks.run SET state = 'succeeded', finished_at = now()")
    due = take(flow, slot, duty)
    assert run_of(source, due)["reason"] == reason(slot)


@every_duty
def test_what_is_due_decides_how_it_is_worked(source: Connection, flow: Flow, duty: Duty) -> None:
    slot = slots.take(flow, duty, datetime.now(UTC))
    assert slot is not None
    asks_for = flow.duties[duty].asks_for
    by_drains = isinstance(asks_for, Captured | Aged)
    kind = KINDS.get(duty, "slot" if by_drains else "full")
    assert run_of(source, slot.run)["kind"] == kind
    assert slot.in_chunks == (kind == "full")


def test_a_flows_duties_do_not_take_each_others_slots(warehouse: Connection) -> None:
    """Even where two of them are due at the same time."""
    installed_ago(warehouse, days=4)
    at_two = datetime.now(UTC).replace(hour=2, minute=0, second=0, microsecond=0)
    at_two -= timedelta(days=1)
    hourly, nightly = (latest(PROFILE_SUMMARY, duty, at_two) for duty in (Duty.SYNC, Duty.VERIFY))
    assert hourly == nightly == at_two
    runs = [take(PROFILE_SUMMARY, at_two, duty) for duty in PROFILE_SUMMARY.duties]
    assert len(set(runs) - {None}) == 3


def test_a_round_that_is_still_under_way_is_no_second_time_begun(warehouse: Connection) -> None:
    installed_ago(warehouse, days=2)
    now = datetime.now(UTC)
    first = take(PROFILE_DATA, now, Duty.VERIFY)
    assert take(PROFILE_DATA, now + timedelta(days=1), Duty.VERIFY) == first
    assert [slot[3] for slot in rows(warehouse, _SLOTS)] == [first, first]


def test_a_slot_that_falls_due_during_a_run_has_a_run_of_its_own_after_it(
    warehouse: Connection,
) -> None:
    """What the one under way has read already may have changed since."""
    with unseen(warehouse):
        add_records(warehouse, 1, 50)
    installed_ago(warehouse, days=2)
    under_way = refresh.request(PROFILE_DATA, "test")
    assert step()
    scheduled = take(PROFILE_DATA, datetime.now(UTC))
    assert scheduled not in (None, under_way)
    assert run_of(warehouse, scheduled)["state"] == "requested"
    finish()
    first, second = (run_of(warehouse, run) for run in (under_way, scheduled))
    assert (first["state"], second["state"]) == ("succeeded", "succeeded")
    assert (first["read"], second["read"]) == (50, 50)
    assert first["finished_at"] <= second["started_at"], "never two of a flow at once"


def test_a_slot_whose_request_another_one_answers_names_that_run(warehouse: Connection) -> None:
    installed_ago(warehouse, days=2)
    assert take(PROFILE_DATA, datetime.now(UTC))
    answer = refresh.request(PROFILE_DATA, "by hand")
    finish()
    assert rows(warehouse, "SELECT run FROM synctasks.slot") == [answer]
    assert rows(warehouse, "SELECT id FROM synctasks.run") == [answer]
    assert value(warehouse, "SELECT state FROM synctasks.run") == "succeeded"
