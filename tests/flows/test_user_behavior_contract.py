"""Specification 2.4 and the rulings: what rejects one count, and leaves its row as it is."""

from __future__ import annotations

from typing import Any

import pytest

from synctasks.dead_letters.seal import unseal
from synctasks.flows.to_warehouse.user_behavior import USER_BEHAVIOR
from tests.flows.behavior import (
    DAY,
    NOON,
    THEN,
    asked_for,
    at_one,
    counted,
    does,
    given_count,
    installed,
    letters,
    noon,
    purge,
    slot,
    today,
    verified,
    views,
)
from tests.flows.citizens import ASHA, NUMBERS, RAVI, given_citizen, given_record
from tests.rows import Connection, execute, value
from tests.syncing import by_full_run

REJECTED = {"read": 1, "rejected": 1}
RECORD = f"{ASHA} PAGE_VIEW {THEN}"


@pytest.fixture(autouse=True)
def known(citizen: Connection, warehouse: Connection) -> None:
    """Asha and Ravi, whom the warehouse knows."""
    for gr_id, who in (("GR-1", ASHA), ("GR-2", RAVI)):
        given_citizen(citizen, who)
        given_record(warehouse, gr_id, jan_aadhaar=NUMBERS[who])


@pytest.mark.parametrize("how", ["full run", "slot", "key"])
@pytest.mark.parametrize("seconds", [-1, "-0.000001", "NaN", "Infinity", "-Infinity"])
def test_a_bad_duration_rejects_its_count_and_no_other(
    citizen: Connection, warehouse: Connection, seconds: Any, how: str
) -> None:
    """Also if the sum looks well. The row that is there stays as it is."""
    day = today(citizen) - DAY
    given_count(warehouse, day)
    views(citizen, noon(day), seconds=seconds)
    views(citizen, noon(day), seconds=100)
    views(citizen, noon(day), who=RAVI, seconds=100)
    does(citizen, "SEARCH", noon(day))
    views(citizen, noon(day - DAY), seconds=100)
    if how == "key":
        found = asked_for(citizen, day, day - DAY)
    elif how == "slot":
        installed(citizen, noon(day - 5 * DAY))
        run = slot(citizen, at_one(day + DAY))
        found = {name: run[name] for name in ("read", "written", "rejected", "removed")}
        assert found.pop("removed") == 0
    else:
        found = by_full_run(citizen, USER_BEHAVIOR)
    assert found == {"read": 4, "written": 3, "rejected": 1}
    assert counted(warehouse)["GR-1", "PAGE_VIEW", day] == (7, None, None, None)
    [(record, category, _)] = letters(citizen)
    assert (record, category) == (f"{ASHA} PAGE_VIEW {day}", "accuracy")
    assert verified() == ({"matched": 3, "dead_lettered": 1}, [])


def test_its_letter_is_of_citizen_type_and_day_and_is_over_when_it_passes(
    citizen: Connection, warehouse: Connection
) -> None:
    views(citizen, NOON, seconds=-1)
    views(citizen, NOON + DAY, seconds=-1)
    assert by_full_run(citizen, USER_BEHAVIOR) == {"read": 2, "rejected": 2}
    assert asked_for(citizen, THEN) == REJECTED
    unit, record, count, sealed = value(
        citizen,
        "SELECT unit, record, count, source_row FROM synctasks.dead_letter ORDER BY record",
    )
    assert (unit, record, count) == (str(THEN), RECORD, 2)
    row = unseal(sealed)
    assert (row["citizen_id"], row["shortest_seconds"]) == (ASHA, "-1")
    execute(citizen, "UPDATE page_views SET duration_seconds = 1 WHERE occurred_at = %s", [NOON])
    assert by_full_run(citizen, USER_BEHAVIOR) == {"read": 2, "written": 1, "rejected": 1}
    assert [letter[0] for letter in letters(citizen)] == [f"{ASHA} PAGE_VIEW {THEN + DAY}"]


@pytest.mark.parametrize("moment", [None, "infinity", "-infinity"])
@pytest.mark.parametrize("event_type", ["PAGE_VIEW", "SEARCH", "DOCUMENT_UPLOAD"])
def test_what_happened_nobody_knows_when_is_a_dead_letter_once_a_citizen_and_kind(
    citizen: Connection, warehouse: Connection, moment: str | None, event_type: str
) -> None:
    does(citizen, event_type, moment, moment, NOON)
    assert by_full_run(citizen, USER_BEHAVIOR) == {"read": 2, "written": 1, "rejected": 1}
    [(record, _, _)] = letters(citizen)
    assert record.split() == [ASHA, event_type]
    assert list(counted(warehouse)) == [("GR-1", event_type, THEN)]
    assert verified() == ({"matched": 1, "dead_lettered": 1}, [])


def test_a_slot_looks_for_such_too(citizen: Connection) -> None:
    day = today(citizen)
    installed(citizen, noon(day - 5 * DAY))
    views(citizen, None)
    run = slot(citizen, at_one(day))
    assert (run["state"], run["read"], run["rejected"]) == ("succeeded", 1, 1)
    execute(citizen, "UPDATE page_views SET occurred_at = %s", [noon(day - DAY)])
    run = slot(citizen, at_one(day + DAY))
    assert (run["state"], run["written"], run["rejected"]) == ("succeeded", 1, 0)


@pytest.mark.parametrize("other", ["GR-0", "GR-2"], ids=["before", "after"])
def test_a_citizen_who_means_several_records_is_a_dead_letter_and_keeps_his_rows(
    citizen: Connection, warehouse: Connection, other: str
) -> None:
    """Of whichever of them they are, and nobody else's counts suffer."""
    views(citizen, NOON)
    views(citizen, NOON, who=RAVI)
    execute(warehouse, "UPDATE golden_records SET gr_id = 'GR-5' WHERE gr_id = 'GR-2'")
    by_full_run(citizen, USER_BEHAVIOR)
    given_record(warehouse, other, jan_aadhaar=NUMBERS[ASHA])
    several = "citizen_id: means several rows of public.golden_records"
    for sync in (
        lambda: by_full_run(citizen, USER_BEHAVIOR),
        lambda: asked_for(citizen, THEN),
    ):
        assert sync() == {"read": 2, "unchanged": 1, "rejected": 1}
        assert letters(citizen) == [(RECORD, "consistency", several)]
        assert {who for who, *_ in counted(warehouse)} == {"GR-1", "GR-5"}
    assert verified() == ({"matched": 1, "dead_lettered": 1}, [])


def test_a_bad_count_whose_citizen_is_unknown_is_a_dead_letter_too(citizen: Connection) -> None:
    """What the warehouse knows is asked after the contract; nothing is written either way."""
    execute(citizen, "UPDATE citizens SET aadhaar_number = NULL WHERE id = %s", [ASHA])
    views(citizen, NOON, seconds=-1)
    assert by_full_run(citizen, USER_BEHAVIOR) == REJECTED


def test_a_day_that_holds_nobodys_events_only_has_no_rows(
    citizen: Connection, warehouse: Connection
) -> None:
    """It is no day that was purged: what is left of it says that there was nobody."""
    views(citizen, NOON)
    by_full_run(citizen, USER_BEHAVIOR)
    execute(citizen, "UPDATE page_views SET citizen_id = NULL")
    assert asked_for(citizen, THEN) == {"read": 1, "filtered": 1, "removed": 1}
    purge(citizen)
    given_count(warehouse)
    assert asked_for(citizen, THEN) == {}
    assert len(counted(warehouse)) == 1
