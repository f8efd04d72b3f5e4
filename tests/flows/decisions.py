"""Given decisions in the warehouse and applications at the portal, what the portal shows."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from psycopg2.extras import Json

from tests.flows.citizens import ASHA
from tests.rows import Connection, execute, insert, rows

SCHEME = "00000000-0000-4000-9000-000000000001"
DECIDED = datetime(2025, 6, 2, 10, 0, tzinfo=UTC)
DECISION: dict[str, Any] = {
    "decision": "ROUTE_TO_OFFICER",
    "risk_score": Decimal("0.35"),
    "confidence": Decimal("0.9125"),
    "reasons": ["income is not proven", {"rule": 7}],
    "decision_timestamp": DECIDED,
}
SHOWN: dict[str, Any] = {
    "decision_status": "ROUTE_TO_OFFICER",
    "risk_score": Decimal("0.35"),
    "confidence": Decimal("0.9125"),
    "decision_date": DECIDED,
    "decision_reasons": ["income is not proven", {"rule": 7}],
}


def application_id(number: int = 1) -> str:
    """The id of an application; they sort as their numbers do."""
    return f"00000000-0000-4000-c000-{number:012}"


def given_application(citizen: Connection, number: int = 1, **columns: Any) -> str:
    """Asha's application for the pension at the portal, which nobody has decided; its id."""
    execute(
        citizen,
        "INSERT INTO citizens (id) VALUES (%s) ON CONFLICT DO NOTHING;"
        "INSERT INTO schemes (id, code) VALUES (%s, 'PENSION') ON CONFLICT DO NOTHING",
        [ASHA, SCHEME],
    )
    application = {"citizen_id": ASHA, "scheme_id": SCHEME, "status": "draft", **columns}
    insert(citizen, "service_applications", {**application, "id": application_id(number)})
    return application_id(number)


def given_decision(warehouse: Connection, number: int = 1, **columns: Any) -> str:
    """A decision in the warehouse; the application's id."""
    decision = {**DECISION, **columns, "application_id": application_id(number)}
    insert(warehouse, "decision.applications", _plain(decision))
    return application_id(number)


def change(warehouse: Connection, number: int = 1, **columns: Any) -> None:
    """Change a decision."""
    assignments = ", ".join(f"{column} = %({column})s" for column in columns)
    statement = f"UPDATE decision.applications SET {assignments} WHERE application_id = %(id)s"
    execute(warehouse, statement, {**_plain(columns), "id": application_id(number)})


def shown(citizen: Connection) -> dict[str, dict[str, Any]]:
    """The decisions that the portal shows, by application."""
    found = rows(citizen, f"SELECT application_id, {', '.join(SHOWN)} FROM application_decisions")
    return {each: dict(zip(SHOWN, values, strict=True)) for each, *values in found}


def _plain(columns: dict[str, Any]) -> dict[str, Any]:
    return {
        name: Json(each) if isinstance(each, dict | list) else each
        for name, each in columns.items()
    }
