"""Specification 1.4: what benefits a family may expect, as soon as it is forecast."""

from synctasks.contracts import Contract, Number, Timestamp, Uuid
from synctasks.flow import Column, Database, Flow, Operation, Source, Target, Time


class Forecast(Contract):
    """A forecast without its value, its horizon or its family says nothing."""

    forecast_id = Uuid(required=True)
    family_id = Uuid(required=True)
    horizon_months = Number(1, 600, required=True)
    total_annual_value = Number(0, required=True)
    scheme_count = Number(0, required=True)
    generated_at = Timestamp(required=True)


BENEFIT_FORECASTS = Flow(
    name="benefit_forecasts",
    specification="1.4",
    summary="Forecasts of benefits, by their events and by the callback of the forecast service.",
    source=Source(
        Database.WAREHOUSE,
        "forecast.benefit_forecasts",
        key="forecast_id",
        key_type="uuid",
        time=Time("generated_at"),
    ),
    target=Target(Database.CITIZEN, "public.benefit_forecasts", key="forecast_id"),
    columns=(
        Column("forecast_id", "uuid"),
        Column("family_id", "text"),
        Column("horizon_months", "integer"),
        Column("total_annual_value", "numeric(14, 2)"),
        Column("scheme_count", "integer"),
        Column("projections", "jsonb"),
        Column("generated_at", "timestamptz"),
    ),
    contract=Forecast,
    capture=(Operation.INSERT, Operation.UPDATE),
)
