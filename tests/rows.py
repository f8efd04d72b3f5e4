"""Reading and writing rows in tests, in a line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg2
from psycopg2 import sql

Connection = psycopg2.extensions.connection

PERSON = {
    "family_id": "7d444840-9dc0-41e0-9a5b-30d4c2f5c8a1",
    "jan_aadhaar": "123456781234",
    "full_name": "Asha Devi",
    "date_of_birth": "1980-02-03",
    "gender": "F",
    "district_id": 8,
    "city_village": "Jaipur",
    "mobile_number": "9876543210",
    "email": "asha@example.com",
    "created_at": "2024-01-01 00:00+00",
}


def execute(connection: Connection, statement: str, parameters: Any = None) -> None:
    """Run statements."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def rows(connection: Connection, statement: str, parameters: Any = None) -> list[Any]:
    """All rows; those of one column as plain values."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [row[0] if len(row) == 1 else row for row in cursor.fetchall()]


def value(connection: Connection, statement: str, parameters: Any = None) -> Any:
    """The first row's value, or its tuple of values."""
    return rows(connection, statement, parameters)[0]


def insert(connection: Connection, table: str, row: Mapping[str, Any]) -> None:
    """Insert one row."""
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(*table.split(".")),
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join(map(sql.Placeholder, row)),
    )
    execute(connection, statement, row)


def add_record(connection: Connection, gr_id: str, **columns: Any) -> None:
    """Insert a valid golden record, updated now unless `updated_at` is given."""
    now = value(connection, "SELECT clock_timestamp()")
    insert(
        connection,
        "golden_records",
        {**PERSON, "updated_at": now, **columns, "gr_id": gr_id},
    )


def names_at_portal(citizen: Connection) -> dict[str, str]:
    """What the portal shows: full names by record."""
    return dict(rows(citizen, "SELECT record_id, full_name FROM profile_data"))


def pending(warehouse: Connection) -> list[tuple[str, str]]:
    """The change log: (key, operation), oldest first."""
    return rows(warehouse, "SELECT key, operation FROM synctasks.change_log ORDER BY id")
