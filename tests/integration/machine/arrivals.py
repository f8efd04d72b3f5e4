"""A smaller machine for the other direction: the latest wins, and documents wait for people."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from synctasks.capture import change_log
from synctasks.capture.waiting import wake_some
from synctasks.database import transaction
from synctasks.engine import refresh
from synctasks.engine.drain import drain
from synctasks.flows.to_warehouse.document_metadata import DOCUMENT_METADATA
from synctasks.flows.to_warehouse.golden_records import GOLDEN_RECORDS
from tests.integration.machine import books
from tests.integration.machine.application import AT_ONCE, SLOW
from tests.integration.machine.broken import NotAtRest
from tests.integration.machine.crew import MOST_WORKERS, Crew
from tests.integration.machine.ground import Ground
from tests.integration.machine.life import Life
from tests.integration.machine.people import (
    CITIZENS,
    DOCUMENTS,
    PLACES,
    PortalApplication,
    Records,
    document_lanes,
    look_at_documents,
)
from tests.integration.machine.points import CORRIDOR, LIMITS, STEP
from tests.refreshing import finish, versions
from tests.rows import execute, rows

_FLOWS = (GOLDEN_RECORDS, DOCUMENT_METADATA)
_MOST_DRAINS = 50

_places = st.permutations(PLACES).flatmap(
    lambda places: st.sampled_from([tuple(places[:count]) for count in (1, 1, 2)])
)
_sessions = st.sampled_from((AT_ONCE, AT_ONCE, *SLOW))
_stops = st.sampled_from((None, None, "staged", "target committed", *CORRIDOR))
_which = st.integers(0, MOST_WORKERS - 1)

_LADDERS_END = "UPDATE synctasks.change_log SET not_before = NULL WHERE not_before IS NOT NULL"
_AN_HOUR = "UPDATE synctasks.waiting SET next_look = next_look - interval '1 hour'"
_PENDING = "SELECT flow, key, attempts FROM synctasks.change_log"
_CRASHED = "SELECT unit FROM synctasks.dead_letter WHERE state <> 'resolved'"


class Arrivals(Life):
    """One life of citizens, documents, and what the warehouse knows of them."""

    def __init__(self, ground: Ground, url: str) -> None:
        super().__init__()
        ground.empty()
        self.ground = ground
        self.application = PortalApplication(url)
        self.records = Records(ground.warehouse)
        self.crew = Crew(ground, GOLDEN_RECORDS.source.database, self.records.look)
        self.lanes = document_lanes(ground.citizen)
        self.killed = False

    @rule(session=_sessions, places=_places, status=st.sampled_from(("verified", "pending")))
    def save(self, session: str, places: tuple[int, ...], status: str) -> None:
        self.application.save(session, places, status)

    @rule(session=_sessions, places=_places)
    def upload(self, session: str, places: tuple[int, ...]) -> None:
        self.application.upload(session, places)

    @precondition(lambda self: self.application.open)
    @rule(which=st.integers(0, 1), commit=st.sampled_from((True, True, False)))
    def end(self, which: int, commit: bool) -> None:
        open_ones = self.application.open
        self.application.end(open_ones[which % len(open_ones)], commit=commit)

    @precondition(lambda self: self.crew.has_room)
    @rule(stop=_stops)
    def drain_citizens(self, stop: str | None) -> None:
        self.crew.begin("citizens", lambda: drain(GOLDEN_RECORDS, 0, LIMITS), stop)

    @precondition(lambda self: self.crew.has_room)
    @rule(place=st.sampled_from(PLACES), stop=_stops)
    def drain_documents(self, place: int, stop: str | None) -> None:
        lane = self.lanes[place]
        self.crew.begin("documents", lambda: drain(DOCUMENT_METADATA, lane, LIMITS), stop)

    @precondition(lambda self: self.crew.has_room)
    @rule(
        which=st.integers(0, 1),
        asks=st.booleans(),
        before=st.integers(0, 8),
        stop=st.sampled_from((None, None, *CORRIDOR, *STEP)),
    )
    def steps(self, which: int, asks: bool, before: int, stop: str | None) -> None:
        flow = _FLOWS[which]
        if asks:
            refresh.request(flow, "test")
        for each in (*[None] * before, stop):
            self.crew.begin("step", lambda: refresh.step(flow, flow.lanes, LIMITS), each)

    @precondition(lambda self: self.crew.paused)
    @rule(which=_which, stop=_stops)
    def go_on(self, which: int, stop: str | None) -> None:
        self.crew.go_on(which, stop)

    @precondition(lambda self: self.crew.paused)
    @rule(which=_which)
    def kill(self, which: int) -> None:
        self.killed = True
        self.crew.kill(which)

    @rule()
    def time_passes(self) -> None:
        self.ground.let_time_pass(at_portal=True)

    @invariant()
    def looks_right(self) -> None:
        self.records.look()
        books.look(self.ground.citizen)

    def leave(self) -> None:
        self.crew.leave()
        self.application.close()

    def rest(self) -> None:
        """All arrive by events; what is asked for once more, and full runs, change nothing."""
        self.crew.end()
        for session in list(self.application.open):
            self.application.end(session, commit=True)
        self._carry()
        if self.killed:
            # Whoever dies before it has looked once more leaves that to the hourly look.
            self._an_hour_passes()
        self._look(spared=set(rows(self.ground.citizen, _CRASHED)))
        for flow, keys in zip(_FLOWS, (CITIZENS, DOCUMENTS), strict=True):
            change_log.request(flow, keys, "replay")
            self._carry()
        self._look(spared=set())
        self._write_nothing()

    def _an_hour_passes(self) -> None:
        with transaction(GOLDEN_RECORDS.source.database) as source:
            source.execute(_AN_HOUR)
            wake_some(source)
        self._carry()

    def _carry(self) -> None:
        for flow, lanes in zip(_FLOWS, ([0], sorted(set(self.lanes))), strict=True):
            for lane in lanes:
                for _ in range(_MOST_DRAINS):
                    execute(self.ground.citizen, _LADDERS_END)
                    if not change_log.pending(flow, lane):
                        break
                    drain(flow, lane)

    def _look(self, *, spared: set[str]) -> None:
        pending = rows(self.ground.citizen, _PENDING)
        if pending:
            raise NotAtRest(f"pending after all drains: {pending}")
        look_at_documents(self.ground.citizen, self.ground.warehouse, spared=spared)

    def _write_nothing(self) -> None:
        before = self._versions()
        for flow in _FLOWS:
            finish(flow)
            refresh.request(flow, "test")
            finish(flow)
        self._carry()
        if self._versions() != before:
            raise NotAtRest("a full run of what agrees wrote something")

    def _versions(self) -> list[dict[str, str]]:
        warehouse = self.ground.warehouse
        return [
            versions(warehouse, "golden_records", "gr_id"),
            versions(warehouse, "document_metadata", "document_id"),
        ]
