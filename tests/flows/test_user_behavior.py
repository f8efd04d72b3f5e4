"""Specification 2.4: given what citizens do, when a day is over, then the warehouse's counts."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from synctasks.engine.extract import rows_sql
from synctasks.engine.judge import _read_sql
from synctasks.engine.merge import merge_sql
from synctasks.flow import Flow
from synctasks.flows import FLOWS
from synctasks.flows.to_warehouse.user_behavior import USER_BEHAVIOR
from tests.flows.behavior import (
    DAY,
    EVENT_TYPES,
    NOON,
    THEN,
    asked_for,
    counted,
    days,
    does,
    letters,
    noon,
    today,
    verified,
    versions,
    views,
)
from tests.flows.citizens import ASHA, MEENA, NUMBERS, RAVI, given_citizen, given_record
from tests.letters import one_line, typed
from tests.rows import Connection, execute, rows, value
from tests.syncing import by_full_run

MICROSECOND = timedelta(microseconds=1)
NOBODY = "00000000-0000-4000-8000-00000000000f"


@pytest.fixture(autouse=True)
def known(citizen: Connection, warehouse: Connection) -> None:
    """Asha and Ravi, whom the warehouse knows."""
    for gr_id, who in (("GR-1", ASHA), ("GR-2", RAVI)):
        given_citizen(citizen, who)
        given_record(warehouse, gr_id, jan_aadhaar=NUMBERS[who])


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_what_somebody_does_is_counted_by_kind_and_day(
    citizen: Connection, warehouse: Connection, event_type: str
) -> None:
    early, late = NOON - timedelta(hours=2), NOON + timedelta(hours=1)
    does(citizen, event_type, late, early, NOON)
    does(citizen, event_type, NOON, who=RAVI)
    by_full_run(citizen, USER_BEHAVIOR)
    found = {key: counts for key, counts in counted(warehouse).items() if key[1] == event_type}
    assert found == {
        ("GR-1", event_type, THEN): (3, None, early, late),
        ("GR-2", event_type, THEN): (1, None, NOON, NOON),
    }


def test_an_application_is_one_start_and_when_submitted_one_completion(
    citizen: Connection, warehouse: Connection
) -> None:
    """Each on its own day; one that is not submitted is none."""
    does(citizen, "APPLICATION_START", NOON, submitted_at=NOON + DAY)
    does(citizen, "APPLICATION_START", NOON)
    assert by_full_run(citizen, USER_BEHAVIOR) == {"read": 2, "written": 2}
    assert counted(warehouse) == {
        ("GR-1", "APPLICATION_START", THEN): (2, None, NOON, NOON),
        ("GR-1", "APPLICATION_COMPLETE", THEN + DAY): (1, None, NOON + DAY, NOON + DAY),
    }
    assert letters(citizen) == []


@pytest.mark.parametrize("event_type", ["PAGE_VIEW", "ELIGIBILITY_CHECK"])
@pytest.mark.parametrize(
    ("durations", "total"),
    [
        ((1, 2.5, None), Decimal("3.5")),
        ((None, None), None),
        ((0,), Decimal(0)),
        (("0.000001", "99999999999"), Decimal("99999999999.000001")),
    ],
    ids=["some", "none", "zero", "exact"],
)
def test_the_duration_is_the_sum_of_those_there_are(
    citizen: Connection,
    warehouse: Connection,
    event_type: str,
    durations: tuple[Any, ...],
    total: Decimal | None,
) -> None:
    for seconds in durations:
        does(citizen, event_type, NOON, duration_seconds=seconds)
    assert by_full_run(citizen, USER_BEHAVIOR) == {"read": 1, "written": 1}
    assert counted(warehouse) == {("GR-1", event_type, THEN): (len(durations), total, NOON, NOON)}


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/Los_Angeles"])
def test_a_day_is_one_of_utc_whatever_the_zone(
    citizen: Connection, warehouse: Connection, zone: str
) -> None:
    """To the microsecond."""
    database = value(citizen, "SELECT current_database()")
    execute(citizen, f"ALTER DATABASE \"{database}\" SET TimeZone = '{zone}'")
    midnight = datetime.combine(THEN + DAY, datetime.min.time(), NOON.tzinfo)
    views(citizen, midnight - MICROSECOND, midnight, midnight + DAY - MICROSECOND)
    by_full_run(citizen, USER_BEHAVIOR)
    execute(citizen, f'ALTER DATABASE "{database}" RESET TimeZone')
    assert counted(warehouse) == {
        ("GR-1", "PAGE_VIEW", THEN): (1, None, *[midnight - MICROSECOND] * 2),
        ("GR-1", "PAGE_VIEW", THEN + DAY): (2, None, midnight, midnight + DAY - MICROSECOND),
    }


def test_a_day_that_is_not_over_is_counted_as_filtered(
    citizen: Connection, warehouse: Connection
) -> None:
    """Also if somebody asks for it by name."""
    now = today(citizen)
    views(citizen, noon(now - DAY), noon(now), noon(now + DAY))
    assert asked_for(citizen, now, now + DAY) == {"read": 2, "filtered": 2}
    assert by_full_run(citizen, USER_BEHAVIOR) == {"read": 3, "written": 1, "filtered": 2}
    assert days(warehouse) == [now - DAY]


def test_nobodys_events_and_those_of_unknown_citizens_are_counted_as_filtered(
    citizen: Connection, warehouse: Connection
) -> None:
    """However bad they are: nobody's duration is nobody's business."""
    given_citizen(citizen, MEENA)
    views(citizen, NOON)
    views(citizen, NOON, who=None, seconds=-1)
    views(citizen, NOON, who=MEENA)
    does(citizen, "SEARCH", NOON, who=NOBODY)
    assert by_full_run(citizen, USER_BEHAVIOR) == {"read": 4, "written": 1, "filtered": 3}
    assert list(counted(warehouse)) == [("GR-1", "PAGE_VIEW", THEN)]
    assert letters(citizen) == []
    assert verified() == ({"matched": 1}, [])


def test_a_citizen_without_a_number_is_unknown(citizen: Connection, warehouse: Connection) -> None:
    given_record(warehouse, "GR-3", jan_aadhaar="")
    given_citizen(citizen, MEENA, aadhaar_number="")
    views(citizen, NOON, who=MEENA)
    assert by_full_run(citizen, USER_BEHAVIOR) == {"read": 1, "filtered": 1}


def test_a_repeat_writes_nothing(citizen: Connection, warehouse: Connection) -> None:
    for event_type in EVENT_TYPES:
        does(citizen, event_type, NOON, NOON + DAY)
    assert by_full_run(citizen, USER_BEHAVIOR) == {"read": 14, "written": 14}
    before = versions(warehouse)
    assert by_full_run(citizen, USER_BEHAVIOR) == {"read": 14, "unchanged": 14}
    assert asked_for(citizen, THEN) == {"read": 7, "unchanged": 7}
    assert versions(warehouse) == before
    assert verified() == ({"matched": 14}, [])


@pytest.mark.parametrize("key", ["2025-13-01", "2025-1-1", "20250101", "yesterday", "", " "])
def test_a_key_that_is_no_day_is_refused(databases: dict[str, str], key: str) -> None:
    said = one_line(typed("sync", "user_behavior", "--key", key))
    assert "it is no day (2026-03-31)" in said


def test_what_people_do_is_no_event(citizen: Connection) -> None:
    for event_type in EVENT_TYPES:
        does(citizen, event_type, NOON)
    of_it = "SELECT count(*) FROM synctasks.change_log WHERE flow = 'user_behavior'"
    assert value(citizen, of_it) == 0


@pytest.mark.parametrize("flow", FLOWS, ids=[flow.name for flow in FLOWS])
def test_no_query_asks_what_people_look_at_or_search(flow: Flow) -> None:
    merging = merge_sql(flow, from_document=True, dry=False, by_key=True)
    words = (rows_sql(flow) + merging + _read_sql(flow)).replace(".", " ").replace(",", " ").split()
    assert not {"path", "query"} & {*words}
    assert not {"path", "query"} & {*flow.watched}


def test_what_people_look_at_or_search_reaches_no_table_but_its_own(
    citizen: Connection, warehouse: Connection
) -> None:
    """Whether it is counted or rejected."""
    secret = "unmistakable"
    for number, seconds in enumerate((1, -1)):
        moment = NOON + number * DAY
        does(citizen, "PAGE_VIEW", moment, path=f"/{secret}", duration_seconds=seconds)
    does(citizen, "SEARCH", NOON, "infinity", query=secret)
    assert by_full_run(citizen, USER_BEHAVIOR) == {"read": 4, "written": 2, "rejected": 2}
    for side in (citizen, warehouse):
        holding = [
            table
            for table in rows(
                side,
                "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables "
                "WHERE schemaname !~ '^(pg_|information_schema)' "
                "AND tablename NOT IN ('page_views', 'search_queries')",
            )
            if value(side, f"SELECT bool_or(t::text LIKE '%{secret}%') FROM {table} AS t")
        ]
        assert holding == []
