"""An application at a target that gets in our way: with row locks, and in the opposite order."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial

import psycopg2
from psycopg2.errors import DeadlockDetected

from tests.acceptance.traffic import Threads
from tests.faults.applicants import SCHEMES
from tests.faults.fault import Fault
from tests.faults.ground import Ground
from tests.faults.servers import SIDES
from tests.rows import Connection, execute, value


@dataclass(frozen=True)
class Rows:
    """Rows that our sync writes at a side, in two parts: the later ones are locked first."""

    side: str
    table: str
    key: str
    later: str
    earlier: str

    def lock(self, part: str) -> str:
        return _LOCK.format(table=self.table, key=self.key, part=part)


ROWS = {
    "portal": Rows(
        "portal",
        "public.profile_data",
        "record_id",
        "record_id LIKE 'GR-0%' AND right(record_id, 5) >= '00020'",
        "record_id LIKE 'GR-0%' AND right(record_id, 5) < '00020'",
    ),
    # Of a wide unit some rows are locked, and others are not.
    "portal hints": Rows(
        "portal",
        "public.eligibility_hints",
        "family_id, scheme_code",
        f"scheme_code >= '{SCHEMES[7]}'",
        f"scheme_code < '{SCHEMES[7]}'",
    ),
    "warehouse": Rows(
        "warehouse",
        "public.golden_records",
        "gr_id",
        "jan_aadhaar BETWEEN '900000000000' AND '900000009999' AND gr_id LIKE 'GR-C-%'",
        "jan_aadhaar BETWEEN '900000000000' AND '900000009999' AND gr_id NOT LIKE 'GR-C-%'",
    ),
}
_LOCK = """\
SELECT count(*)
FROM (
    SELECT FROM {table}
    WHERE {part}
    ORDER BY ({key}) DESC
    FOR UPDATE
) AS locked
"""
_WE_WAIT = """\
SELECT EXISTS (
    SELECT FROM pg_stat_activity
    WHERE application_name LIKE 'synctasks%' AND wait_event_type = 'Lock'
        AND wait_event <> 'advisory'
)
"""


class Rival(Threads):
    """Locks the later records, waits until we wait for them, and then wants the earlier ones.

    We hold some of those, in the order of keys: one of the two has to give in. `locked` is how
    often all of them were got.
    """

    def __init__(self, ground: Ground, wanted: Rows) -> None:
        super().__init__(1)
        self._url = ground.environment[SIDES[wanted.side]]
        self._rows = wanted
        self.locked = 0
        self.deadlocks = 0

    def work(self, number: int) -> None:
        while not self.stopped:
            try:
                with closing(psycopg2.connect(self._url, connect_timeout=5)) as connection:
                    self._lock_all(connection)
            except DeadlockDetected:
                self.deadlocks += 1
            except psycopg2.OperationalError:
                self.wait(0.1)  # the server is gone: that is another fault's doing

    def _lock_all(self, connection: Connection) -> None:
        execute(connection, self._rows.lock(self._rows.later))
        while not self.stopped and not value(connection, _WE_WAIT):
            self.wait(0.02)
        execute(connection, self._rows.lock(self._rows.earlier))
        connection.rollback()
        self.locked += 1


@contextmanager
def locks_held(ground: Ground, _: random.Random, *, which: str) -> Iterator[None]:
    """A long transaction of an application holds the locks of half of the rows."""
    wanted = ROWS[which]
    with ground.at(SIDES[wanted.side]) as connection:
        connection.autocommit = False
        execute(connection, wanted.lock(wanted.later))
        yield
        connection.rollback()


@contextmanager
def deadlocked(ground: Ground, _: random.Random, *, which: str) -> Iterator[None]:
    """An application locks rows in the opposite order, again and again; it never loses."""
    with Rival(ground, ROWS[which]) as rival:
        yield
    assert not rival.deadlocks, "the application lost"


FAULTS = tuple(
    Fault(kind, which, (wanted.side,), partial(inflict, which=which), seconds=4.0)
    for kind, inflict in (("row locks", locks_held), ("deadlocks", deadlocked))
    for which, wanted in ROWS.items()
)
