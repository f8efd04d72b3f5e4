"""Specification 1.5: what was decided about an application, and why."""

from synctasks.contracts import Choice, Contract, JsonArray, Number, Timestamp, Uuid
from synctasks.flow import (
    Column,
    Database,
    Flow,
    Need,
    Operation,
    Reference,
    Source,
    Target,
    Time,
)
from synctasks.flows.people import APPLICATION


class Decision(Contract):
    """Risk and confidence are shares; the reasons are a list."""

    application_id = Uuid(required=True)
    decision = Choice(
        "AUTO_APPROVED", "AUTO_REJECTED", "ROUTE_TO_OFFICER", "MANUAL_REVIEW", required=True
    )
    risk_score = Number(0, 1)
    confidence = Number(0, 1)
    reasons = JsonArray()
    decision_timestamp = Timestamp(required=True)


_APPLICATION = Reference(
    table="public.service_applications",
    key="id",
    meant="known.id = {value}",
    value="source.application_id",
    value_type="uuid",
    reads=("application_id",),
    needs=(Need(APPLICATION, "source.application_id::text"),),
)

APPLICATION_DECISIONS = Flow(
    name="application_decisions",
    specification="1.5",
    summary="Decisions about applications; wait for applications the portal does not know yet.",
    source=Source(
        Database.WAREHOUSE,
        "decision.applications",
        key="application_id",
        key_type="uuid",
        time=Time("decision_timestamp"),
    ),
    target=Target(Database.CITIZEN, "public.application_decisions", key="application_id"),
    columns=(
        Column("application_id", "uuid", reference=_APPLICATION),
        Column("decision_status", "text", source="decision"),
        Column("risk_score", "numeric"),
        Column("confidence", "numeric"),
        Column("decision_date", "timestamptz", source="decision_timestamp"),
        Column("decision_reasons", "jsonb", source="reasons"),
    ),
    contract=Decision,
    capture=(Operation.INSERT, Operation.UPDATE),
)
