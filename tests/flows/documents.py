"""Given documents at the portal, what the warehouse knows of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.flows.citizens import ASHA
from tests.rows import Connection, insert, rows

UPLOADED = datetime(2025, 4, 1, 9, 15, tzinfo=UTC)
DOCUMENT: dict[str, Any] = {
    "citizen_id": ASHA,
    "document_type": "income_certificate",
    "file_name": "income.pdf",
    "file_size": 123_456,
    "storage_key": "vault/7/income.pdf",
    "uploaded_at": UPLOADED,
    "verification_status": "pending",
}
# What it comes to in the warehouse, beside whose it is.
SHOWN: dict[str, Any] = {
    "document_type": "income_certificate",
    "file_name": "income.pdf",
    "file_size": 123_456,
    "uploaded_at": UPLOADED,
    "verification_status": "pending",
}


def document_id(number: int = 1) -> str:
    """The id of a document; they sort as their numbers do."""
    return f"00000000-0000-4000-a000-{number:012}"


def given_document(citizen: Connection, number: int = 1, **columns: Any) -> str:
    """A document of Asha's at the portal, but for these columns; its id."""
    insert(citizen, "documents", {**DOCUMENT, **columns, "id": document_id(number)})
    return document_id(number)


def shown(warehouse: Connection) -> dict[str, dict[str, Any]]:
    """The documents that the warehouse knows, by id."""
    columns = ("citizen_id", *SHOWN)
    found = rows(warehouse, f"SELECT document_id, {', '.join(columns)} FROM document_metadata")
    return {each: dict(zip(columns, values, strict=True)) for each, *values in found}


def waiting(citizen: Connection) -> dict[str, bool]:
    """Who waits: by unit whether it rests already, instead of being tried by itself."""
    return dict(rows(citizen, "SELECT unit, since IS NOT NULL FROM synctasks.waiting"))
