"""The portal's applications: applied for, submitted, reviewed and decided; some are deleted then.

Each statement or transaction is one or several transitions. What is decided at the warehouse is
never deleted, and never withdrawn before it was submitted: nobody would say that it is known.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from uuid import UUID, uuid5

from psycopg2.extensions import cursor as Cursor

from tests.acceptance.traffic import Writers
from tests.faults.portal import EVERYBODY, citizen_id
from tests.rows import Connection, execute, rows

# Some applications at a time; after so many statements their turn is over.
APPLICATIONS, TURN = 8, 64
# Those with the first numbers of each turn may go.
PASSING = 3
# Always in use, and so always known to the portal.
SCHEMES = tuple(f"RJ-{number:03}" for number in range(12, 24))
_SPACE = UUID("a2d0f9a4-9d7e-4bb7-9d5c-0b1c6a3b8f52")

_NEXT = {
    "draft": ("submitted", "submitted", "withdrawn"),
    "submitted": ("under_review", "under_review", "under_review", "withdrawn"),
    "under_review": ("approved", "approved", "rejected"),
    # An appeal.
    "rejected": ("submitted",),
    "approved": (),
    "withdrawn": (),
}
_APPLY = """\
INSERT INTO service_applications (id, citizen_id, scheme_id, status, created_at, updated_at)
SELECT %(id)s, citizens.id, schemes.id, 'draft', clock_timestamp(), clock_timestamp()
FROM citizens, schemes
WHERE citizens.id = %(citizen)s AND schemes.code = %(scheme)s
"""
_STATUS = "SELECT status FROM service_applications WHERE id = %s"
_BECOME = {
    "": "UPDATE service_applications SET status = %s, updated_at = clock_timestamp() WHERE id = %s",
    "submitted": """\
UPDATE service_applications
SET status = %s, submitted_at = clock_timestamp(), updated_at = clock_timestamp()
WHERE id = %s
""",
    "approved": """\
UPDATE service_applications
SET status = %s, approved_at = clock_timestamp(), updated_at = clock_timestamp()
WHERE id = %s
""",
}
# Its time is set by a statement of its own, in the same transaction.
_APPROVE_LATER = f"""\
{_BECOME[""]};
UPDATE service_applications SET approved_at = clock_timestamp() WHERE id = %s
"""
_DELETE = "DELETE FROM service_applications WHERE id = %s"

_MISSING = """\
INSERT INTO service_applications (
    id, citizen_id, scheme_id, status, submitted_at, created_at, updated_at
)
SELECT decided.id, %(citizen)s, schemes.id, 'submitted', now, now, now
FROM unnest(%(ids)s::uuid[]) AS decided (id), schemes, clock_timestamp() AS now
WHERE schemes.code = %(scheme)s
ON CONFLICT DO NOTHING
"""
_SUBMIT_ALL = """\
UPDATE service_applications
SET status = 'submitted', submitted_at = clock_timestamp(), updated_at = clock_timestamp()
WHERE status = 'draft'
"""


class Applicants(Writers):
    """Sessions whose applications go their way, step by step or several steps at once."""

    def write(self, cursor: Cursor, draw: random.Random, number: int, version: int) -> None:
        turn, place = version // TURN, draw.randrange(APPLICATIONS)
        if turn and place < PASSING and draw.random() < 0.3:
            cursor.execute(_DELETE, [application_id(number, turn - 1, place)])
            return
        application = application_id(number, turn, place)
        cursor.execute(_STATUS, [application])
        found = cursor.fetchone()
        if found is None:
            applicant = {
                "citizen": citizen_id(draw.randrange(EVERYBODY)),
                "scheme": draw.choice(SCHEMES),
            }
            cursor.execute(_APPLY, {**applicant, "id": application})
            return
        steps = list(_steps(draw, found[0], may_go=place < PASSING))
        if steps:
            cursor.execute(b";\n".join(_becomes(cursor, draw, each, application) for each in steps))


def _steps(draw: random.Random, status: str, *, may_go: bool) -> Iterator[str]:
    """One transition, or some that the application commits together."""
    for _ in range(draw.choice((1, 1, 1, 2, 4))):
        choices = _NEXT[status]
        if status == "draft" and not may_go:
            choices = ("submitted",)
        if not choices:
            return
        status = draw.choice(choices)
        yield status


def _becomes(cursor: Cursor, draw: random.Random, status: str, application: str) -> bytes:
    if status == "approved" and draw.random() < 0.3:
        statement: bytes = cursor.mogrify(_APPROVE_LATER, [status, application, application])
        return statement
    became: bytes = cursor.mogrify(_BECOME.get(status, _BECOME[""]), [status, application])
    return became


def application_id(number: int, turn: int, place: int) -> str:
    return str(uuid5(_SPACE, f"{number} {turn} {place}"))


def submit_all(warehouse: Connection, portal: Connection) -> None:
    """No decision is left for whose application nobody would announce."""
    decided = rows(warehouse, "SELECT application_id::text FROM decision.applications")
    missing = {"ids": decided, "citizen": citizen_id(0), "scheme": SCHEMES[0]}
    execute(portal, _MISSING, missing)
    execute(portal, _SUBMIT_ALL)
