"""Given forecasts of benefits in the warehouse, what the portal shows of them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from psycopg2.extras import Json

from tests.rows import Connection, execute, insert, rows

FAMILY = "7d444840-9dc0-41e0-9a5b-30d4c2f5c8a1"
FORECAST: dict[str, Any] = {
    "family_id": FAMILY,
    "horizon_months": 24,
    "total_annual_value": Decimal("18000.50"),
    "scheme_count": 3,
    "projections": {"2027": [1500, 1500.75], "note": None},
    "generated_at": datetime(2025, 5, 1, 6, 30, tzinfo=UTC),
}


def forecast_id(number: int = 1) -> str:
    """The id of a forecast; they sort as their numbers do."""
    return f"00000000-0000-4000-b000-{number:012}"


def given_forecast(warehouse: Connection, number: int = 1, **columns: Any) -> str:
    """A forecast in the warehouse; its id."""
    forecast = {**FORECAST, **columns, "forecast_id": forecast_id(number)}
    insert(warehouse, "forecast.benefit_forecasts", _plain(forecast))
    return forecast_id(number)


def change(warehouse: Connection, number: int = 1, **columns: Any) -> None:
    """Change a forecast."""
    assignments = ", ".join(f"{column} = %({column})s" for column in columns)
    statement = f"UPDATE forecast.benefit_forecasts SET {assignments} WHERE forecast_id = %(id)s"
    execute(warehouse, statement, {**_plain(columns), "id": forecast_id(number)})


def shown(citizen: Connection) -> dict[str, dict[str, Any]]:
    """The portal's forecasts by id."""
    found = rows(citizen, f"SELECT forecast_id, {', '.join(FORECAST)} FROM benefit_forecasts")
    return {each: dict(zip(FORECAST, values, strict=True)) for each, *values in found}


def _plain(columns: dict[str, Any]) -> dict[str, Any]:
    return {
        name: Json(each) if isinstance(each, dict | list) else each
        for name, each in columns.items()
    }
