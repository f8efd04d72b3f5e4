"""Specification 2.5: given feedback of citizens, when its slot has come, then the warehouse knows.

Here what becomes of it; when it comes is told in test_feedback_analytics_slots.py.
"""

from __future__ import annotations

from typing import Any

import pytest

from synctasks.flow import Flow
from synctasks.flows.to_warehouse.feedback_analytics import FEEDBACK_ANALYTICS
from synctasks.flows.to_warehouse.golden_records import GOLDEN_RECORDS
from tests.flows.citizens import ASHA, NUMBERS, change, given_citizen, given_record, made
from tests.flows.feedbacks import SHOWN, feedback_id, given_feedback, shown, slot_comes
from tests.flows.told import asked_for, letters_of, verified, waits
from tests.refreshing import versions
from tests.rows import Connection, execute
from tests.syncing import by_events, by_full_run, pending
from tests.waiting import due_now

WRITTEN = {"read": 1, "written": 1}
WAITING = {"read": 1, "waiting": 1}


def by_slot(source: Connection, flow: Flow) -> dict[str, int]:
    """The slot comes, and what it releases is worked off."""
    assert slot_comes() is not None
    return by_events(source, flow)


either_way = pytest.mark.parametrize("sync", [by_slot, by_full_run], ids=["slot", "full run"])


@pytest.fixture
def known(citizen: Connection, warehouse: Connection) -> None:
    """Asha, whom the warehouse knows."""
    given_citizen(citizen)
    given_record(warehouse)


def row_versions(warehouse: Connection) -> dict[str, str]:
    return versions(warehouse, "feedback_analytics", "feedback_id")


@either_way
def test_feedback_is_known_to_the_warehouse_with_its_citizens_record_and_the_schemes_code(
    citizen: Connection, warehouse: Connection, known: None, sync: Any
) -> None:
    given_feedback(citizen)
    optional = ("rating", "comment", "scheme_id")
    given_feedback(citizen, 2, **dict.fromkeys(optional))
    given_feedback(citizen, 3, comment="")
    assert sync(citizen, FEEDBACK_ANALYTICS) == {"read": 3, "written": 3}
    expected = {"citizen_id": "GR-1", **SHOWN}
    bare = {"rating": None, "comment": None, "scheme_code": None}
    assert shown(warehouse) == {
        feedback_id(1): expected,
        feedback_id(2): {**expected, **bare},
        feedback_id(3): {**expected, "comment": ""},
    }


def test_only_new_feedback_is_an_event(citizen: Connection, known: None) -> None:
    given_feedback(citizen)
    assert pending(citizen, FEEDBACK_ANALYTICS) == [(feedback_id(), "captured")]
    execute(citizen, "UPDATE feedback SET rating = 1, comment = 'x', scheme_id = NULL")
    execute(citizen, "DELETE FROM feedback")
    assert pending(citizen, FEEDBACK_ANALYTICS) == [(feedback_id(), "captured")]


@either_way
def test_what_arrives_is_what_it_says_by_then(
    citizen: Connection, warehouse: Connection, known: None, sync: Any
) -> None:
    given_feedback(citizen)
    given_feedback(citizen, 2)
    execute(citizen, "UPDATE feedback SET rating = 1 WHERE id = %s", [feedback_id(1)])
    execute(citizen, "DELETE FROM feedback WHERE id = %s", [feedback_id(2)])
    assert sync(citizen, FEEDBACK_ANALYTICS) == WRITTEN
    assert shown(warehouse) == {feedback_id(): {"citizen_id": "GR-1", **SHOWN, "rating": 1}}


def test_what_was_known_stays_known_when_the_portal_deletes_it(
    citizen: Connection, warehouse: Connection, known: None
) -> None:
    given_feedback(citizen)
    given_feedback(citizen, 2)
    by_slot(citizen, FEEDBACK_ANALYTICS)
    before = row_versions(warehouse)
    execute(citizen, "DELETE FROM feedback WHERE id = %s", [feedback_id()])
    assert by_full_run(citizen, FEEDBACK_ANALYTICS) == {"read": 1, "unchanged": 1}
    assert asked_for(citizen, FEEDBACK_ANALYTICS, feedback_id()) == {}
    assert row_versions(warehouse) == before
    assert verified(FEEDBACK_ANALYTICS) == {"matched": 1}


def test_a_repeat_and_a_full_run_after_the_slot_write_nothing(
    citizen: Connection, warehouse: Connection, known: None
) -> None:
    given_feedback(citizen)
    given_feedback(citizen, 2, scheme_id=None)
    by_slot(citizen, FEEDBACK_ANALYTICS)
    before = row_versions(warehouse)
    unchanged = {"read": 2, "unchanged": 2}
    keys = (feedback_id(), feedback_id(2))
    assert asked_for(citizen, FEEDBACK_ANALYTICS, *keys) == unchanged
    assert by_full_run(citizen, FEEDBACK_ANALYTICS) == unchanged
    assert row_versions(warehouse) == before


@pytest.mark.parametrize(
    "changes",
    [{"rating": 1}, {"comment": None}, {"feedback_type": "complaint"}, {"scheme_id": None}],
    ids=str,
)
def test_a_full_run_by_hand_brings_what_was_changed_later(
    citizen: Connection, warehouse: Connection, known: None, changes: dict[str, Any]
) -> None:
    given_feedback(citizen)
    by_slot(citizen, FEEDBACK_ANALYTICS)
    [(column, chosen)] = changes.items()
    execute(citizen, f"UPDATE feedback SET {column} = %s", [chosen])
    assert verified(FEEDBACK_ANALYTICS) == {"different": 1}
    assert by_full_run(citizen, FEEDBACK_ANALYTICS) == WRITTEN
    seen = {"scheme_code": None} if column == "scheme_id" else changes
    assert shown(warehouse) == {feedback_id(): {"citizen_id": "GR-1", **SHOWN, **seen}}


def test_feedback_of_somebody_whom_the_warehouse_does_not_know_waits_for_them(
    citizen: Connection, warehouse: Connection
) -> None:
    given_citizen(citizen, verification_status="pending")
    by_events(citizen, GOLDEN_RECORDS)
    given_feedback(citizen)
    assert slot_comes()
    for _ in range(5):
        assert by_events(citizen, FEEDBACK_ANALYTICS) == {}
        due_now(citizen)
    assert by_events(citizen, FEEDBACK_ANALYTICS) == WAITING
    assert waits(citizen, FEEDBACK_ANALYTICS) == {feedback_id(): True}
    assert letters_of(citizen, FEEDBACK_ANALYTICS) == []
    assert verified(FEEDBACK_ANALYTICS) == {"waiting": 1}
    change(citizen, verification_status="verified")
    by_events(citizen, GOLDEN_RECORDS)
    assert by_events(citizen, FEEDBACK_ANALYTICS) == WRITTEN, "without another slot"
    gr_id = made(warehouse, ASHA, "Asha Devi")
    assert shown(warehouse) == {feedback_id(): {"citizen_id": gr_id, **SHOWN}}


@either_way
def test_feedback_of_somebody_who_means_several_records_is_a_dead_letter(
    citizen: Connection, warehouse: Connection, known: None, sync: Any
) -> None:
    given_record(warehouse, "GR-2", jan_aadhaar=NUMBERS[ASHA])
    given_feedback(citizen)
    assert sync(citizen, FEEDBACK_ANALYTICS) == {"read": 1, "rejected": 1}
    several = "citizen_id: means several rows of public.golden_records"
    assert letters_of(citizen, FEEDBACK_ANALYTICS) == [(feedback_id(), "consistency", several)]
    assert shown(warehouse) == {}


def test_one_bad_feedback_stops_only_itself_and_passes_when_it_is_mended(
    citizen: Connection, warehouse: Connection, known: None
) -> None:
    given_feedback(citizen)
    given_feedback(citizen, 2, rating=6)
    assert by_slot(citizen, FEEDBACK_ANALYTICS) == {"read": 2, "written": 1, "rejected": 1}
    execute(citizen, "UPDATE feedback SET rating = 5 WHERE rating = 6")
    assert asked_for(citizen, FEEDBACK_ANALYTICS, feedback_id(2)) == WRITTEN
    assert letters_of(citizen, FEEDBACK_ANALYTICS) == []
    assert len(shown(warehouse)) == 2
