"""Applications and what goes with them, both ways: no transition is lost, and none comes twice.

Beside the events of applications: decisions about them, comments that rest until their slot, and
alerts for families; all of them wait for people or applications that the other side may not know.
"""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from synctasks import slots
from synctasks.flows.to_citizen.application_decisions import APPLICATION_DECISIONS
from synctasks.flows.to_citizen.ml_alerts import ML_ALERTS
from synctasks.flows.to_warehouse.application_events import APPLICATION_EVENTS
from synctasks.flows.to_warehouse.feedback_analytics import FEEDBACK_ANALYTICS
from synctasks.flows.to_warehouse.golden_records import GOLDEN_RECORDS
from synctasks.schedule import Duty
from tests.integration.machine import applied
from tests.integration.machine.applicants import (
    A_SCHEME,
    ALERT_KEYS,
    APPLICATIONS,
    FEEDBACK,
    Portal,
    Warehouse,
)
from tests.integration.machine.flowing import Flowing, places, sessions
from tests.integration.machine.ground import Ground
from tests.integration.machine.people import CITIZENS
from tests.integration.machine.points import STEP
from tests.integration.machine.seen import Seen
from tests.rows import execute
from tests.transitions import FORGET

_STATUSES = ("submitted", "submitted", "under_review", "approved", "rejected", "withdrawn")
_A_DAY_PASSES = """\
UPDATE synctasks.installation SET installed_at = clock_timestamp() - interval '3 days';
DELETE FROM synctasks.slot WHERE duty = 'sync'
"""


class Applying(Flowing):
    """One life of citizens, their applications and comments, and what is decided about them."""

    flows = (
        GOLDEN_RECORDS,
        APPLICATION_EVENTS,
        APPLICATION_DECISIONS,
        ML_ALERTS,
        FEEDBACK_ANALYTICS,
    )

    def __init__(self, ground: Ground, url: str) -> None:
        keys = (CITIZENS, APPLICATIONS, APPLICATIONS, ALERT_KEYS, FEEDBACK)
        super().__init__(
            ground, {flow.name: some for flow, some in zip(self.flows, keys, strict=True)}
        )
        execute(ground.citizen, A_SCHEME)
        execute(ground.citizen, FORGET)
        self.portal, self.models = Portal(url), Warehouse(ground.warehouse_url)
        self.applications = [self.portal, self.models]
        self.seen = [
            Seen(ground.warehouse, applied.RECORDS, stays=True),
            Seen(ground.warehouse, applied.EVENTS, stays=True),
            Seen(ground.warehouse, applied.FEEDBACK, stays=True),
            Seen(ground.citizen, applied.DECISIONS, stays=True),
            Seen(ground.citizen, applied.ALERTS, stays=True),
        ]

    # Applications ---------------------------------------------------------------------------

    @rule(session=sessions, some=places, status=st.sampled_from(("verified", "pending")))
    def save(self, session: str, some: tuple[int, ...], status: str) -> None:
        self.portal.save(session, some, status)

    @rule(session=sessions, some=places, registered=st.booleans())
    def apply(self, session: str, some: tuple[int, ...], registered: bool) -> None:
        if registered:
            self.portal.save(session, some, "pending")
        self.portal.apply(session, some)

    @rule(
        session=sessions,
        some=places,
        statuses=st.lists(st.sampled_from(_STATUSES), min_size=1, max_size=3),
        timed=st.sampled_from((True, True, True, False)),
    )
    def become(self, session: str, some: tuple[int, ...], statuses: list[str], timed: bool) -> None:
        for status in statuses:
            self.portal.become(session, some, status, timed=timed)

    @rule(session=sessions, some=places)
    def time(self, session: str, some: tuple[int, ...]) -> None:
        self.portal.time(session, some)

    @rule(session=sessions, some=places)
    def delete(self, session: str, some: tuple[int, ...]) -> None:
        self.portal.delete(session, some)

    @rule(session=sessions, some=places)
    def comment(self, session: str, some: tuple[int, ...]) -> None:
        self.portal.comment(session, some)

    @rule(session=sessions, some=places)
    def decide(self, session: str, some: tuple[int, ...]) -> None:
        self.models.decide(session, some)

    @rule(session=sessions, some=places)
    def alert(self, session: str, some: tuple[int, ...]) -> None:
        self.models.alert(session, some)

    # The slot -------------------------------------------------------------------------------

    @precondition(lambda self: self.crew.has_room)
    @rule(passes=st.booleans(), stop=st.sampled_from((None, None, *STEP)))
    def take_slot(self, passes: bool, stop: str | None) -> None:
        """Beat and listeners may ask for it as often as they like."""
        if passes and not self.crew.paused:
            execute(self.ground.citizen, _A_DAY_PASSES)
        self.begin(FEEDBACK_ANALYTICS, self._take, stop)

    def _take(self) -> object:
        return slots.take(FEEDBACK_ANALYTICS, Duty.SYNC, datetime.now(UTC))

    # The end --------------------------------------------------------------------------------

    def carry(self) -> None:
        """Also what rests until the slot."""
        execute(self.ground.citizen, _A_DAY_PASSES)
        self._take()
        super().carry()

    def look_at_all(self) -> None:
        spared = {flow.name: self.crashed(flow) for flow in self.flows}
        if spared[GOLDEN_RECORDS.name]:
            # Nobody knows who waits for whom.
            return
        applied.look(self.ground.warehouse, self.ground.citizen, spared)
