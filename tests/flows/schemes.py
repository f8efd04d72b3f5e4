"""Given schemes in the warehouse, what the portal shows when they are synced."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from synctasks.flows.to_citizen.schemes import SCHEMES
from tests.refreshing import Run, full_run
from tests.rows import Connection, execute, insert, rows

OLD_AGE, WIDOWS, FARMERS = (
    UUID(f"00000000-0000-4000-8000-00000000000{number}") for number in (1, 2, 3)
)
UPDATED = datetime(2025, 3, 1, 12, 30, tzinfo=UTC)
SCHEME: dict[str, Any] = {
    "scheme_id": OLD_AGE,
    "scheme_code": "RJ-OLD-AGE",
    "scheme_name": "Old Age Pension",
    "description": "A pension for the old.",
    "category": "pension",
    "department_name": "Social Justice",
    "eligibility_criteria_json": '{"age": {"min": 60}, "genders": ["F"]}',
    "benefits_json": '[{"amount": 1150, "frequency": "monthly"}]',
    "documents_required_json": '["photo"]',
    "status": "ACTIVE",
    "updated_at": UPDATED,
}
SHOWN: dict[str, Any] = {
    "id": str(OLD_AGE),
    "code": "RJ-OLD-AGE",
    "name": "Old Age Pension",
    "description": "A pension for the old.",
    "category": "pension",
    "department": "Social Justice",
    "eligibility_criteria": {"age": {"min": 60}, "genders": ["F"]},
    "benefits": [{"amount": 1150, "frequency": "monthly"}],
    "documents_required": ["photo"],
    "status": "ACTIVE",
    "last_updated": UPDATED,
}
WIDOW = {"scheme_id": WIDOWS, "scheme_code": "RJ-WIDOW"}


def few_are_usual(warehouse: Connection) -> None:
    """Runs that found nothing: then one scheme less is nothing for the volume guard."""
    execute(
        warehouse,
        "INSERT INTO synctasks.run (flow, reason, state) "
        "SELECT 'schemes', 'test', 'succeeded' FROM generate_series(1, 7)",
    )


def given(warehouse: Connection, **columns: Any) -> None:
    """A scheme in the warehouse: the old age pension, but for these columns."""
    insert(warehouse, "eligibility.scheme_master", {**SCHEME, **columns})


def change(warehouse: Connection, code: str = "RJ-OLD-AGE", **columns: Any) -> None:
    """Change a scheme in the warehouse."""
    assignments = ", ".join(f"{column} = %({column})s" for column in columns)
    statement = f"UPDATE eligibility.scheme_master SET {assignments} WHERE scheme_code = %(code)s"
    execute(warehouse, statement, {**columns, "code": code})


def synced(warehouse: Connection) -> Run:
    """When the flow is synced, which succeeds."""
    run = full_run(warehouse, SCHEMES)
    assert run["state"] == "succeeded"
    return run


def shown(citizen: Connection) -> dict[str, dict[str, Any]]:
    """The portal's schemes by code."""
    columns = ", ".join(SHOWN)
    found = rows(citizen, f"SELECT {columns} FROM schemes ORDER BY code")
    return {row[1]: dict(zip(SHOWN, row, strict=True)) for row in found}


def letters(warehouse: Connection) -> list[tuple[str, str, str]]:
    """The open dead letters: record, category and error."""
    return rows(
        warehouse,
        "SELECT record, category, error FROM synctasks.dead_letter WHERE state = 'open' ORDER BY 1",
    )
