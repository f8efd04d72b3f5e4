"""Removals by events are guarded: many at once are more likely a mistake than a wish."""

from __future__ import annotations

import pytest

from synctasks.capture import change_log
from synctasks.engine import drain as draining
from synctasks.flows import FLOWS
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.monitoring.status import status
from tests import oracle
from tests.refreshing import (
    add_records,
    books,
    carry,
    fill_both,
    full_run,
    held,
    key,
    remove,
    run_of,
    versions,
)
from tests.rows import Connection, add_record, execute, names_at_portal, pending, value

NAME = PROFILE_DATA.name
_BOOKS = """\
SELECT coalesce(sum(taken), 0)::int, sum(units)::int, sum(coalesced)::int, sum(removed)::int
FROM synctasks.history
"""


@pytest.mark.parametrize(
    ("records", "removed"),
    [(1_001, 1_001), (3_000, 1_001), (5_000, 1_001), (6_000, 1_201)],
    ids=["all there are", "a third", "just over 1,000", "just over a fifth"],
)
def test_more_than_a_thousand_and_a_fifth_are_held(
    warehouse: Connection, citizen: Connection, records: int, removed: int
) -> None:
    fill_both(warehouse, records)
    before = versions(citizen)
    keys = remove(warehouse, 1, removed)
    carry()
    assert held(warehouse) == keys
    assert pending(warehouse) == []
    assert versions(citizen) == before
    assert value(warehouse, _BOOKS)[0] == 0, "what is held was not taken"


@pytest.mark.parametrize(
    ("records", "removed"),
    [(1_000, 1_000), (3_000, 1_000), (6_000, 1_200)],
    ids=["all 1,000", "no more than 1,000", "no more than a fifth"],
)
def test_fewer_are_removed(
    warehouse: Connection, citizen: Connection, records: int, removed: int
) -> None:
    fill_both(warehouse, records)
    remove(warehouse, 1, removed)
    carry()
    assert held(warehouse) == pending(warehouse) == []
    assert not oracle.profile_data(warehouse, citizen)
    assert value(warehouse, _BOOKS) == (removed, removed, 0, removed)


def test_what_else_is_changed_meanwhile_is_carried_all_the_same(
    warehouse: Connection, citizen: Connection
) -> None:
    fill_both(warehouse, 2_000)
    gone = remove(warehouse, 1, 1_500)
    add_records(warehouse, 2_001, 2_400)
    execute(warehouse, "UPDATE golden_records SET full_name = 'B' WHERE gr_id > %s", [key(1_990)])
    carry()
    assert held(warehouse) == gone
    difference = oracle.profile_data(warehouse, citizen)
    assert (difference.missing, difference.different) == ([], {})
    assert difference.extra == gone
    assert value(warehouse, _BOOKS) == (810, 410, 400, 0)


def test_changes_that_remove_nothing_do_not_count(
    warehouse: Connection, citizen: Connection
) -> None:
    fill_both(warehouse, 2_000)
    execute(warehouse, "UPDATE golden_records SET full_name = 'B' WHERE gr_id > %s", [key(900)])
    remove(warehouse, 1, 600)
    carry()
    assert held(warehouse) == []
    assert not oracle.profile_data(warehouse, citizen)


def test_a_held_record_that_comes_again_is_carried_and_held_no_more(
    warehouse: Connection, citizen: Connection
) -> None:
    fill_both(warehouse, 1_200)
    gone = remove(warehouse, 1, 1_200)
    carry()
    add_record(warehouse, gone[0], full_name="Here again")
    carry()
    assert held(warehouse) == gone[1:]
    assert names_at_portal(citizen)[gone[0]] == "Here again"
    assert pending(warehouse) == []


def test_a_nightly_run_does_not_remove_what_is_held(
    warehouse: Connection, citizen: Connection
) -> None:
    fill_both(warehouse, 4_000)
    gone = remove(warehouse, 1, 1_200)
    carry()
    execute(citizen, "INSERT INTO profile_data (record_id) VALUES ('GR-nobody')")
    before = versions(citizen)
    run = full_run(warehouse)
    assert run["state"] == "succeeded"
    assert books(run) == {"read": 2_800, "unchanged": 2_800, "removed": 1}
    del before["GR-nobody"]
    assert versions(citizen) == before
    assert held(warehouse) == gone


def test_removals_of_the_last_ten_minutes_count(warehouse: Connection, citizen: Connection) -> None:
    fill_both(warehouse, 3_000)
    remove(warehouse, 1, 700)
    carry()
    assert len(names_at_portal(citizen)) == 2_300
    second = remove(warehouse, 701, 1_400)
    carry()
    assert held(warehouse) == second
    assert len(names_at_portal(citizen)) == 2_300


def test_removals_of_eleven_minutes_ago_do_not_count(
    warehouse: Connection, citizen: Connection
) -> None:
    fill_both(warehouse, 3_000)
    remove(warehouse, 1, 700)
    carry()
    execute(warehouse, "UPDATE synctasks.history SET minute = minute - interval '11 minutes'")
    remove(warehouse, 701, 1_400)
    carry()
    assert held(warehouse) == []
    assert len(names_at_portal(citizen)) == 1_600


def test_what_is_held_already_counts(warehouse: Connection, citizen: Connection) -> None:
    fill_both(warehouse, 2_000)
    remove(warehouse, 1, 1_001)
    carry()
    remove(warehouse, 1_002, 1_002)
    carry()
    assert len(held(warehouse)) == 1_002
    assert len(names_at_portal(citizen)) == 2_000


def test_status_shows_them_with_an_alert_that_says_what_to_do(warehouse: Connection) -> None:
    fill_both(warehouse, 1_200)
    remove(warehouse, 1, 1_100)
    carry()
    shown = status(FLOWS)
    assert shown["flows"][NAME]["held"] == 1_100
    assert shown["flows"][NAME]["pending"] == 0
    [alert] = shown["alerts"]
    assert (alert["flow"], alert["name"]) == (NAME, "removals held")
    assert "1,100 removals are held" in alert["reason"]
    assert "synctasks sync profile_data --accept-shrink" in alert["reason"]


def test_a_run_of_keys_whose_removals_are_held_is_guarded(
    warehouse: Connection, citizen: Connection
) -> None:
    fill_both(warehouse, 2_000)
    gone = remove(warehouse, 1, 1_200)
    execute(citizen, "UPDATE profile_data SET city = 'Atlantis' WHERE record_id = %s", [key(1_500)])
    run, _ = change_log.request(PROFILE_DATA, [gone[0], gone[7], key(1_500)], origin="key")
    carry()
    ended = run_of(warehouse, run)
    assert (ended["kind"], ended["state"], ended["done"]) == ("keys", "guarded", 3)
    assert books(ended) == {"read": 1, "written": 1}
    assert len(names_at_portal(citizen)) == 2_000
    assert held(warehouse) == gone


def test_a_hold_that_comes_before_an_earlier_drain_is_settled_stays(
    warehouse: Connection, citizen: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lane's lock ends with the target's commit: the next drain may be settled first."""
    fill_both(warehouse, 1_200)
    settle = draining.Drain.settle
    gone: list[str] = []

    def overtaken(self: draining.Drain, *arguments: object) -> bool:
        if not gone:
            gone.extend(remove(warehouse, 1, 1_200))
            carry()
            assert held(warehouse) == gone
        return settle(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(draining.Drain, "settle", overtaken)
    execute(
        warehouse, "UPDATE golden_records SET city_village = 'Ajmer' WHERE gr_id = %s", [key(7)]
    )
    carry()
    assert held(warehouse) == gone
    assert len(names_at_portal(citizen)) == 1_200
