"""How a life of some flows ends: all is worked off, and all that must hold then is checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from synctasks.capture import change_log
from synctasks.capture.waiting import wake_some
from synctasks.database import transaction
from synctasks.engine import refresh
from synctasks.engine.drain import drain
from synctasks.flow import Database, Flow
from synctasks.lane import lane_sql
from tests.integration.machine import books
from tests.integration.machine.broken import NotAtRest
from tests.integration.machine.crew import Crew
from tests.integration.machine.ground import Ground
from tests.integration.machine.life import Life
from tests.integration.machine.seen import Seen
from tests.integration.machine.sessions import Sessions
from tests.refreshing import finish, versions
from tests.rows import Connection, rows

# Many more than there are keys: what is still pending after that, goes in a circle.
_MOST_ROUNDS = 60
_AN_HOUR = "UPDATE synctasks.waiting SET next_look = next_look - interval '1 hour'"
# Of other flows' changes nobody takes care: they are captured where these write.
_PENDING = """\
SELECT flow, key, origin, attempts FROM synctasks.change_log
WHERE flow = ANY (%s) AND NOT rests
"""
_CRASHED = """\
SELECT unit FROM synctasks.dead_letter
WHERE flow = %s AND kind = 'crash' AND state <> 'resolved'
"""


class Settling(Life):
    """One life of some flows; `keys` are those that it plays with, by the flow's name."""

    flows: tuple[Flow, ...] = ()

    def __init__(self, ground: Ground, keys: Mapping[str, Sequence[str]]) -> None:
        super().__init__()
        ground.empty()
        self.ground = ground
        self.applications: list[Sessions] = []
        self.seen: list[Seen] = []
        self.crew = Crew(ground, Database.WAREHOUSE, self.look)
        self.keys = keys
        self.lanes = {flow.name: self._lanes(flow) for flow in self.flows}
        self.killed = False

    def look(self) -> None:
        """What must hold of the targets whenever a worker has committed. Raises WentBack."""
        for each in self.seen:
            each.look()

    def source(self, flow: Flow) -> Connection:
        at_portal = flow.source.database is Database.CITIZEN
        return self.ground.citizen if at_portal else self.ground.warehouse

    def target(self, flow: Flow) -> Connection:
        at_portal = flow.target.database is Database.CITIZEN
        return self.ground.citizen if at_portal else self.ground.warehouse

    def open_sessions(self) -> list[tuple[Sessions, str]]:
        return [(each, session) for each in self.applications for session in each.open]

    def leave(self) -> None:
        self.crew.leave()
        for each in self.applications:
            each.close()

    def rest(self) -> None:
        """All arrive by events; what is asked for once more, and full runs, change nothing."""
        self.crew.end()
        for application, session in self.open_sessions():
            application.end(session, commit=True)
        self.carry()
        if self.killed:
            # Whoever dies before it has looked once more leaves that to the hourly look.
            self.an_hour_passes()
        self.look_at_all()
        for flow in self.flows:
            change_log.request(flow, list(self.keys[flow.name]), "replay")
        self.carry()
        self._nothing_crashed()
        self.look_at_all()
        self._write_nothing()
        self.look_at_all()
        self.look()
        for side in (self.ground.warehouse, self.ground.citizen):
            books.look(side)
            books.look_at_answers(side)

    def look_at_all(self) -> None:
        """What must hold when all is worked off. Raises BrokenPromise."""
        raise NotImplementedError

    def crashed(self, flow: Flow) -> set[str]:
        """The units that were set aside, since workers died of them again and again."""
        return set(rows(self.source(flow), _CRASHED, [flow.name]))

    def carry(self) -> None:
        """Work off all that is pending."""
        for _ in range(_MOST_ROUNDS):
            due = [
                (flow, lane)
                for flow in self.flows
                for lane in set(self.lanes[flow.name])
                if change_log.pending(flow, lane)
            ]
            for flow, lane in due:
                drain(flow, lane)
            if not due and not self._ladders_end():
                return
        raise NotAtRest(f"drains go in a circle: {self._pending()}")

    def an_hour_passes(self) -> None:
        """Everybody who waits is looked at again."""
        for place in Database:
            with transaction(place) as source:
                source.execute(_AN_HOUR)
                wake_some(source)
        self.carry()

    def _ladders_end(self) -> bool:
        """Let time pass; whether anything was waiting for that."""
        pending = self._pending()
        for at_portal in (False, True):
            self.ground.let_time_pass(at_portal=at_portal)
        return bool(pending)

    def _pending(self) -> list[object]:
        names = [flow.name for flow in self.flows]
        sides = (self.ground.warehouse, self.ground.citizen)
        return [each for side in sides for each in rows(side, _PENDING, [names])]

    def _nothing_crashed(self) -> None:
        left = {flow.name: self.crashed(flow) for flow in self.flows if self.crashed(flow)}
        if left:
            raise NotAtRest(f"set aside, and not closed by a success: {left}")

    def _write_nothing(self) -> None:
        for flow in self.flows:
            finish(flow)
        self.carry()
        before = self._versions()
        for flow in self.flows:
            refresh.request(flow, "test")
            finish(flow)
        self.carry()
        after = self._versions()
        wrong = [name for name in before if before[name] != after[name]]
        if wrong:
            raise NotAtRest(f"a full run of what agrees wrote something: {wrong}")

    def _versions(self) -> dict[str, dict[str, str]]:
        return {
            flow.name: versions(
                self.target(flow),
                flow.target.table,
                f"concat_ws(' ', {', '.join(flow.target.row_key)})",
            )
            for flow in self.flows
        }

    def _lanes(self, flow: Flow) -> list[int]:
        lane = lane_sql("named.key", flow.lanes)
        statement = f"SELECT {lane} FROM unnest(%s) AS named (key)"
        return rows(self.ground.warehouse, statement, [list(self.keys[flow.name])])
