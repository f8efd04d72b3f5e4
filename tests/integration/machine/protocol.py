"""The machine: what may happen next, in any order, and what must hold after each of it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from synctasks.capture import change_log
from synctasks.engine import refresh
from synctasks.engine.drain import drain
from synctasks.engine.verify import verify
from synctasks.errors import LaneBusy, TransientError
from tests.integration.machine import books
from tests.integration.machine.application import AT_ONCE, KINDS, SLOW, Application
from tests.integration.machine.broken import FalseAlarm
from tests.integration.machine.ground import FLOW, Ground
from tests.integration.machine.points import CORRIDOR, STEP
from tests.integration.machine.portal import Portal
from tests.integration.machine.rest import TIME_PASSES, come_to_rest
from tests.integration.machine.worker import Killed, Worker
from tests.rows import execute

MOST_WORKERS = 3
# Of the ground's keys and lanes, by place.
PLACES = range(4)

_some = st.lists(st.sampled_from(PLACES), min_size=1, max_size=3, unique=True)
_sessions = st.sampled_from((AT_ONCE, AT_ONCE, *SLOW))
_kinds = st.sampled_from(("good", *KINDS))
_lanes = st.integers(0, 1)
_drain_stops = st.sampled_from((None, *CORRIDOR))
_step_stops = st.sampled_from((None, *CORRIDOR, *STEP))
_which = st.integers(0, MOST_WORKERS - 1)

_BATCH_LIMIT = "UPDATE synctasks.lane SET batch_limit = %s WHERE lane = %s"


class Protocol(RuleBasedStateMachine):
    """One life of the two databases."""

    def __init__(self, ground: Ground) -> None:
        super().__init__()
        ground.empty()
        self.ground = ground
        self.application = Application(ground.warehouse_url)
        self.portal = Portal(ground.citizen, self.application.gone)
        self.paused: list[Worker] = []
        self._started = 0

    # The application ------------------------------------------------------------------------

    @rule(session=_sessions, places=_some, kind=_kinds)
    def save(self, session: str, places: list[int], kind: str) -> None:
        self.application.save(session, self._keys(places), kind)

    @rule(session=_sessions, places=_some, kind=_kinds)
    def change(self, session: str, places: list[int], kind: str) -> None:
        self.application.change(session, self._keys(places), kind)

    @rule(session=_sessions, places=_some)
    def delete(self, session: str, places: list[int]) -> None:
        self.application.delete(session, self._keys(places))

    @rule(session=_sessions, places=st.permutations(PLACES), count=st.integers(1, 2))
    def move(self, session: str, places: list[int], count: int) -> None:
        keys = self._keys(places)
        self.application.move(session, keys[:count], keys[2 : 2 + count])

    @precondition(lambda self: self.application.open)
    @rule(which=st.integers(0, 1), commit=st.sampled_from((True, True, False)))
    def end(self, which: int, commit: bool) -> None:
        open_ones = self.application.open
        self.application.end(open_ones[which % len(open_ones)], commit=commit)

    # Workers --------------------------------------------------------------------------------

    @precondition(lambda self: len(self.paused) < MOST_WORKERS)
    @rule(lane=_lanes, stop=_drain_stops)
    def drain(self, lane: int, stop: str | None) -> None:
        self._begin("drain", lambda: drain(FLOW, self.ground.lanes[lane]), stop)

    @precondition(lambda self: len(self.paused) < MOST_WORKERS)
    @rule(stop=_step_stops)
    def step(self, stop: str | None) -> None:
        self._begin("step", self._step, stop)

    @rule(count=st.integers(2, 12))
    def steps(self, count: int) -> None:
        for _ in range(count):
            self._run(Worker("step", self._step, self.portal.look), None)

    @precondition(lambda self: self.paused)
    @rule(which=_which, stop=_step_stops)
    def go_on(self, which: int, stop: str | None) -> None:
        self._run(self._take_out(which), stop)

    @precondition(lambda self: self.paused)
    @rule(which=_which)
    def kill(self, which: int) -> None:
        worker = self._take_out(which)
        worker.kill()
        self.ground.await_end(worker)
        self._judge(worker)

    # Whoever asks for something, and time -----------------------------------------------------

    @rule(accepts_shrink=st.booleans())
    def ask_for_a_run(self, accepts_shrink: bool) -> None:
        refresh.request(FLOW, "test", accepts_shrink=accepts_shrink)

    @rule(places=_some, origin=st.sampled_from(("key", "replay", "repair")))
    def ask_for_keys(self, places: list[int], origin: str) -> None:
        change_log.request(FLOW, self._keys(places), origin)

    @rule()
    def verify(self) -> None:
        try:
            *_, last = verify(FLOW, FLOW.lanes)
        except LaneBusy:
            return
        if last.wrong:
            raise FalseAlarm(f"{last.counts}")

    @rule(lane=_lanes, limit=st.sampled_from((1, 2, 500)))
    def limit_batches(self, lane: int, limit: int) -> None:
        execute(self.ground.warehouse, _BATCH_LIMIT, [limit, self.ground.lanes[lane]])

    @rule()
    def time_passes(self) -> None:
        execute(self.ground.warehouse, TIME_PASSES)

    # What must hold ---------------------------------------------------------------------------

    @invariant()
    def looks_right(self) -> None:
        self.portal.look()
        books.look(self.ground.warehouse)

    def teardown(self) -> None:
        """At rest, every promise is checked; not where one was found broken before."""
        is_broken = sys.exc_info()[0] is not None
        try:
            if not is_broken:
                self.rest()
        finally:
            for worker in self.paused:
                worker.kill()
                self.ground.await_end(worker)
            self.application.close()

    def rest(self) -> None:
        """Let everybody finish, and check what must hold then."""
        while self.paused:
            self._run(self._take_out(0), None)
        for session in self.application.open:
            self.application.end(session, commit=True)
        come_to_rest(self.ground, self.application)
        self.portal.look()

    def _keys(self, places: list[int]) -> list[str]:
        return [self.ground.keys[place] for place in places]

    def _step(self) -> object:
        return refresh.step(FLOW, FLOW.lanes)

    def _begin(self, what: str, work: Callable[[], Any], stop: str | None) -> None:
        self._started += 1
        self._run(Worker(f"{what} {self._started}", work, self.portal.look), stop)

    def _take_out(self, which: int) -> Worker:
        return self.paused.pop(which % len(self.paused))

    def _run(self, worker: Worker, stop: str | None) -> None:
        worker.go(stop)
        if worker.at is not None:
            self.paused.append(worker)
        else:
            self._judge(worker)

    def _judge(self, worker: Worker) -> None:
        """Raise what a worker raised, but for what it may: another one was in its way."""
        if not isinstance(worker.failure, (LaneBusy, TransientError, Killed, type(None))):
            raise worker.failure
