"""The applications of both sides at work: they write at random, and go on whatever happens."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from uuid import UUID, uuid5

from psycopg2.extensions import cursor as Cursor

from synctasks.embedded.waiting import wait_until
from synctasks.flow import Database
from synctasks.flows import FLOWS
from tests.acceptance.traffic import Traffic, Writers
from tests.faults.applicants import Applicants, submit_all
from tests.faults.ground import CITIZEN, WAREHOUSE, Ground
from tests.faults.models import Models
from tests.faults.portal import KNOWN, SESSIONS, Citizens, verify_all
from tests.faults.visitors import Days, Visitors, a_day_passes
from tests.rows import execute

SCHEMES = 24
SCHEMES_SECONDS = 30
# So few that a full run never finds only half of what the last ones found.
MOST_INACTIVE = 6
# Schemes are no events, and records that nobody has updated for years are deferred.
NEED_A_RUN = ("schemes", "profile_data")
# The flows of the portal that have slots.
SLOTS = ("user_behavior", "feedback_analytics")
SPACE = UUID("5b1f35a4-5d0c-4a5e-9a0f-0e8d6c1f2b3a")

_NEW_SCHEME = """\
INSERT INTO eligibility.scheme_master (
    scheme_id, scheme_code, scheme_name, description, category, department_name, status, updated_at
)
VALUES (%s, %s, 'A scheme', 'v000000000', 'pension', 'Social Justice', 'ACTIVE', clock_timestamp())
"""
_CHANGE_SCHEME = """\
UPDATE eligibility.scheme_master
SET description = %s, status = %s, updated_at = clock_timestamp()
WHERE scheme_code = %s
"""
ASK = """\
INSERT INTO synctasks.run (flow, reason)
SELECT %(flow)s, 'the workload asks'
WHERE NOT EXISTS (
    SELECT FROM synctasks.run WHERE flow = %(flow)s AND state = 'requested'
)
"""


class SchemeMaster(Writers):
    """The department that keeps the schemes: a change each time, in use or out of it."""

    def write(self, cursor: Cursor, draw: random.Random, number: int, version: int) -> None:
        scheme = draw.randrange(SCHEMES)
        may_end = scheme < MOST_INACTIVE and draw.random() < 0.3
        status = "INACTIVE" if may_end else "ACTIVE"
        cursor.execute(_CHANGE_SCHEME, (f"v{version:09}", status, f"RJ-{scheme:03}"))


class Asker(Writers):
    """Asks for full runs of the flows that start at its side, as a bulk statement does."""

    def __init__(self, url: str, flows: tuple[str, ...], *, pause: float, seed: int) -> None:
        super().__init__(url, writers=1, tolerant=True, pause=pause, seed=seed)
        self._flows = flows

    def write(self, cursor: Cursor, draw: random.Random, number: int, version: int) -> None:
        cursor.execute(ASK, {"flow": draw.choice(self._flows)})


class Workload:
    """Everything that the applications of both sides do at once."""

    def __init__(self, ground: Ground, *, seed: int, pause: float, ask_pause: float) -> None:
        warehouse, portal = ground.environment[WAREHOUSE], ground.environment[CITIZEN]
        self._writers: list[Writers] = [
            Traffic(warehouse, writers=2, tolerant=True, pause=1.5 * pause, seed=seed),
            SchemeMaster(warehouse, writers=1, tolerant=True, pause=10 * pause, seed=seed),
            Models(warehouse, writers=1, tolerant=True, pause=3 * pause, seed=seed),
            Citizens(portal, writers=SESSIONS, tolerant=True, pause=3 * pause, seed=seed),
            Applicants(portal, writers=1, tolerant=True, pause=3 * pause, seed=seed),
            Visitors(portal, writers=1, tolerant=True, pause=6 * pause, seed=seed),
        ]
        self._clocks = [
            Asker(warehouse, _from(Database.WAREHOUSE), pause=ask_pause, seed=seed),
            Asker(portal, _from(Database.CITIZEN), pause=ask_pause, seed=seed),
            Days(portal, writers=1, tolerant=True, pause=3 * ask_pause, seed=seed),
        ]

    @property
    def writes(self) -> int:
        """How many statements were committed so far."""
        return sum(each.writes for each in self._writers)

    @property
    def failed(self) -> bool:
        return any(each.failed for each in (*self._writers, *self._clocks))

    def go_on(self, seconds: float, writes: int = 0) -> None:
        """Return after that time and that many statements, or when a writer has failed."""
        until, count = time.monotonic() + seconds, self.writes + writes
        wait_until(
            lambda: self.failed or (time.monotonic() >= until and self.writes >= count),
            seconds + 20,
            f"{writes} writes",
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        """The applications write for the length of the block."""
        with ExitStack() as stack:
            for each in (*self._writers, *self._clocks):
                stack.enter_context(each)
            yield


@contextmanager
def working(
    ground: Ground, *, seed: int = 0, pause: float = 0.02, ask_pause: float = 1.0
) -> Iterator[Workload]:
    """A workload on a ground that was emptied, for the length of the block.

    What has to arrive at its end: what is no event needs a full run; what waits for citizens or
    applications waits until they are there; what rests until its slot is due.
    """
    with ground.warehouse() as warehouse:
        for scheme in range(SCHEMES):
            code = f"RJ-{scheme:03}"
            execute(warehouse, _NEW_SCHEME, (str(uuid5(SPACE, code)), code))
        execute(warehouse, KNOWN)
        execute(warehouse, ASK, {"flow": "schemes"})
    wait_until(partial(_knows_schemes, ground), SCHEMES_SECONDS, "the portal to know the schemes")
    workload = Workload(ground, seed=seed, pause=pause, ask_pause=ask_pause)
    with workload.running():
        yield workload
    with ground.warehouse() as warehouse, ground.citizen() as portal:
        for flow in NEED_A_RUN:
            execute(warehouse, ASK, {"flow": flow})
        verify_all(portal)
        submit_all(warehouse, portal)
        a_day_passes(portal)
    for flow in SLOTS:
        ground.send("control.knock", "control", flow=flow)


def _knows_schemes(ground: Ground) -> bool:
    """People apply for schemes, so there must be some."""
    return len(ground.at_citizen("SELECT FROM schemes")) == SCHEMES


def _from(database: Database) -> tuple[str, ...]:
    return tuple(flow.name for flow in FLOWS if flow.source.database is database)
