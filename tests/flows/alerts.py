"""Given alerts of three use cases in the warehouse and families at the portal, what it shows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.flows.citizens import FAMILY
from tests.rows import Connection, execute, insert, rows

TABLES = {
    "AI-PLATFORM-07": "ai.beneficiary_detection_alerts",
    "AI-PLATFORM-09": "ai.proactive_inclusion_alerts",
    "AI-PLATFORM-14": "ai.predictive_alerts",
}
SEVENTH, NINTH, FOURTEENTH = TABLES
CREATED = datetime(2025, 7, 1, 7, 45, tzinfo=UTC)
# What it comes to at the portal, beside whose it is.
SHOWN: dict[str, Any] = {
    "alert_type": "benefit_gap",
    "severity": "HIGH",
    "message": "The family may be entitled to the widow pension.",
    "action_url": "/schemes/widow-pension?from=alert",
    "created_at": CREATED,
}
ALERT: dict[str, Any] = {"family_id": FAMILY, **SHOWN}


def alert_id(number: int = 1) -> str:
    """The id of an alert; they sort as their numbers do."""
    return f"00000000-0000-4000-d000-{number:012}"


def key_of(number: int = 1, use_case: str = SEVENTH) -> str:
    """The unit that an alert of a use case is."""
    return f"{use_case}:{alert_id(number)}"


def given_alert(
    warehouse: Connection, number: int = 1, use_case: str = SEVENTH, **columns: Any
) -> str:
    """An alert of a use case in the warehouse, of Asha's family; its key."""
    insert(warehouse, TABLES[use_case], {**ALERT, **columns, "alert_id": alert_id(number)})
    return key_of(number, use_case)


def change(warehouse: Connection, number: int = 1, use_case: str = SEVENTH, **columns: Any) -> None:
    """Change an alert of a use case."""
    assignments = ", ".join(f"{column} = %({column})s" for column in columns)
    statement = f"UPDATE {TABLES[use_case]} SET {assignments} WHERE alert_id = %(id)s"
    execute(warehouse, statement, {**columns, "id": alert_id(number)})


def shown(citizen: Connection) -> dict[str, dict[str, Any]]:
    """The alerts that the portal shows, by id."""
    found = rows(citizen, f"SELECT alert_id, {', '.join(SHOWN)} FROM ml_alerts")
    return {each: dict(zip(SHOWN, values, strict=True)) for each, *values in found}


def whose(citizen: Connection) -> dict[str, str]:
    """The citizens to whom alerts are shown, by the alert's id."""
    return dict(rows(citizen, "SELECT alert_id, citizen_id FROM ml_alerts"))
