"""A whole system on real servers: its processes can be started, watched and killed."""

from __future__ import annotations

import os
import signal
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import psycopg2
from celery import Celery
from redis import Redis

from synctasks.embedded.process import GuardedProcess
from synctasks.embedded.servers import Servers
from synctasks.embedded.waiting import wait_until
from tests import oracle
from tests.programs import BIN, Outcome, run
from tests.rows import Connection, execute, rows

WORKER = ("celery", "-A", "synctasks", "worker", "--without-gossip", "--without-mingle")
IMPATIENT = ("celery", "-A", "tests.acceptance.impatient", "beat", "--loglevel=INFO")
COMMANDS = {
    "worker": (*WORKER, "--loglevel=INFO", "--hostname=first@%h"),
    "second worker": (*WORKER, "--loglevel=INFO", "--hostname=second@%h"),
    "listener": ("synctasks", "listen"),
    "beat": ("celery", "-A", "synctasks", "beat", "--loglevel=INFO", "--schedule=beat"),
    "impatient beat": (*IMPATIENT, "--schedule=impatient"),
    "second impatient beat": (*IMPATIENT, "--schedule=second-impatient"),
}
ROOT = Path(__file__).parents[2]
# What a program's log says once it works.
READY = {"worker": " ready.", "listener": "listener.connected", "beat": "beat: Starting"}
START_SECONDS = 30
STOP_SECONDS = 15

# Everything that a test leaves in our schema, but not how it was installed.
OURS = """\
SELECT string_agg(format('%I.%I', schemaname, tablename), ', ')
FROM pg_tables
WHERE schemaname = 'synctasks'
    AND tablename NOT IN ('lane', 'lane_count', 'installation', 'alembic_version')
"""

UNSETTLED = """\
SELECT
    (SELECT count(*) FROM synctasks.change_log WHERE flow !~ '^heartbeat'),
    (SELECT count(*) FROM synctasks.run WHERE state IN ('requested', 'running'))
"""


class Program:
    """One of our processes."""

    def __init__(self, process: GuardedProcess) -> None:
        self._process = process
        self.pid = process.pid
        self.log = process.log

    @property
    def alive(self) -> bool:
        return self._process.alive

    def children(self) -> list[psutil.Process]:
        """A worker's own worker processes, oldest first."""
        return sorted(psutil.Process(self.pid).children(), key=lambda each: each.pid)

    def kill(self) -> None:
        """SIGKILL for all of its processes at once, as the end of a container is."""
        family = [psutil.Process(self.pid), *self.children()] if self.alive else []
        for each in family:
            each.send_signal(signal.SIGKILL)
        self._process.wait(STOP_SECONDS)

    def kill_main(self) -> None:
        """SIGKILL for the main process only; its children find out by themselves."""
        self._process.kill()
        self._process.wait(STOP_SECONDS)

    def stop(self) -> None:
        """SIGTERM, as a supervisor stops it; what has not ended after ten seconds is killed."""
        self._process.stop()

    def words(self) -> str:
        """All that it has logged."""
        return self.log.read_text(errors="replace")


class System:
    """Servers, installed databases, and the processes of the Procfile."""

    def __init__(self, servers: Servers, home: Path) -> None:
        self.servers = servers
        self.home = home
        self.environment = servers.environment()
        # What our own processes are told: a test may put something in between.
        self.ways = dict(self.environment)
        self._programs: dict[str, Program] = {}
        self._logs = 0

    @property
    def worker(self) -> Program:
        return self._programs["worker"]

    @property
    def listener(self) -> Program:
        return self._programs["listener"]

    def run(self, *command: str, timeout: float = 30) -> Outcome:
        """Run `synctasks …` or `celery …` to its end."""
        return run(*command, env=self.environment, timeout=timeout)

    def start(self, *names: str, ready: bool = True) -> None:
        """Start processes that do not run yet, and (if `ready`) return when they work."""
        new = [name for name in names if not self._runs(name)]
        for name in new:
            if name in self._programs:
                self.kill(name)
            self._programs[name] = self.start_program(name, COMMANDS[name])
        for name in new if ready else ():
            self._await_ready(name)

    def start_program(self, name: str, command: tuple[str, ...]) -> Program:
        """Start a program with a log of its own; whoever starts it ends it."""
        self._logs += 1
        log = self.home / f"{self._logs:02}-{name.replace(' ', '-')}.log"
        packages = [os.environ.get("PYTHONPATH"), str(ROOT)]
        return Program(
            GuardedProcess.start(
                [str(BIN / command[0]), *command[1:]],
                log=log,
                env={**self.ways, "PYTHONPATH": os.pathsep.join(filter(None, packages))},
                cwd=self.home,
            )
        )

    def program(self, name: str) -> Program:
        return self._programs[name]

    def kill(self, *names: str) -> None:
        """SIGKILL for these processes and their children."""
        for name in names:
            self._programs.pop(name).kill()

    def stop(self, name: str) -> None:
        """SIGTERM for a process."""
        self._programs.pop(name).stop()

    def kill_main(self, name: str) -> None:
        """SIGKILL for a process, not for its children."""
        self._programs.pop(name).kill_main()

    def kill_all(self) -> None:
        self.kill(*self._programs)

    def renew(self) -> None:
        """All servers and one worker and one listener up, all tables empty, nothing pending."""
        for server in (self.servers.warehouse, self.servers.citizen, self.servers.broker):
            server.start()
        for name in set(self._programs) - {"worker", "listener"}:
            self.kill(name)
        if not self._settled():
            self.kill_all()
        self._empty()
        self.start("worker", "listener")

    def quiesce(self, timeout: float = 30) -> None:
        """Wait until nothing is pending and no run is under way."""
        try:
            wait_until(self._settled, timeout, "everything to arrive")
        except TimeoutError as error:
            raise AssertionError(f"{error}\n{self._report()}") from error

    def agree(self) -> None:
        """Assert that the portal holds exactly what the golden records make of it."""
        with self.warehouse() as warehouse, self.citizen() as citizen:
            difference = oracle.profile_data(warehouse, citizen)
        assert not difference, f"the sides disagree: {difference}"

    def warehouse(self) -> closing[Connection]:
        """A connection to the warehouse, in autocommit, closed with the block."""
        return self._connected("SYNCTASKS_WAREHOUSE_URL")

    def citizen(self) -> closing[Connection]:
        return self._connected("SYNCTASKS_CITIZEN_URL")

    def broker(self) -> closing[Redis]:
        return closing(Redis.from_url(self.environment["SYNCTASKS_BROKER_URL"]))

    def at_warehouse(self, statement: str, parameters: Any = None) -> list[Any]:
        """The rows of a statement on a connection of its own."""
        with self.warehouse() as connection:
            return rows(connection, statement, parameters)

    def at_citizen(self, statement: str, parameters: Any = None) -> list[Any]:
        with self.citizen() as connection:
            return rows(connection, statement, parameters)

    def send(self, task: str, queue: str, **arguments: object) -> None:
        """Send a task's message, as any Celery client would."""
        app = Celery(broker=self.environment["SYNCTASKS_BROKER_URL"], set_as_current=False)
        with app.connection_for_write() as connection:
            app.send_task(task, kwargs=arguments, queue=queue, connection=connection)
        app.close()

    def _connected(self, variable: str) -> closing[Connection]:
        connection = psycopg2.connect(self.environment[variable], connect_timeout=5)
        connection.autocommit = True
        return closing(connection)

    def _runs(self, name: str) -> bool:
        program = self._programs.get(name)
        return program is not None and program.alive

    def _await_ready(self, name: str) -> None:
        program, words = self._programs[name], READY[name.split()[-1]]
        wait_until(
            lambda: words in program.words() or not program.alive, START_SECONDS, f"{name} to work"
        )
        assert program.alive, f"{name} ended at once:\n{program.words()}"

    def _settled(self) -> bool:
        return self.at_warehouse(UNSETTLED) == [(0, 0)]

    def _empty(self) -> None:
        with self.warehouse() as warehouse, warehouse.cursor() as cursor:
            cursor.execute("TRUNCATE public.golden_records")
            cursor.execute(f"TRUNCATE {rows(warehouse, OURS)[0]}")
            cursor.execute(
                "UPDATE synctasks.lane SET (started_at, retry_at, batch_limit) = "
                "ROW (DEFAULT, DEFAULT, DEFAULT)"
            )
        with self.citizen() as citizen:
            execute(citizen, f"TRUNCATE public.profile_data, {rows(citizen, OURS)[0]}")
        with self.broker() as broker:
            broker.flushall()

    def _report(self) -> str:
        """What is pending, and how the logs end."""
        lines = [
            str(row)
            for statement in (
                "SELECT flow, lane, count(*), min(captured_at), min(not_before) "
                "FROM synctasks.change_log GROUP BY 1, 2",
                "SELECT * FROM synctasks.lane WHERE started_at IS NOT NULL OR retry_at IS NOT NULL",
                "SELECT id, kind, state, phase, planned, done, error FROM synctasks.run "
                "WHERE state IN ('requested', 'running')",
            )
            for row in self.at_warehouse(statement)
        ]
        for name, program in self._programs.items():
            lines += [f"-- {name}", *program.words().splitlines()[-12:]]
        return "\n".join(lines)
