"""Specification 1.4: given forecasts of benefits, when synced, then the portal shows them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from synctasks.flows.to_citizen.benefit_forecasts import BENEFIT_FORECASTS
from tests.flows.forecasts import FORECAST, change, forecast_id, given_forecast, shown
from tests.flows.told import asked_for, letters_of, verified
from tests.refreshing import versions
from tests.rows import Connection, execute
from tests.syncing import Sync, by_events, by_full_run, either_way, pending

WRITTEN = {"read": 1, "written": 1}


def row_versions(citizen: Connection) -> dict[str, str]:
    return versions(citizen, "benefit_forecasts", "forecast_id")


@either_way
def test_a_forecast_appears_as_it_is(
    warehouse: Connection, citizen: Connection, sync: Sync
) -> None:
    one = given_forecast(warehouse)
    two = given_forecast(warehouse, 2, projections=None)
    assert sync(warehouse, BENEFIT_FORECASTS) == {"read": 2, "written": 2}
    assert shown(citizen) == {one: FORECAST, two: {**FORECAST, "projections": None}}


CHANGES: list[dict[str, Any]] = [
    {"family_id": "0b5bd3c2-8f6f-4f6e-9a55-0f2a3c1d4e5f"},
    {"horizon_months": 600},
    {"total_annual_value": Decimal("0.00")},
    {"total_annual_value": Decimal("999999999999.99")},
    {"scheme_count": 0},
    {"projections": []},
    {"projections": {"2027": [1500, 1500.75], "note": ""}},
    {"projections": None},
    {"generated_at": FORECAST["generated_at"] + timedelta(microseconds=1)},
    # It was computed anew from older figures: what the warehouse says now is what counts.
    {"generated_at": FORECAST["generated_at"] - timedelta(days=90), "scheme_count": 1},
]


@either_way
@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_a_forecast_that_was_computed_anew_overwrites_the_one_before(
    warehouse: Connection, citizen: Connection, sync: Sync, changes: dict[str, Any]
) -> None:
    given_forecast(warehouse)
    by_events(warehouse, BENEFIT_FORECASTS)
    change(warehouse, **changes)
    assert sync(warehouse, BENEFIT_FORECASTS) == WRITTEN
    assert shown(citizen) == {forecast_id(): {**FORECAST, **changes}}


def test_insertions_and_updates_are_events_and_deletions_are_none(warehouse: Connection) -> None:
    given_forecast(warehouse)
    change(warehouse, scheme_count=4)
    change(warehouse, scheme_count=4)
    execute(warehouse, "DELETE FROM forecast.benefit_forecasts")
    assert pending(warehouse, BENEFIT_FORECASTS) == [(forecast_id(), "captured")] * 2


@either_way
def test_a_forecast_that_is_gone_stays_at_the_portal(
    warehouse: Connection, citizen: Connection, sync: Sync
) -> None:
    given_forecast(warehouse)
    given_forecast(warehouse, 2)
    by_events(warehouse, BENEFIT_FORECASTS)
    before = row_versions(citizen)
    execute(
        warehouse, "DELETE FROM forecast.benefit_forecasts WHERE forecast_id = %s", [forecast_id()]
    )
    expected = {} if sync is by_events else {"read": 1, "unchanged": 1}
    assert sync(warehouse, BENEFIT_FORECASTS) == expected
    assert asked_for(warehouse, BENEFIT_FORECASTS, forecast_id()) == {}
    assert row_versions(citizen) == before
    assert verified(BENEFIT_FORECASTS) == {"matched": 1}


def test_a_forecast_under_another_id_is_another_row(
    warehouse: Connection, citizen: Connection
) -> None:
    given_forecast(warehouse)
    by_events(warehouse, BENEFIT_FORECASTS)
    execute(warehouse, "UPDATE forecast.benefit_forecasts SET forecast_id = %s", [forecast_id(2)])
    assert by_events(warehouse, BENEFIT_FORECASTS) == WRITTEN
    assert shown(citizen) == {forecast_id(): FORECAST, forecast_id(2): FORECAST}


def test_a_repeat_and_a_full_run_after_events_write_nothing(
    warehouse: Connection, citizen: Connection
) -> None:
    given_forecast(warehouse)
    given_forecast(warehouse, 2, projections={"b": 1, "a": 1.50})
    by_events(warehouse, BENEFIT_FORECASTS)
    before = row_versions(citizen)
    unchanged = {"read": 2, "unchanged": 2}
    keys = (forecast_id(), forecast_id(2))
    assert asked_for(warehouse, BENEFIT_FORECASTS, *keys) == unchanged
    assert by_full_run(warehouse, BENEFIT_FORECASTS) == unchanged
    assert row_versions(citizen) == before


@either_way
def test_a_forecast_that_breaks_a_rule_leaves_the_one_before_and_passes_when_it_is_mended(
    warehouse: Connection, citizen: Connection, sync: Sync
) -> None:
    given_forecast(warehouse)
    by_events(warehouse, BENEFIT_FORECASTS)
    change(warehouse, total_annual_value=-1, scheme_count=9)
    given_forecast(warehouse, 2)
    assert sync(warehouse, BENEFIT_FORECASTS) == {"read": 2, "written": 1, "rejected": 1}
    assert shown(citizen)[forecast_id()] == FORECAST
    assert verified(BENEFIT_FORECASTS) == {"matched": 1, "dead_lettered": 1}
    change(warehouse, total_annual_value=1)
    assert sync(warehouse, BENEFIT_FORECASTS)["written"] == 1
    assert letters_of(warehouse, BENEFIT_FORECASTS) == []
    assert verified(BENEFIT_FORECASTS) == {"matched": 2}


def test_verify_tells_what_is_missing_different_or_on_its_way(
    warehouse: Connection, citizen: Connection
) -> None:
    for number in range(1, 5):
        given_forecast(warehouse, number)
    by_events(warehouse, BENEFIT_FORECASTS)
    execute(citizen, "DELETE FROM benefit_forecasts WHERE forecast_id = %s", [forecast_id(1)])
    execute(
        citizen,
        "UPDATE benefit_forecasts SET projections = '{}' WHERE forecast_id = %s",
        [forecast_id(2)],
    )
    change(warehouse, 3, scheme_count=9)
    assert verified(BENEFIT_FORECASTS) == {
        "matched": 1,
        "missing": 1,
        "different": 1,
        "in_flight": 1,
    }
