"""The portal's visitors: they look around, late events of complete days included, and comment."""

from __future__ import annotations

import random
from uuid import UUID

from psycopg2.extensions import cursor as Cursor

from tests.acceptance.traffic import Writers
from tests.faults.applicants import SCHEMES
from tests.faults.portal import EVERYBODY, citizen_id
from tests.rows import Connection, execute

# Whatever the hour, the last slot takes these days again.
_THAT_DAY = "current_date - %(days)s + interval '12 hours' + %(seconds)s * interval '1 second'"
_HAPPEN = (
    f"""\
INSERT INTO page_views (citizen_id, path, duration_seconds, occurred_at)
VALUES (%(citizen)s, '/schemes', %(seconds)s, {_THAT_DAY})
""",
    f"""\
INSERT INTO scheme_clicks (citizen_id, scheme_id, occurred_at)
SELECT %(citizen)s, id, {_THAT_DAY} FROM schemes WHERE code = %(scheme)s
""",
    f"""\
INSERT INTO eligibility_checks (citizen_id, duration_seconds, occurred_at)
VALUES (%(citizen)s, %(seconds)s, {_THAT_DAY})
""",
    f"""\
INSERT INTO search_queries (citizen_id, query, occurred_at)
VALUES (%(citizen)s, 'pension', {_THAT_DAY})
""",
)
_COMMENT = """\
INSERT INTO feedback (id, citizen_id, feedback_type, rating, comment, scheme_id, created_at)
SELECT
    %(feedback)s, citizens.id, 'praise', %(rating)s, %(comment)s,
    (SELECT id FROM schemes WHERE code = %(scheme)s), clock_timestamp()
FROM citizens
WHERE citizens.id = %(citizen)s
"""
# Its slots are due anew: beat knocks, or the listener makes them up.
_A_DAY_PASSES = """\
UPDATE synctasks.installation SET installed_at = clock_timestamp() - interval '3 days';
DELETE FROM synctasks.slot WHERE duty = 'sync'
"""


class Visitors(Writers):
    """Those who comment may be unknown to the warehouse yet; whose visits count is known to it."""

    def write(self, cursor: Cursor, draw: random.Random, number: int, version: int) -> None:
        comments = draw.random() < 0.3
        visitor = draw.randrange(EVERYBODY)
        values = {
            "citizen": citizen_id(visitor if comments else visitor // 2 * 2),
            "days": draw.choice((2, 3)),
            "seconds": draw.randint(1, 900),
            "scheme": draw.choice((*SCHEMES, None)),
            "feedback": str(UUID(int=draw.getrandbits(128), version=4)),
            "rating": draw.choice((1, 2, 3, 4, 5, None)),
            "comment": f"comment {version}",
        }
        cursor.execute(_COMMENT if comments else draw.choice(_HAPPEN), values)


class Days(Writers):
    """Days go by, one with each pause."""

    def write(self, cursor: Cursor, draw: random.Random, number: int, version: int) -> None:
        cursor.execute(_A_DAY_PASSES)


def a_day_passes(portal: Connection) -> None:
    """What rests until its slot is due."""
    execute(portal, _A_DAY_PASSES)
