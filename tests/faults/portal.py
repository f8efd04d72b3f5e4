"""The portal at work: citizens register, are verified, move, and upload documents."""

from __future__ import annotations

import random
from uuid import UUID, uuid5

from psycopg2.extensions import cursor as Cursor

from tests.acceptance.traffic import Writers
from tests.rows import Connection, execute

CITIZENS, SESSIONS = 40, 2
EVERYBODY = CITIZENS * SESSIONS
# The first of each family is its head.
_FAMILY = 4
FAMILIES = EVERYBODY // _FAMILY
_SPACE = UUID("0d6b7a0c-9a4d-4c57-8f0b-6a5f3c0f7e11")

# The warehouse knows every second citizen already: their records are matched, not made.
KNOWN = f"""\
INSERT INTO golden_records (gr_id, jan_aadhaar, full_name, city_village, created_at, updated_at)
SELECT
    'GR-C-' || number, (900000000000 + number)::text, 'Known Before', 'v000000000',
    '2024-01-01 00:00+00', '2024-01-01 00:00+00'
FROM generate_series(0, {10 * CITIZENS}, 2) AS numbered (number)
"""

_REGISTER = """\
INSERT INTO citizens (
    id, aadhaar_number, family_id, is_family_head, full_name, gender, mobile_number, email, city,
    verification_status, created_at, updated_at
)
VALUES (
    %(id)s, %(aadhaar)s, %(family)s, %(is_head)s, 'Ravi Kumar', 'M', '9876543210',
    'ravi@example.com', %(city)s, 'pending', clock_timestamp(), clock_timestamp()
)
ON CONFLICT DO NOTHING
"""
_MOVE = """\
UPDATE citizens
SET city = %(city)s, updated_at = clock_timestamp(),
    verification_status = CASE WHEN %(verifies)s THEN 'verified' ELSE verification_status END
WHERE id = %(id)s
"""
_UPLOAD = """\
INSERT INTO documents (
    id, citizen_id, document_type, file_name, file_size, storage_key, uploaded_at,
    verification_status
)
SELECT %(document)s, id, 'income', 'income.pdf', 1024, 'somewhere', clock_timestamp(), 'pending'
FROM citizens
WHERE id = %(id)s
"""
_VERIFY_ALL = """\
UPDATE citizens
SET verification_status = 'verified', updated_at = clock_timestamp()
WHERE verification_status <> 'verified'
"""
_STATEMENTS, _WEIGHTS = (_REGISTER, _MOVE, _UPLOAD), (2, 6, 3)


class Citizens(Writers):
    """Each session has citizens of its own; their city is a version that only grows."""

    def write(self, cursor: Cursor, draw: random.Random, number: int, version: int) -> None:
        values = {
            **_citizen(number * CITIZENS + draw.randrange(CITIZENS)),
            "city": f"v{version:09}",
            "verifies": draw.random() < 0.3,
            "document": str(UUID(int=draw.getrandbits(128), version=4)),
        }
        cursor.execute(draw.choices(_STATEMENTS, _WEIGHTS)[0], values)


def citizen_id(number: int) -> str:
    return str(uuid5(_SPACE, str(number)))


def family_id(number: int) -> str:
    return str(uuid5(_SPACE, f"family {number}"))


def verify_all(portal: Connection) -> None:
    """Nobody is left for whom anything would have to wait."""
    for number in range(EVERYBODY):
        execute(portal, _REGISTER, {**_citizen(number), "city": "v000000001"})
    execute(portal, _VERIFY_ALL)


def _citizen(number: int) -> dict[str, object]:
    return {
        "id": citizen_id(number),
        "aadhaar": str(900_000_000_000 + number),
        "family": family_id(number // _FAMILY),
        "is_head": number % _FAMILY == 0,
    }
