"""Citizens and their documents: the portal's application, and what the warehouse must hold.

Citizens are stamped with times that grow with every write. A citizen who was verified stays so.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, closing

import psycopg2
from psycopg2 import errors

from synctasks.flows.to_warehouse.document_metadata import DOCUMENT_METADATA
from synctasks.lane import lane_sql
from tests.integration.machine.application import AT_ONCE, SLOW
from tests.integration.machine.broken import Differs, WentBack
from tests.rows import Connection, execute, rows

PLACES = range(3)
CITIZENS = tuple(f"00000000-0000-4000-8000-00000000000{place + 1}" for place in PLACES)
NUMBERS = ("111111111111", "222222222222", "333333333333")
DOCUMENTS = tuple(f"00000000-0000-4000-a000-00000000000{place + 1}" for place in PLACES)

_SAVE = """\
INSERT INTO citizens (id, aadhaar_number, full_name, verification_status, created_at, updated_at)
SELECT
    wanted.id::uuid, wanted.number, %(name)s, %(status)s, '2024-01-01Z',
    '2025-01-01Z'::timestamptz + make_interval(secs => %(stamp)s)
FROM unnest(%(ids)s, %(numbers)s) AS wanted (id, number)
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
_REFUSED = (errors.LockNotAvailable, errors.DeadlockDetected)

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


class PortalApplication:
    """Sessions at the portal; what another one has locked is not written."""

    def __init__(self, url: str) -> None:
        self._ends = ExitStack()
        self._sessions = {name: self._connect(url) for name in (AT_ONCE, *SLOW)}
        self._sessions[AT_ONCE].autocommit = True
        self._stamp = 0
        self.open: list[str] = []

    def _connect(self, url: str) -> Connection:
        session = self._ends.enter_context(closing(psycopg2.connect(url)))
        execute(session, "SET lock_timeout = '3ms'")
        session.commit()
        return session

    def save(self, session: str, places: Sequence[int], status: str) -> None:
        self._stamp += 1
        named = {"name": f"Name {self._stamp:06}", "stamp": self._stamp, "status": status}
        ids, numbers = _at(CITIZENS, places), _at(NUMBERS, places)
        self._write(session, _SAVE, {**named, "ids": ids, "numbers": numbers})

    def upload(self, session: str, places: Sequence[int]) -> None:
        """Documents, each of the citizen at its own place."""
        keys = {"ids": _at(DOCUMENTS, places), "owners": _at(CITIZENS, places)}
        self._write(session, _UPLOAD, keys)

    def end(self, session: str, *, commit: bool) -> None:
        self.open.remove(session)
        (self._sessions[session].commit if commit else self._sessions[session].rollback)()

    def close(self) -> None:
        self._ends.close()

    def _write(self, name: str, statement: str, parameters: dict[str, object]) -> None:
        session = self._sessions[name]
        if name != AT_ONCE:
            if name not in self.open:
                self.open.append(name)
            execute(session, "SAVEPOINT write")
        try:
            execute(session, statement, parameters)
        except _REFUSED:
            if name != AT_ONCE:
                execute(session, "ROLLBACK TO SAVEPOINT write")


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


def _at(values: Sequence[str], places: Sequence[int]) -> list[str]:
    return [values[place] for place in places]
