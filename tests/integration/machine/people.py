"""Citizens and their documents: the portal's application, and what the warehouse must hold.

Citizens are stamped with times that grow with every write. A citizen who was verified stays so.
"""

from __future__ import annotations

from collections.abc import Sequence

from synctasks.flows.to_warehouse.document_metadata import DOCUMENT_METADATA
from synctasks.lane import lane_sql
from tests.integration.machine.broken import Differs, WentBack
from tests.integration.machine.sessions import Sessions
from tests.rows import Connection, rows

PLACES = range(3)
CITIZENS = tuple(f"00000000-0000-4000-8000-00000000000{place + 1}" for place in PLACES)
NUMBERS = ("111111111111", "222222222222", "333333333333")
FAMILIES = (
    "10000000-0000-4000-8000-000000000001",
    "10000000-0000-4000-8000-000000000001",
    "10000000-0000-4000-8000-000000000002",
)
DOCUMENTS = tuple(f"00000000-0000-4000-a000-00000000000{place + 1}" for place in PLACES)

_SAVE = """\
INSERT INTO citizens (
    id, aadhaar_number, family_id, full_name, verification_status, created_at, updated_at
)
SELECT
    wanted.id::uuid, wanted.number, wanted.family, 'Name ' || lpad(%(number)s::text, 6, '0'),
    %(status)s, '2024-01-01Z', '2025-01-01Z'::timestamptz + make_interval(secs => %(number)s)
FROM unnest(%(ids)s, %(numbers)s, %(families)s) AS wanted (id, number, family)
ON CONFLICT (id) DO UPDATE SET
    full_name = EXCLUDED.full_name,
    updated_at = EXCLUDED.updated_at,
    verification_status = CASE
        WHEN citizens.verification_status = 'verified' THEN 'verified'
        ELSE EXCLUDED.verification_status
    END
"""
_UPLOAD = """\
INSERT INTO documents (
    id, citizen_id, document_type, file_name, file_size, uploaded_at, verification_status
)
SELECT wanted.id::uuid, owner.id, 'income', 'income.pdf', 1, '2025-01-01Z', 'pending'
FROM unnest(%(ids)s, %(owners)s) AS wanted (id, owner)
JOIN citizens AS owner ON owner.id = wanted.owner::uuid
ON CONFLICT DO NOTHING
"""

_LATEST = """\
SELECT DISTINCT ON (aadhaar_number) aadhaar_number, full_name
FROM citizens
WHERE verification_status = 'verified'
ORDER BY aadhaar_number, updated_at DESC
"""
_RECORDS = "SELECT jan_aadhaar, full_name, gr_id FROM golden_records"
_STAMPS = "SELECT jan_aadhaar, updated_at FROM golden_records"
_OWNED = """\
SELECT document.id::text, citizen.aadhaar_number
FROM documents AS document
JOIN citizens AS citizen ON citizen.id = document.citizen_id
"""
_SHOWN = "SELECT document_id::text, citizen_id FROM document_metadata"
_WAITING = "SELECT unit FROM synctasks.waiting WHERE since IS NOT NULL"
_LANES = f"SELECT {lane_sql('named.id', DOCUMENT_METADATA.lanes)} FROM unnest(%s) AS named (id)"


class PortalApplication(Sessions):
    """The portal's citizens and their documents."""

    def save(self, session: str, places: Sequence[int], status: str) -> None:
        named = {"status": status, "families": at(FAMILIES, places)}
        ids, numbers = at(CITIZENS, places), at(NUMBERS, places)
        self.write(session, _SAVE, **named, ids=ids, numbers=numbers)

    def upload(self, session: str, places: Sequence[int]) -> None:
        """Documents, each of the citizen at its own place."""
        self.write(session, _UPLOAD, ids=at(DOCUMENTS, places), owners=at(CITIZENS, places))


class Records:
    """The golden records' stamps, look by look: the latest wins, and none goes away."""

    def __init__(self, warehouse: Connection) -> None:
        self._warehouse = warehouse
        self._last: dict[str, object] = {}

    def look(self) -> None:
        """Raises WentBack."""
        now: dict[str, object] = {}
        for number, stamp in rows(self._warehouse, _STAMPS):
            if number in now:
                raise WentBack(f"{number[:2]}: two golden records")
            now[number] = stamp
        for number, stamp in self._last.items():
            if number not in now or now[number] < stamp:  # type: ignore[operator]
                raise WentBack(f"{number[:2]}: {now.get(number)} after {stamp}")
        self._last = now


def look_at_documents(citizen: Connection, warehouse: Connection, *, spared: set[str]) -> None:
    """Records are their latest citizens; documents are there, or wait. Raises Differs."""
    expected = dict(rows(citizen, _LATEST))
    found = {number: (name, key) for number, name, key in rows(warehouse, _RECORDS)}
    names = {number: name for number, (name, _) in found.items()}
    if not spared & set(CITIZENS) and names != expected:
        raise Differs(f"golden records: {names}, expected {expected}")
    shown, waiting = dict(rows(warehouse, _SHOWN)), set(rows(citizen, _WAITING))
    for document, number in rows(citizen, _OWNED):
        owner = found[number][1] if number in found else None
        there = shown.get(document) == owner and (document in waiting) == (owner is None)
        if document not in spared and not there:
            raise Differs(f"{document} of {owner}: shown {shown.get(document)}, {waiting}")


def document_lanes(citizen: Connection) -> list[int]:
    """The lanes of the documents, by place."""
    return rows(citizen, _LANES, [list(DOCUMENTS)])


def at(values: Sequence[str], places: Sequence[int]) -> list[str]:
    """Those at the places, in their order."""
    return [values[place] for place in places]
