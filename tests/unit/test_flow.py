"""A declaration is checked when it is imported, and knows what it reads."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from synctasks.errors import SetupError
from synctasks.flow import Column, Database, Duty, Schedule, Source, Stale, Target, Time
from synctasks.flows import FLOWS, by_name
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.flows.to_citizen.profile_summary import PROFILE_SUMMARY


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"name": "profile-data"}, "no plain SQL name"),
        ({"columns": (*PROFILE_DATA.columns, Column("gender", "text"))}, "declared twice"),
        ({"columns": PROFILE_DATA.columns[1:]}, "not among the columns"),
        ({"target": Target(Database.WAREHOUSE, "public.x", "record_id")}, "same database"),
        ({"source": Source(Database.WAREHOUSE, "x; DROP TABLE y", "gr_id")}, "no plain SQL name"),
        ({"lanes": 0}, "lanes"),
        ({"lanes": 65}, "lanes"),
        ({"stale": Stale("updated-at", after=timedelta(days=1))}, "no plain SQL name"),
        (
            {"source": replace(PROFILE_DATA.source, time=Time("review_status"))},
            "no column that it reads",
        ),
        (
            {
                "source": replace(PROFILE_DATA.source, primary_key=("gr_id", "family_id")),
                "stale": Stale("updated_at", after=timedelta(days=1)),
            },
            "key of one column",
        ),
    ],
)
def test_a_wrong_declaration_is_refused(change: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        replace(PROFILE_DATA, **change)


def test_a_flow_watches_what_it_maps_and_what_its_filters_and_contract_read() -> None:
    watched = set(PROFILE_DATA.watched)
    columns = {"gr_id", "full_name", "jan_aadhaar", "city_village", "updated_at", "created_at"}
    assert columns <= watched
    assert not {"pincode", "review_status", "updated_by"} & watched


def test_what_a_review_reads_is_not_watched() -> None:
    columns = {each for table in PROFILE_SUMMARY.tables for each in table.reads}
    assert PROFILE_SUMMARY.stale == Stale("updated_at", after=timedelta(days=180))
    assert "updated_at" not in columns | {*PROFILE_SUMMARY.watched}


def test_captured_flows_are_verified_each_night_and_what_may_be_stale_is_reviewed() -> None:
    for flow in FLOWS:
        assert (flow.duties.get(Duty.SYNC) is flow.schedule) or flow.schedule is None
        assert (Duty.VERIFY in flow.duties) == bool(flow.capture)
        assert (Duty.REVIEW in flow.duties) == bool(flow.stale)
    assert {str(PROFILE_DATA.duties[duty]) for duty in Duty} == {
        "daily 00:30",
        "daily 02:00",
        "daily 03:00",
    }


def test_an_optional_column_can_be_left_out() -> None:
    left = PROFILE_DATA.without(frozenset({"email"}))
    assert "email" not in [column.name for column in left.columns]
    assert "email" not in left.watched
    assert "mobile_number" in left.watched


def test_flows_have_names_of_their_own_and_are_found_by_them() -> None:
    assert [by_name(flow.name) for flow in FLOWS] == list(FLOWS)
    with pytest.raises(SetupError, match="profile_data"):
        by_name("profile_dta")


@pytest.mark.parametrize(
    ("schedule", "now", "latest"),
    [
        (Schedule(30, 0), "2026-03-01T00:30:00", "2026-03-01T00:30:00"),
        (Schedule(30, 0), "2026-03-01T00:29:59", "2026-02-28T00:30:00"),
        (Schedule(30, 0), "2026-03-01T23:00:00", "2026-03-01T00:30:00"),
        (Schedule(0), "2026-03-01T00:00:00", "2026-03-01T00:00:00"),
        (Schedule(15), "2026-03-01T00:14:59", "2026-02-28T23:15:00"),
    ],
)
def test_the_latest_slot_is_at_or_before_now(schedule: Schedule, now: str, latest: str) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    expected = datetime.fromisoformat(latest).replace(tzinfo=UTC)
    assert schedule.latest(moment) == expected
    india = moment.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert schedule.latest(india) == expected


@pytest.mark.parametrize(
    ("key_type", "key", "good"),
    [
        ("text", "GR-00000001", True),
        ("text", 'it\'s "quoted" \\ {कुंजी}', True),
        ("text", "", False),
        ("text", "   ", False),
        ("text", "a\0b", False),
        ("text", "x" * 2_701, False),
        ("uuid", "0b5bd3c2-8f6f-4f6e-9a55-0f2a3c1d4e5f", True),
        ("uuid", "0B5BD3C2-8F6F-4F6E-9A55-0F2A3C1D4E5F", False),
        ("uuid", "0b5bd3c2-8f6f-4f6e-9a55-0f2a3c1d4e5f\n", False),
    ],
)
def test_malformed_keys_are_told_from_good_ones(key_type: str, key: str, good: bool) -> None:
    problem = Source(Database.WAREHOUSE, "t", "k", key_type).key_problem(key)
    assert (problem is None) is good
