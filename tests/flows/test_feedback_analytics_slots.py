"""Specification 2.5: feedback rests until its daily slot, and each slot takes what was captured."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from synctasks import slots
from synctasks.capture import change_log
from synctasks.capture.change_log import lane_count, pending_lanes, probe_lane
from synctasks.capture.triggers import CHANNEL, SLEEP_LOCK
from synctasks.database import transaction
from synctasks.engine.drain import drain
from synctasks.flow import Captured, Database, Duty
from synctasks.flows.to_warehouse.document_metadata import DOCUMENT_METADATA
from synctasks.flows.to_warehouse.feedback_analytics import FEEDBACK_ANALYTICS
from tests.conftest import connected
from tests.flows.citizens import given_citizen, given_record
from tests.flows.documents import given_document
from tests.flows.feedbacks import feedback_id, given_feedback, run, shown, slot_comes
from tests.flows.told import asked_for, status_of, verified
from tests.refreshing import versions
from tests.rows import Connection, execute, rows, value
from tests.syncing import by_events, by_full_run, pending
from tests.workspace import CITIZEN

WRITTEN = {"read": 1, "written": 1}
UNCHANGED = {"read": 1, "unchanged": 1}


@pytest.fixture(autouse=True)
def known(citizen: Connection, warehouse: Connection) -> None:
    """Asha, whom the warehouse knows."""
    given_citizen(citizen)
    given_record(warehouse)
    execute(citizen, "DELETE FROM synctasks.change_log")


def lanes_to_send_for() -> list[str]:
    """The flows whose lanes the listener would send for."""
    with transaction(Database.CITIZEN) as source:
        return [each.flow for each in pending_lanes(source)]


def test_it_is_due_once_a_day_and_asks_for_what_was_captured() -> None:
    schedule = FEEDBACK_ANALYTICS.schedule
    assert schedule is not None
    assert (str(schedule), schedule.asks_for) == ("daily 01:30", Captured())


def test_what_is_captured_rests_and_nobody_is_sent_for_it(
    citizen: Connection, warehouse: Connection
) -> None:
    given_feedback(citizen)
    assert pending(citizen, FEEDBACK_ANALYTICS) == [(feedback_id(), "captured")]
    assert lanes_to_send_for() == []
    with transaction(Database.CITIZEN) as source:
        assert probe_lane(source, FEEDBACK_ANALYTICS.name) is None
    for lane in range(lane_count(FEEDBACK_ANALYTICS)):
        assert not drain(FEEDBACK_ANALYTICS, lane), "nor does it help to come without being sent"
    assert by_events(citizen, FEEDBACK_ANALYTICS) == {}
    assert shown(warehouse) == {}
    said = status_of(FEEDBACK_ANALYTICS)
    assert (said["pending"], said["resting"], said["oldest_pending_seconds"]) == (0, 1, None)


def test_nobody_is_woken_for_it(databases: dict[str, str], citizen: Connection) -> None:
    with connected(databases[CITIZEN]) as listening:
        # Whoever holds this lock sleeps, and is woken if there is anything to see.
        execute(listening, "SELECT pg_advisory_lock(%s, %s)", SLEEP_LOCK)
        execute(listening, f"LISTEN {CHANNEL}")
        given_feedback(citizen)
        execute(listening, "SELECT")
        assert not listening.notifies
        given_document(citizen)
        execute(listening, "SELECT")
        assert listening.notifies, "as for what does not rest"


def test_its_slot_releases_it(citizen: Connection, warehouse: Connection) -> None:
    for number in range(1, 41):
        given_feedback(citizen, number)
    taken = slot_comes()
    assert run(citizen, taken) == {"state": "running", "planned": 40}
    assert set(lanes_to_send_for()) == {FEEDBACK_ANALYTICS.name}
    said = status_of(FEEDBACK_ANALYTICS)
    assert (said["pending"], said["resting"]) == (40, 0)
    assert by_events(citizen, FEEDBACK_ANALYTICS) == {"read": 40, "written": 40}
    assert run(citizen, taken) == {"state": "succeeded", "planned": 40, "read": 40, "written": 40}
    assert len(shown(warehouse)) == 40
    assert pending(citizen, FEEDBACK_ANALYTICS) == []
    last = status_of(FEEDBACK_ANALYTICS)["last_run"]
    assert (last["state"], last["read"], last["written"]) == ("succeeded", 40, 40)


def test_a_slot_without_feedback_succeeds_at_once(citizen: Connection) -> None:
    assert run(citizen, slot_comes()) == {"state": "succeeded"}


def test_a_row_that_commits_after_its_slot_arrives_with_the_next_one(
    databases: dict[str, str], citizen: Connection, warehouse: Connection
) -> None:
    """A transaction that stands open across the slot: no timestamp and no id would tell."""
    given_feedback(citizen, 1)
    with connected(databases[CITIZEN]) as late:
        execute(late, "BEGIN")
        given_feedback(late, 2)
        given_feedback(citizen, 3)
        assert run(citizen, slot_comes(1)) == {"state": "running", "planned": 2}
        assert by_events(citizen, FEEDBACK_ANALYTICS) == {"read": 2, "written": 2}
        execute(late, "COMMIT")
    assert by_events(citizen, FEEDBACK_ANALYTICS) == {}
    assert set(shown(warehouse)) == {feedback_id(1), feedback_id(3)}
    assert run(citizen, slot_comes(2)) == {"state": "running", "planned": 1}
    assert by_events(citizen, FEEDBACK_ANALYTICS) == WRITTEN
    assert set(shown(warehouse)) == {feedback_id(1), feedback_id(2), feedback_id(3)}


def test_who_comes_after_the_slot_rests_until_the_next_one(
    citizen: Connection, warehouse: Connection
) -> None:
    given_feedback(citizen, 1)
    slot_comes(1)
    given_feedback(citizen, 2)
    assert by_events(citizen, FEEDBACK_ANALYTICS) == WRITTEN
    assert set(shown(warehouse)) == {feedback_id(1)}
    slot_comes(2)
    assert by_events(citizen, FEEDBACK_ANALYTICS) == WRITTEN


def test_a_key_that_somebody_asks_for_comes_at_once_and_the_slot_finds_it_done(
    citizen: Connection, warehouse: Connection
) -> None:
    given_feedback(citizen, 1)
    given_feedback(citizen, 2)
    change_log.request(FEEDBACK_ANALYTICS, [feedback_id(1)], origin="key")
    assert lanes_to_send_for() == [FEEDBACK_ANALYTICS.name]
    assert by_events(citizen, FEEDBACK_ANALYTICS) == WRITTEN
    assert set(shown(warehouse)) == {feedback_id(1)}
    before = versions(warehouse, "feedback_analytics", "feedback_id")
    slot_comes()
    both = {"read": 2, "written": 1, "unchanged": 1}
    assert by_events(citizen, FEEDBACK_ANALYTICS) == both
    after = versions(warehouse, "feedback_analytics", "feedback_id")
    assert after[feedback_id(1)] == before[feedback_id(1)]


def test_a_full_run_by_hand_brings_what_rests_and_the_slot_finds_it_done(
    citizen: Connection, warehouse: Connection
) -> None:
    given_feedback(citizen)
    kept = rows(citizen, "SELECT flow, lane, key FROM synctasks.change_log")
    # This sync forgets the change first: it is put back, as it rested.
    assert by_full_run(citizen, FEEDBACK_ANALYTICS) == WRITTEN
    before = versions(warehouse, "feedback_analytics", "feedback_id")
    again = (
        "INSERT INTO synctasks.change_log (flow, lane, key, operation, rests)"
        " VALUES (%s, %s, %s, 'insert', true)"
    )
    execute(citizen, again, kept[0])
    assert run(citizen, slot_comes()) == {"state": "running", "planned": 1}
    assert by_events(citizen, FEEDBACK_ANALYTICS) == UNCHANGED
    assert versions(warehouse, "feedback_analytics", "feedback_id") == before


def test_the_time_until_the_slot_is_no_latency(citizen: Connection, warehouse: Connection) -> None:
    given_feedback(citizen)
    given_document(citizen)
    execute(
        citizen,
        "UPDATE synctasks.change_log SET captured_at = captured_at - interval '20 hours'",
    )
    slot_comes()
    assert by_events(citizen, FEEDBACK_ANALYTICS) == WRITTEN
    assert by_events(citizen, DOCUMENT_METADATA) == WRITTEN
    nothing = {"p50": None, "p95": None, "p99": None}
    assert status_of(FEEDBACK_ANALYTICS)["latency_seconds"] == nothing
    assert status_of(DOCUMENT_METADATA)["latency_seconds"] != nothing, "as of what does not rest"


def test_a_slot_is_taken_once_however_many_ask(citizen: Connection, warehouse: Connection) -> None:
    given_feedback(citizen)
    moment = datetime.now(UTC) + timedelta(days=1)
    with ThreadPoolExecutor(4) as beats:
        answers = list(
            beats.map(lambda _: slots.take(FEEDBACK_ANALYTICS, Duty.SYNC, moment), range(8))
        )
    assert len([each for each in answers if each is not None]) == 1
    assert slot_comes() is None
    assert value(citizen, "SELECT count(*) FROM synctasks.run") == 1
    assert by_events(citizen, FEEDBACK_ANALYTICS) == WRITTEN
    assert slot_comes() is None
    assert by_events(citizen, FEEDBACK_ANALYTICS) == {}
    assert len(shown(warehouse)) == 1


def test_a_missed_slot_is_made_up_by_the_next_which_takes_all_there_is(
    citizen: Connection, warehouse: Connection
) -> None:
    given_feedback(citizen, 1)
    given_feedback(citizen, 2)
    assert run(citizen, slot_comes(5)) == {"state": "running", "planned": 2}
    assert by_events(citizen, FEEDBACK_ANALYTICS) == {"read": 2, "written": 2}


def test_verify_says_that_what_rests_is_on_its_way(citizen: Connection) -> None:
    given_feedback(citizen, 1)
    given_feedback(citizen, 2)
    assert verified(FEEDBACK_ANALYTICS) == {"in_flight": 2}
    assert asked_for(citizen, FEEDBACK_ANALYTICS, feedback_id(1)) == WRITTEN
    assert verified(FEEDBACK_ANALYTICS) == {"matched": 1, "in_flight": 1}
    slot_comes()
    by_events(citizen, FEEDBACK_ANALYTICS)
    assert verified(FEEDBACK_ANALYTICS) == {"matched": 2}
