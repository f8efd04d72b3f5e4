"""Given citizens at the portal and golden records in the warehouse, what the warehouse shows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from synctasks.flows.to_warehouse.golden_records import GOLDEN_RECORDS
from tests.refreshing import carry, versions
from tests.rows import Connection, execute, insert, rows

ASHA, RAVI, MEENA = (f"00000000-0000-4000-8000-00000000000{number}" for number in (1, 2, 3))
# The numbers of these three, and one that nobody has.
NUMBERS = {ASHA: "111111111111", RAVI: "222222222222", MEENA: "333333333333"}
OTHER_NUMBER = "999999999999"

FAMILY = "7d444840-9dc0-41e0-9a5b-30d4c2f5c8a1"
REGISTERED = datetime(2024, 1, 5, 8, 0, tzinfo=UTC)
UPDATED = datetime(2025, 3, 1, 12, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)

CITIZEN: dict[str, Any] = {
    "family_id": FAMILY,
    "is_family_head": True,
    "full_name": "Asha Devi",
    "date_of_birth": "1980-02-03",
    "gender": "F",
    "mobile_number": "+919876543210",
    "email": "asha@example.com",
    "city": "Sanganer",
    "district": "Jaipur",
    "pincode": "302001",
    "verification_status": "verified",
    "created_at": REGISTERED,
    "updated_at": UPDATED,
}
# What a citizen comes to in the warehouse, as a new record.
RECORD: dict[str, Any] = {
    "family_id": FAMILY,
    "jan_aadhaar": NUMBERS[ASHA],
    "full_name": "Asha Devi",
    "date_of_birth": date(1980, 2, 3),
    "gender": "F",
    "district_id": 17,
    "city_village": "Sanganer",
    "pincode": "302001",
    "mobile_number": "+919876543210",
    "email": "asha@example.com",
    "review_status": "PENDING_REVIEW",
    "updated_by": "citizen_portal",
    "created_at": UPDATED,
    "updated_at": UPDATED,
}
# A record that the warehouse had before, of the same person.
HELD: dict[str, Any] = {
    "family_id": "0b5bd3c2-8f6f-4f6e-9a55-0f2a3c1d4e5f",
    "jan_aadhaar": NUMBERS[ASHA],
    "full_name": "Asha Kumari",
    "date_of_birth": date(1979, 1, 1),
    "gender": "O",
    "district_id": 1,
    "city_village": "Ajmer",
    "pincode": "305001",
    "mobile_number": "9000000000",
    "email": "old@example.com",
    "review_status": "REVIEWED",
    "updated_by": "district_office",
    "created_at": REGISTERED - timedelta(days=900),
    "updated_at": UPDATED - SECOND,
}
# What the conflict rule never touches in a record that is there.
FIXED = ("family_id", "review_status", "created_at")


def given_citizen(citizen: Connection, who: str = ASHA, **columns: Any) -> None:
    """A citizen at the portal: as Asha, but for these columns."""
    insert(
        citizen, "citizens", {**CITIZEN, "aadhaar_number": NUMBERS.get(who), **columns, "id": who}
    )


def change(citizen: Connection, who: str = ASHA, **columns: Any) -> None:
    """Change a citizen at the portal."""
    assignments = ", ".join(f"{column} = %({column})s" for column in columns)
    execute(
        citizen, f"UPDATE citizens SET {assignments} WHERE id = %(who)s", {**columns, "who": who}
    )


def given_record(warehouse: Connection, gr_id: str = "GR-1", **columns: Any) -> None:
    """A golden record in the warehouse, a second older than Asha, but for these columns."""
    insert(warehouse, "golden_records", {**HELD, **columns, "gr_id": gr_id})


def records(warehouse: Connection) -> dict[str, dict[str, Any]]:
    """The golden records by their ids."""
    found = rows(warehouse, f"SELECT gr_id, {', '.join(RECORD)} FROM golden_records ORDER BY 1")
    return {gr_id: dict(zip(RECORD, values, strict=True)) for gr_id, *values in found}


def brief(warehouse: Connection) -> dict[str, tuple[str, str, str]]:
    """Of each golden record its number, name and review status."""
    columns = ("jan_aadhaar", "full_name", "review_status")
    return {
        gr_id: (found[columns[0]], found[columns[1]], found[columns[2]])
        for gr_id, found in records(warehouse).items()
    }


def made(warehouse: Connection, who: str, name: str) -> str:
    """The id of the record that a sync just made for a citizen, told by the name it has."""
    [gr_id] = [each for each, found in records(warehouse).items() if found["full_name"] == name]
    assert UUID(gr_id).version == 5
    assert gr_id != who
    return gr_id


def made_for(citizen: Connection, warehouse: Connection, who: str, name: str) -> str:
    """A citizen of this name, synced to a new record; its id."""
    given_citizen(citizen, who, full_name=name)
    carry(GOLDEN_RECORDS)
    return made(warehouse, who, name)


def row_versions(warehouse: Connection) -> dict[str, str]:
    """The versions of the golden records' rows: a row that was written has another."""
    return versions(warehouse, "golden_records", "gr_id")


def letters(citizen: Connection) -> list[tuple[str, str, str]]:
    """The open dead letters at the portal: record, category and error."""
    return rows(
        citizen,
        "SELECT record, category, error FROM synctasks.dead_letter WHERE state = 'open' ORDER BY 1",
    )
