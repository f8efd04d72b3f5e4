"""Given 360-degree profiles in the warehouse, what the portal shows of them."""

from __future__ import annotations

from typing import Any

from psycopg2.extras import Json

from tests.rows import Connection, execute, insert, rows

# What the flow reads of a profile.
SEEN: dict[str, Any] = {
    "vulnerability_level": "HIGH",
    "under_coverage_indicator": True,
    "cluster_id": "RJ-07",
}
# What it never does; the values stand nowhere by chance, not even in what is sealed.
UNSEEN: dict[str, Any] = {
    "inferred_income_band": "ZQ-BAND-4",
    "age_encoded": 0.8642097,
    "gender_encoded": 0.2468013,
    "risk_features": Json({"zq_risk": 0.9753108}),
    "profile_data": Json({"zq_household": ["zq_profile"]}),
    "model_version": "zq-model-7",
    "updated_at": "2001-02-03 04:05:06+00",
}
MARKS = (
    *("ZQ-BAND-4", "zq_risk", "zq_household", "zq_profile", "zq-model-7"),
    *("8642097", "2468013", "9753108", "2001-02-03"),
)
SHOWN: dict[str, Any] = {
    "vulnerability": "HIGH",
    "under_coverage": True,
    "income_category": "CONFIDENTIAL",
    "region": "RJ-07",
}


def given_profile(warehouse: Connection, gr_id: str = "GR-1", **columns: Any) -> str:
    """A profile in the warehouse; its id."""
    insert(warehouse, "profile_360", {**SEEN, **UNSEEN, **columns, "gr_id": gr_id})
    return gr_id


def change(warehouse: Connection, gr_id: str = "GR-1", **columns: Any) -> None:
    """Change a profile."""
    assignments = ", ".join(f"{column} = %({column})s" for column in columns)
    statement = f"UPDATE profile_360 SET {assignments} WHERE gr_id = %(unit)s"
    execute(warehouse, statement, {**columns, "unit": gr_id})


def shown(citizen: Connection) -> dict[str, dict[str, Any]]:
    """The portal's summaries by their keys."""
    found = rows(citizen, f"SELECT family_id, {', '.join(SHOWN)} FROM profile_summary")
    return {key: dict(zip(SHOWN, values, strict=True)) for key, *values in found}
