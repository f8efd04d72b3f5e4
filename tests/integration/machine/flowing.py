"""A machine for any flows: what workers, operators and time do; a life says what is written.

A flow is carried for few keys, by drains and by full runs that stop and die at any of their points.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from synctasks.capture import change_log
from synctasks.engine import refresh
from synctasks.engine.drain import drain
from synctasks.engine.verify import verify
from synctasks.errors import LaneBusy
from synctasks.flow import Flow
from tests.integration.machine import books
from tests.integration.machine.application import AT_ONCE, SLOW
from tests.integration.machine.broken import FalseAlarm
from tests.integration.machine.crew import MOST_WORKERS
from tests.integration.machine.points import CORRIDOR, LIMITS, STEP
from tests.integration.machine.settling import Settling

PLACES = range(3)
places = st.permutations(PLACES).flatmap(
    lambda some: st.sampled_from([tuple(some[:count]) for count in (1, 1, 2)])
)
sessions = st.sampled_from((AT_ONCE, AT_ONCE, *SLOW))
_which = st.integers(0, 9)
_stops = st.sampled_from((None, None, None, "staged", "target committed", *CORRIDOR))
_step_stops = st.sampled_from((None, None, *CORRIDOR, *STEP))


class Flowing(Settling):
    """One life of some flows, in which anything may happen to whoever carries them."""

    # Applications ---------------------------------------------------------------------------

    @precondition(lambda self: self.open_sessions())
    @rule(which=_which, commit=st.sampled_from((True, True, False)))
    def end(self, which: int, commit: bool) -> None:
        open_ones = self.open_sessions()
        application, session = open_ones[which % len(open_ones)]
        application.end(session, commit=commit)

    # Workers --------------------------------------------------------------------------------

    @precondition(lambda self: self.crew.has_room)
    @rule(which=_which, place=st.sampled_from(PLACES), stop=_stops)
    def drain(self, which: int, place: int, stop: str | None) -> None:
        flow = self._flow(which)
        lane = self.lanes[flow.name][place % len(self.lanes[flow.name])]
        self.begin(flow, lambda: drain(flow, lane, LIMITS), stop)

    @precondition(lambda self: self.crew.has_room)
    @rule(which=_which, asks=st.booleans(), before=st.integers(0, 8), stop=_step_stops)
    def steps(self, which: int, asks: bool, before: int, stop: str | None) -> None:
        flow = self._flow(which)
        if asks:
            refresh.request(flow, "test")
        for each in (*[None] * before, stop):
            self.begin(flow, lambda: refresh.step(flow, flow.lanes, LIMITS), each)

    @precondition(lambda self: self.crew.paused)
    @rule(which=_which, stop=_stops)
    def go_on(self, which: int, stop: str | None) -> None:
        self.crew.go_on(which, stop)

    @precondition(lambda self: self.crew.paused)
    @rule(which=st.integers(0, MOST_WORKERS - 1))
    def kill(self, which: int) -> None:
        self.killed = True
        self.crew.kill(which)

    # Operators, and time --------------------------------------------------------------------

    @rule(which=_which, wanted=places, origin=st.sampled_from(("replay", "repair")))
    def ask(self, which: int, wanted: tuple[int, ...], origin: str) -> None:
        flow = self._flow(which)
        keys = self.keys[flow.name]
        change_log.request(flow, [keys[place % len(keys)] for place in wanted], origin)

    @rule(which=_which)
    def check(self, which: int) -> None:
        """Nothing that is on its way is called a difference."""
        flow = self._flow(which)
        try:
            *_, last = verify(flow, flow.lanes)
        except LaneBusy:
            return
        if last.wrong:
            raise FalseAlarm(f"{flow.name}: {last.counts}")

    @rule(at_portal=st.booleans())
    def time_passes(self, at_portal: bool) -> None:
        self.ground.let_time_pass(at_portal=at_portal)

    @invariant()
    def looks_right(self) -> None:
        self.look()
        for side in (self.ground.warehouse, self.ground.citizen):
            books.look(side)

    def begin(self, flow: Flow, work: Callable[[], Any], stop: str | None) -> None:
        """A worker for a flow, until it reaches the point where it is to stop, or ends."""
        self.crew.begin(flow.name, work, stop, source=flow.source.database)

    def _flow(self, which: int) -> Flow:
        return self.flows[which % len(self.flows)]
