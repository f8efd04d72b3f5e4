"""The machine: what may happen next, in any order, and what must hold after each of it."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from synctasks.capture import change_log
from synctasks.engine import refresh
from synctasks.engine.drain import drain
from synctasks.engine.verify import verify
from synctasks.errors import LaneBusy
from tests.integration.machine import books
from tests.integration.machine.application import AT_ONCE, KINDS, SLOW, Application
from tests.integration.machine.broken import FalseAlarm
from tests.integration.machine.crew import MOST_WORKERS, Crew
from tests.integration.machine.ground import FLOW, Ground
from tests.integration.machine.life import Life
from tests.integration.machine.points import CORRIDOR, LIMITS, STEP
from tests.integration.machine.portal import Portal
from tests.integration.machine.rest import come_to_rest, drain_all

# So many steps at least are between two pauses for breath.
BREATH = 6
# Of the ground's keys and lanes, by place.
PLACES = range(4)
LANES = range(2)


@dataclass(frozen=True)
class Write:
    """One statement of the application; a move takes the last places for its new keys."""

    verb: str
    places: tuple[int, ...]
    kind: str

    @property
    def lane(self) -> int:
        """The place of the lane of its first key: the ground's keys are sorted by lane."""
        return self.places[0] // len(LANES)


_writes = st.builds(
    Write,
    verb=st.sampled_from(("save", "save", "change", "delete", "move")),
    places=st.permutations(PLACES).flatmap(
        lambda places: st.sampled_from([tuple(places[:count]) for count in (1, 2, 3)])
    ),
    kind=st.sampled_from(("good", "good", *KINDS)),
)
# Where others are in between most: after the extract, and after the target's commit.
_OFTEN = (None, None, None, "staged", "staged", "target committed", "target committed")
_drain_stops = st.sampled_from((*_OFTEN, *CORRIDOR))
_step_stops = st.sampled_from((*_OFTEN, *CORRIDOR, *STEP))
_which = st.integers(0, MOST_WORKERS - 1)
_limits = st.sampled_from((1, 2, 500))


class Protocol(Life):
    """One life of the two databases."""

    def __init__(self, ground: Ground) -> None:
        super().__init__()
        ground.empty()
        self.ground = ground
        self.application = Application(ground.warehouse_url)
        self.portal = Portal(ground.citizen, self.application.gone)
        self.crew = Crew(ground, FLOW.source.database, self.portal.look)
        self.last_write: Write | None = None
        self.since_breath = 0

    # The application ------------------------------------------------------------------------

    @rule(session=st.sampled_from((AT_ONCE, *SLOW)), write=_writes)
    def write(self, session: str, write: Write) -> None:
        self.last_write = write
        keys = self._keys(write)
        if write.verb == "move":
            free = [key for key in self.ground.keys if key not in keys]
            self.application.move(session, keys[: len(free)], free[: len(keys)])
        elif write.verb == "delete":
            self.application.delete(session, keys)
        else:
            self.application.save(session, keys, write.kind, only_change=write.verb == "change")

    @precondition(lambda self: self.application.open)
    @rule(which=st.integers(0, 1), commit=st.sampled_from((True, True, False)))
    def end(self, which: int, commit: bool) -> None:
        open_ones = self.application.open
        self.application.end(open_ones[which % len(open_ones)], commit=commit)

    # Workers --------------------------------------------------------------------------------

    @precondition(lambda self: self.crew.has_room)
    @rule(lane=st.sampled_from(LANES), stop=_drain_stops)
    def drain(self, lane: int, stop: str | None) -> None:
        number = self.ground.lanes[lane]
        self.crew.begin(f"drain {number}", lambda: drain(FLOW, number, LIMITS), stop)

    @precondition(lambda self: self.crew.has_room)
    @rule(write=_writes, stop=_drain_stops)
    def write_and_drain(self, write: Write, stop: str | None) -> None:
        self.write(AT_ONCE, write)
        self.drain(write.lane, stop)

    @precondition(lambda self: self.last_write and self.crew.has_room)
    @rule(stop=_drain_stops)
    def write_again_and_drain(self, stop: str | None) -> None:
        """The keys of the last write once more: those that others are busy with."""
        assert self.last_write is not None, "the precondition"
        self.write_and_drain(self.last_write, stop)

    @precondition(lambda self: self.crew.has_room)
    @rule(
        asks=st.sampled_from((False, False, True)),
        accepts_shrink=st.booleans(),
        before=st.integers(0, 8),
        stop=_step_stops,
    )
    def steps(self, asks: bool, accepts_shrink: bool, before: int, stop: str | None) -> None:
        """Some steps of a full run, or of a new one that somebody asks for."""
        if asks:
            refresh.request(FLOW, "test", accepts_shrink=accepts_shrink)
        for _ in range(before):
            self.crew.begin("step", self._step, None)
        self.crew.begin("step", self._step, stop)

    @precondition(lambda self: self.crew.paused)
    @rule(which=_which, stop=_step_stops)
    def go_on(self, which: int, stop: str | None) -> None:
        self.crew.go_on(which, stop)

    @precondition(lambda self: self.crew.paused)
    @rule(which=_which)
    def go_to_the_end(self, which: int) -> None:
        self.go_on(which, None)

    @precondition(lambda self: self.crew.paused)
    @rule(which=_which)
    def kill(self, which: int) -> None:
        self.crew.kill(which)

    # Operators, and time --------------------------------------------------------------------

    @rule(act=st.sampled_from(("ask", "verify", "wait")), write=_writes, limit=_limits)
    def operate(self, act: str, write: Write, limit: int) -> None:
        if act == "ask":
            origin = "replay" if write.kind == "bad" else "repair"
            change_log.request(FLOW, self._keys(write), origin)
        elif act == "verify":
            self._verify()
        else:
            self.ground.let_time_pass()
            self.ground.limit_batches(write.lane, limit)

    @precondition(lambda self: self.since_breath > BREATH)
    @rule()
    def pause_for_breath(self) -> None:
        """All that is begun is brought to an end, and every event arrives."""
        self.since_breath = 0
        self._end_all()
        drain_all(self.ground)

    # What must hold ---------------------------------------------------------------------------

    @invariant()
    def looks_right(self) -> None:
        self.since_breath += 1
        self.portal.look()
        books.look(self.ground.warehouse)

    def leave(self) -> None:
        """Whoever is paused dies where it stands; nothing is left open."""
        self.crew.leave()
        self.application.close()

    def rest(self) -> None:
        """Let everybody finish, and check what must hold then."""
        self._end_all()
        come_to_rest(self.ground, self.application)
        self.portal.look()

    def _keys(self, write: Write) -> list[str]:
        return [self.ground.keys[place] for place in write.places]

    def _verify(self) -> None:
        try:
            *_, last = verify(FLOW, FLOW.lanes)
        except LaneBusy:
            return
        if last.wrong:
            raise FalseAlarm(f"{last.counts}")

    def _end_all(self) -> None:
        self.crew.end()
        for session in self.application.open:
            self.application.end(session, commit=True)

    def _step(self) -> object:
        return refresh.step(FLOW, FLOW.lanes, LIMITS)
