"""A whole system whose processes reach their servers through links that can fail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from synctasks.embedded.servers import Servers, start_servers
from synctasks.embedded.waiting import wait_until
from synctasks.flow import Database
from synctasks.flows import FLOWS
from tests.acceptance.system import OURS, READY, System
from tests.faults.link import Link
from tests.rows import Connection, execute, rows, value
from tests.workspace import BROKER, CITIZEN, VARIABLES, WAREHOUSE, add_districts

PROCESSES = ("worker", "second worker", "listener", "beat")
SUPERVISED_SECONDS = 60

# All that flows read from or write to at either side. What refers to it is emptied with it.
TABLES = {
    side: sorted(
        {table.name for flow in FLOWS if flow.source.database is database for table in flow.tables}
        | {flow.target.table for flow in FLOWS if flow.target.database is database}
    )
    for side, database in ((WAREHOUSE, Database.WAREHOUSE), (CITIZEN, Database.CITIZEN))
}
_UNSETTLED = """\
SELECT
    (SELECT count(*) FROM synctasks.change_log WHERE flow !~ '^heartbeat')
    + (SELECT count(*) FROM synctasks.run WHERE state IN ('requested', 'running'))
    + (SELECT count(*) FROM synctasks.waiting)
"""
_WHAT_IS_LEFT = """\
SELECT 'change_log', flow, count(*)::text, min(not_before)::text
FROM synctasks.change_log GROUP BY flow
UNION ALL
SELECT 'run', flow, state, phase FROM synctasks.run WHERE state IN ('requested', 'running')
UNION ALL
SELECT 'waiting', flow, count(*)::text, min(since)::text FROM synctasks.waiting GROUP BY flow
UNION ALL
SELECT 'breaker', flow, side, climber::text FROM synctasks.breaker
UNION ALL
SELECT 'lane', flow, lane::text, format('%s %s', started_at, retry_at)
FROM synctasks.lane WHERE started_at IS NOT NULL OR retry_at IS NOT NULL
"""
_AS_INSTALLED = """\
UPDATE synctasks.lane
SET (started_at, retry_at, batch_limit, deaths) = ROW (DEFAULT, DEFAULT, DEFAULT, DEFAULT);
UPDATE synctasks.installation SET installed_at = clock_timestamp()
"""


class Ground(System):
    """Our processes go through `links`, by variable; the applications and we do not."""

    def __init__(self, servers: Servers, home: Path) -> None:
        super().__init__(servers, home)
        self.links = {each: Link(self.environment[each]) for each in VARIABLES}
        self.ways |= {each: link.url for each, link in self.links.items()}

    def renew(self) -> None:
        """Everything up, all tables empty; what is not quite well is started anew."""
        self.start_servers()
        if not self._settled():
            self.kill_all()
        self._empty()
        self.start(*PROCESSES)

    def start_servers(self) -> None:
        for server in (self.servers.warehouse, self.servers.citizen, self.servers.broker):
            server.start()

    def supervise(self, *names: str) -> None:
        """What a supervisor does: start them, and start again who ends at once; until they work."""
        for name in names:
            wait_until(partial(self._works, name), SUPERVISED_SECONDS, f"{name} to work")

    def _works(self, name: str) -> bool:
        self.start(name, ready=False)
        return READY[name.split()[-1]] in self.program(name).words()

    def at(self, variable: str) -> closing[Connection]:
        """A connection to the database that this variable names, in autocommit."""
        return self._connected(variable)

    def close(self) -> None:
        """End all processes, then the links."""
        self.kill_all()
        for link in self.links.values():
            link.close()

    def _report(self) -> str:
        """What keeps either side from being quiet, beside what the logs say."""
        return "\n".join([*self._left(), super()._report()])

    def _left(self) -> list[str]:
        lines = []
        for side in (WAREHOUSE, CITIZEN):
            with self.at(side) as connection:
                lines += [f"{side}: {row}" for row in rows(connection, _WHAT_IS_LEFT)]
        return lines

    def _settled(self) -> bool:
        return all(self._nothing_pending(side) for side in (WAREHOUSE, CITIZEN))

    def _nothing_pending(self, side: str) -> bool:
        with self.at(side) as connection:
            return bool(value(connection, _UNSETTLED) == 0)

    def _empty(self) -> None:
        for side, tables in TABLES.items():
            with self.at(side) as connection:
                execute(connection, f"TRUNCATE {', '.join(tables)} CASCADE")
                execute(connection, f"TRUNCATE {value(connection, OURS)}")
                execute(connection, _AS_INSTALLED)
        with self.broker() as broker:
            broker.flushall()


@contextmanager
def prepared_ground(home: Path) -> Iterator[Ground]:
    """Servers of our own with everything installed by the real executable; no process runs."""
    with start_servers() as servers, closing(Ground(servers, home)) as made:
        outcome = made.run("synctasks", "install", "--with-schemas")
        assert outcome.returncode == 0, outcome.stderr
        add_districts(made.environment[WAREHOUSE])
        yield made


__all__ = ["BROKER", "CITIZEN", "PROCESSES", "WAREHOUSE", "Ground", "prepared_ground"]
