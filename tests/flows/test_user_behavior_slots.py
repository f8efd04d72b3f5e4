"""Specification 2.4 and the rulings: which days a slot's run is about, and what goes of a day."""

from __future__ import annotations

from datetime import date

import pytest

from synctasks.flows.to_warehouse.user_behavior import USER_BEHAVIOR
from tests.flows.behavior import (
    DAY,
    NOON,
    THEN,
    asked_for,
    at_one,
    counted,
    days,
    does,
    given_count,
    installed,
    noon,
    slot,
    today,
    units,
    verified,
    versions,
    views,
)
from tests.flows.citizens import ASHA, NUMBERS, RAVI, given_citizen, given_record
from tests.refreshing import books, full_run
from tests.rows import Connection, execute, rows, value
from tests.syncing import by_full_run

_KINDS = ("PAGE_VIEW", "SCHEME_CLICK")


@pytest.fixture(autouse=True)
def known(citizen: Connection, warehouse: Connection) -> None:
    """Asha and Ravi, whom the warehouse knows."""
    for gr_id, who in (("GR-1", ASHA), ("GR-2", RAVI)):
        given_citizen(citizen, who)
        given_record(warehouse, gr_id, jan_aadhaar=NUMBERS[who])


@pytest.fixture
def this_day(citizen: Connection) -> date:
    """The portal's day; it was installed ten days ago."""
    day = today(citizen)
    installed(citizen, noon(day - 10 * DAY))
    return day


def last_days(day: date, count: int = 3) -> list[str]:
    """The days before a day, oldest first, after that of what happened nobody knows when."""
    return ["", *(str(day - number * DAY) for number in range(count, 0, -1))]


def taken_yesterday(citizen: Connection, day: date, *, ago: int = 1) -> None:
    """The slot of so many days ago was taken, and its run succeeded."""
    slot(citizen, at_one(day - ago * DAY))


def test_a_run_is_about_the_last_three_complete_days(
    citizen: Connection, warehouse: Connection, this_day: date
) -> None:
    taken_yesterday(citizen, this_day)
    views(citizen, *(noon(this_day - number * DAY) for number in range(6)))
    run = slot(citizen, at_one(this_day))
    assert (run["state"], units(run)) == ("succeeded", last_days(this_day))
    assert books(run) == {"read": 3, "written": 3}
    assert days(warehouse) == [this_day - 3 * DAY, this_day - 2 * DAY, this_day - DAY]


def test_the_first_run_is_about_all_days_since_the_installation(
    citizen: Connection, this_day: date
) -> None:
    """The day itself was complete for the full run of the installation two days before it."""
    installed(citizen, noon(this_day - 5 * DAY))
    assert units(slot(citizen, at_one(this_day))) == last_days(this_day, 7)


def test_right_after_the_installation_it_is_about_three_days(
    citizen: Connection, this_day: date
) -> None:
    installed(citizen, at_one(this_day) - DAY / 24 / 60)
    assert units(slot(citizen, at_one(this_day))) == last_days(this_day)


def test_an_event_that_comes_two_days_late_is_picked_up(
    citizen: Connection, warehouse: Connection, this_day: date
) -> None:
    late = noon(this_day - 3 * DAY)
    views(citizen, late)
    taken_yesterday(citizen, this_day)
    assert counted(warehouse)["GR-1", "PAGE_VIEW", late.date()][0] == 1
    views(citizen, late)
    assert books(slot(citizen, at_one(this_day))) == {"read": 1, "written": 1}
    assert counted(warehouse)["GR-1", "PAGE_VIEW", late.date()][0] == 2


def test_three_days_of_outage_are_made_up(
    citizen: Connection, warehouse: Connection, this_day: date
) -> None:
    """By one run, which looks again at the days before them as well."""
    views(citizen, *(noon(this_day - number * DAY) for number in range(1, 8)))
    taken_yesterday(citizen, this_day, ago=4)
    run = slot(citizen, at_one(this_day))
    assert units(run) == last_days(this_day, 6)
    assert books(run) == {"read": 6, "written": 4, "unchanged": 2}
    assert len(days(warehouse)) == 7


def test_a_run_that_did_not_succeed_is_made_up_by_the_next(
    citizen: Connection, this_day: date
) -> None:
    taken_yesterday(citizen, this_day, ago=2)
    taken_yesterday(citizen, this_day, ago=1)
    execute(
        citizen,
        "UPDATE synctasks.run SET state = 'failed' WHERE id = (SELECT max(id) FROM synctasks.run)",
    )
    assert units(slot(citizen, at_one(this_day))) == last_days(this_day, 4)


def test_a_slot_that_falls_into_a_full_run_has_a_run_of_its_own(
    citizen: Connection, warehouse: Connection, this_day: date
) -> None:
    """And one that is asked for together with a full run is answered by it."""
    views(citizen, noon(this_day - DAY), noon(this_day - 9 * DAY))
    execute(citizen, "INSERT INTO synctasks.run (flow, reason) VALUES ('user_behavior', 'by hand')")
    run = slot(citizen, at_one(this_day))
    # The older request was dropped: what it asked for, this one did.
    assert (run["units"], books(run)) == (None, {"read": 2, "written": 2})
    assert rows(citizen, "SELECT run FROM synctasks.slot") == [run["id"]]


def test_a_full_run_is_about_all_days_there_are(citizen: Connection, warehouse: Connection) -> None:
    views(citizen, NOON, NOON + 99 * DAY, "0044-03-15 12:00+00 BC", "12025-01-01 00:00+00")
    counts = {"read": 4, "written": 2, "filtered": 1, "rejected": 1}
    assert by_full_run(citizen, USER_BEHAVIOR) == counts
    assert days(warehouse) == [THEN, THEN + 99 * DAY]


def test_a_day_without_any_raw_event_is_left_alone(
    citizen: Connection, warehouse: Connection, this_day: date
) -> None:
    """They are purged in time. Nobody removes what was counted: no run, no key, no repair."""
    yesterday = this_day - DAY
    given_count(warehouse, yesterday)
    given_count(warehouse)
    before = versions(warehouse)
    views(citizen, noon(this_day - 2 * DAY))
    assert books(slot(citizen, at_one(this_day))) == {"read": 1, "written": 1}
    assert asked_for(citizen, yesterday, THEN) == {}
    assert by_full_run(citizen, USER_BEHAVIOR) == {"read": 1, "unchanged": 1}
    assert verified() == ({"matched": 1}, [])
    assert [each for each in versions(warehouse) if each in before] == before


@pytest.mark.parametrize("how", ["full run", "slot", "key"])
def test_a_row_of_a_day_that_it_no_longer_has_goes(
    citizen: Connection, warehouse: Connection, this_day: date, how: str
) -> None:
    """Of this day only, and only if some raw event of it is left."""
    day = this_day - DAY
    for who in (ASHA, RAVI):
        views(citizen, noon(day), who=who)
        does(citizen, "SCHEME_CLICK", noon(day), who=who)
    given_count(warehouse, day, event_type="SEARCH")
    given_count(warehouse, day, citizen_id="GR-3")
    given_count(warehouse, day - DAY)
    assert verified() == ({"missing": 4, "extra": 2}, [str(day)] * 6)
    if how == "full run":
        found = by_full_run(citizen, USER_BEHAVIOR)
    elif how == "slot":
        found = books(slot(citizen, at_one(this_day)))
    else:
        found = asked_for(citizen, day)
    assert found == {"read": 4, "written": 4, "removed": 2}
    kinds = {(who, what) for who, what, when in counted(warehouse) if when == day}
    assert kinds == {(who, what) for who in ("GR-1", "GR-2") for what in _KINDS}
    assert days(warehouse) == [day - DAY, day]


def test_a_run_that_found_half_of_what_is_usual_removes_nothing(
    citizen: Connection, warehouse: Connection, this_day: date
) -> None:
    """And the next slot looks at its days once more."""
    day = this_day - DAY
    for number in range(1, 10):
        views(citizen, noon(day), who=ASHA if number == 1 else None)
        given_count(warehouse, day, citizen_id=f"GR-{number}")
    run = slot(citizen, at_one(this_day))
    assert run["state"] == "guarded"
    assert len(counted(warehouse)) == 9
    assert counted(warehouse)["GR-1", "PAGE_VIEW", day][0] == 1, "it writes, all the same"
    accepted = full_run(citizen, USER_BEHAVIOR, accepts_shrink=True)
    assert (accepted["state"], accepted["removed"]) == ("succeeded", 8)
    assert len(counted(warehouse)) == 1


def test_a_citizen_whose_number_was_corrected_is_counted_where_he_belongs(
    citizen: Connection, warehouse: Connection
) -> None:
    views(citizen, NOON)
    by_full_run(citizen, USER_BEHAVIOR)
    execute(warehouse, "UPDATE golden_records SET jan_aadhaar = NULL WHERE gr_id = 'GR-1'")
    given_record(warehouse, "GR-9", jan_aadhaar=NUMBERS[ASHA])
    assert by_full_run(citizen, USER_BEHAVIOR) == {"read": 1, "written": 1, "removed": 1}
    assert list(counted(warehouse)) == [("GR-9", "PAGE_VIEW", THEN)]


def test_slots_are_no_burden_to_what_is_guarded_by_full_runs(
    citizen: Connection, warehouse: Connection, this_day: date
) -> None:
    """Runs of three days are compared with such runs, never with those of everything."""
    views(citizen, *(noon(this_day - number * DAY) for number in range(1, 13)))
    for _ in range(3):
        assert full_run(citizen, USER_BEHAVIOR)["state"] == "succeeded"
    run = slot(citizen, at_one(this_day))
    assert run["state"] == "succeeded"
    assert value(citizen, "SELECT count(*) FROM synctasks.run WHERE state = 'guarded'") == 0
