"""Specification 1.3: hints of the last 30 days; time alone takes them away, without an event."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from synctasks import slots
from synctasks.flow import Duty
from synctasks.flows.to_citizen.eligibility_hints import ELIGIBILITY_HINTS
from tests.flows.hints import (
    FAMILY,
    HINT,
    OTHER,
    SECOND,
    UNCHANGED,
    YESTERDAY,
    delete,
    few_are_usual,
    given,
    given_families,
    given_hint,
    given_schemes,
    given_scores,
    hints,
    row_versions,
    run_in_full,
    shown,
    synced,
    verified,
)
from tests.refreshing import carry, run_of
from tests.rows import Connection, execute, rows, value
from tests.syncing import Sync, either_way, pending

FLOW = ELIGIBILITY_HINTS
WINDOW = timedelta(days=30)
# Longer than a test takes.
MOMENT = timedelta(minutes=2)


@pytest.fixture(autouse=True)
def known(citizen: Connection) -> None:
    """Schemes that the portal knows."""
    given_schemes(citizen, *"ABCDEF")


def days_pass(warehouse: Connection, citizen: Connection, days: int = 30) -> None:
    """All that is there is so many days older, of which no event tells."""
    assert pending(warehouse, FLOW) == []
    ago = f"- interval '{days} days'"
    execute(
        warehouse,
        "UPDATE eligibility.eligibility_snapshots"
        f" SET evaluation_timestamp = evaluation_timestamp {ago};"
        "DELETE FROM synctasks.change_log",
    )
    execute(citizen, f"UPDATE eligibility_hints SET updated_at = updated_at {ago}")


def the_slot_is_taken(warehouse: Connection) -> int:
    """The moment of the day: whoever takes it has put into the log whom it is about. Its run."""
    execute(warehouse, "UPDATE synctasks.installation SET installed_at = '2020-01-01'")
    slot = slots.take(FLOW, Duty.SYNC, datetime.now(UTC))
    assert slot is not None
    assert not slot.in_chunks
    return slot.run


@either_way
def test_a_moment_within_the_30_days_is_a_hint_and_a_moment_before_them_none(
    warehouse: Connection, citizen: Connection, sync: Sync
) -> None:
    now = datetime.now(UTC)
    given(warehouse, evaluation_timestamp=now - WINDOW + MOMENT)
    given(warehouse, "B", evaluation_timestamp=now - WINDOW - timedelta(microseconds=1))
    given(warehouse, "C", evaluation_timestamp=now - WINDOW - MOMENT)
    assert sync(warehouse, FLOW) == {"read": 3, "written": 1, "filtered": 2}
    assert hints(citizen) == {"A": {**HINT, "updated_at": now - WINDOW + MOMENT}}


@either_way
def test_an_old_evaluation_takes_no_place_among_the_five(
    warehouse: Connection, citizen: Connection, sync: Sync
) -> None:
    given(warehouse, "F", "1", evaluation_timestamp=YESTERDAY - WINDOW)
    given_scores(warehouse, dict.fromkeys("ABCDE", "0.1"))
    assert sync(warehouse, FLOW) == {"read": 6, "written": 5, "filtered": 1}
    assert list(shown(citizen)) == list("ABCDE")


def test_the_daily_slot_asks_for_families_whose_hints_are_too_old(
    warehouse: Connection, citizen: Connection
) -> None:
    given(warehouse, "A")
    given(warehouse, "B", evaluation_timestamp=YESTERDAY + timedelta(hours=23))
    given(warehouse, "A", family_id=OTHER, evaluation_timestamp=YESTERDAY + timedelta(hours=23))
    synced(warehouse)
    days_pass(warehouse, citizen, 29)
    before = row_versions(citizen)
    assert synced(warehouse) == {}, "no event tells of it"
    run = the_slot_is_taken(warehouse)
    assert pending(warehouse, FLOW) == [(FAMILY, "repair")]
    assert synced(warehouse) == {"read": 2, "unchanged": 1, "filtered": 1, "removed": 1}
    assert (set(shown(citizen)), set(shown(citizen, OTHER))) == ({"B"}, {"A"})
    assert row_versions(citizen).items() <= before.items()
    ended = run_of(warehouse, run)
    assert (ended["kind"], ended["state"], ended["done"]) == ("slot", "succeeded", 1)
    assert (ended["read"], ended["removed"]) == (2, 1)


def test_a_family_whose_window_runs_out_has_no_hints(
    warehouse: Connection, citizen: Connection
) -> None:
    given_scores(warehouse, {"A": "0.5", "B": "0.6"})
    synced(warehouse)
    days_pass(warehouse, citizen)
    the_slot_is_taken(warehouse)
    assert synced(warehouse) == {"read": 2, "filtered": 2, "removed": 2}
    assert shown(citizen) == {}
    assert synced(warehouse) == {}


def test_the_sixth_is_shown_when_one_of_the_five_is_too_old(
    warehouse: Connection, citizen: Connection
) -> None:
    given(warehouse, "A", "0.9", evaluation_timestamp=YESTERDAY - timedelta(days=2))
    given_scores(warehouse, {scheme: f"0.{8 - n}" for n, scheme in enumerate("BCDEF")})
    synced(warehouse)
    assert "F" not in shown(citizen)
    days_pass(warehouse, citizen, 28)
    the_slot_is_taken(warehouse)
    counts = {"read": 6, "written": 1, "unchanged": 4, "filtered": 1, "removed": 1}
    assert synced(warehouse) == counts
    assert list(shown(citizen)) == list("BCDEF")


def test_a_slot_without_aged_families_has_succeeded_at_once(
    warehouse: Connection, citizen: Connection
) -> None:
    given(warehouse)
    synced(warehouse)
    run = run_of(warehouse, the_slot_is_taken(warehouse))
    assert (run["state"], run["planned"], run["read"]) == ("succeeded", 0, 0)
    assert pending(warehouse, FLOW) == []
    assert slots.take(FLOW, Duty.SYNC, datetime.now(UTC)) is None, "it is taken"


def test_the_slot_asks_for_families_that_the_warehouse_does_not_know_any_more(
    warehouse: Connection, citizen: Connection
) -> None:
    given_hint(citizen, family_id=OTHER, updated_at=YESTERDAY - WINDOW)
    the_slot_is_taken(warehouse)
    assert synced(warehouse) == {"removed": 1}


def test_the_slot_asks_for_all_of_very_many_families(
    warehouse: Connection, citizen: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slots, "_AGED", slots._AGED.replace("{page}", "7"))
    monkeypatch.setattr(slots, "_PAGE", 7)
    given_families(warehouse, 50, schemes=2)
    synced(warehouse)
    days_pass(warehouse, citizen)
    run = the_slot_is_taken(warehouse)
    assert len(pending(warehouse, FLOW)) == run_of(warehouse, run)["planned"] == 50
    carry(FLOW)
    assert rows(citizen, "SELECT * FROM eligibility_hints") == []
    assert run_of(warehouse, run)["removed"] == 100


def test_a_full_run_removes_what_is_too_old_as_well(
    warehouse: Connection, citizen: Connection
) -> None:
    given(warehouse, "A", "0.9", evaluation_timestamp=YESTERDAY - timedelta(days=20))
    given(warehouse, "B")
    synced(warehouse)
    days_pass(warehouse, citizen, 15)
    assert verified() == {"matched": 1, "extra": 1}
    assert run_in_full(warehouse) == {"read": 2, "unchanged": 1, "filtered": 1, "removed": 1}
    assert set(shown(citizen)) == {"B"}
    assert run_in_full(warehouse) == {"read": 2, "unchanged": 1, "filtered": 1}


def test_verify_counts_each_row_of_a_family_that_is_too_old_once(
    warehouse: Connection, citizen: Connection
) -> None:
    given_scores(warehouse, {"A": "0.5", "B": "0.6"})
    given(warehouse, family_id=OTHER)
    synced(warehouse)
    assert verified() == {"matched": 3}
    days_pass(warehouse, citizen)
    assert verified() == {"extra": 3}


def test_a_new_evaluation_of_an_aged_family_is_a_hint_again(
    warehouse: Connection, citizen: Connection
) -> None:
    given(warehouse)
    synced(warehouse)
    days_pass(warehouse, citizen)
    given(warehouse, score="0.7")
    assert synced(warehouse) == {"read": 1, "written": 1}
    assert shown(citizen) == {"A": "0.70"}


def test_deleted_evaluations_are_removed_by_a_full_run(
    warehouse: Connection, citizen: Connection
) -> None:
    """A run before had seen few, so that the volume guard takes nothing amiss."""
    few_are_usual(warehouse)
    given_scores(warehouse, {"A": "0.5", "B": "0.6"})
    given(warehouse, family_id=OTHER)
    synced(warehouse)
    delete(warehouse)
    assert synced(warehouse) == {}
    assert run_in_full(warehouse) == {**UNCHANGED, "removed": 2}
    assert (shown(citizen), shown(citizen, OTHER)) == ({}, {"A": "0.50"})


def test_a_deleted_evaluation_of_a_family_with_others_is_removed_by_a_full_run(
    warehouse: Connection, citizen: Connection
) -> None:
    given_scores(warehouse, dict.fromkeys("ABC", "0.5"))
    gone = given(warehouse, "D", evaluation_timestamp=YESTERDAY + SECOND)
    synced(warehouse)
    statement = "DELETE FROM eligibility.eligibility_snapshots WHERE snapshot_id = %s"
    execute(warehouse, statement, [gone])
    assert run_in_full(warehouse) == {"read": 3, "unchanged": 3, "removed": 1}
    assert list(shown(citizen)) == list("ABC")
    assert value(warehouse, "SELECT count(*) FROM synctasks.waiting") == 0
