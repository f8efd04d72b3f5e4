"""The ground of every benchmark: durable embedded servers, our processes, full tables."""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from cryptography.fernet import Fernet

from benchmarks import processes
from synctasks import settings
from synctasks.capture.installer import install
from synctasks.database import forget_connections
from synctasks.embedded.process import GuardedProcess
from synctasks.embedded.servers import start_servers
from synctasks.embedded.waiting import wait_until
from synctasks.flow import Database
from synctasks.flows import FLOWS
from synctasks.sample.generate import Plan, fill_tables

Connection = psycopg2.extensions.connection

_IDLE = """\
SELECT
    NOT EXISTS (SELECT FROM synctasks.change_log WHERE NOT rests AND flow !~ '^heartbeat')
    AND NOT EXISTS (SELECT FROM synctasks.run WHERE state IN ('requested', 'running'))
"""


@dataclass(frozen=True)
class Ground:
    """Two databases with our processes at work between them."""

    warehouse_url: str
    citizen_url: str
    worker: GuardedProcess
    listener: GuardedProcess
    logs: Path

    @property
    def sides(self) -> Mapping[Database, Callable[[], Connection]]:
        """How to connect to each database."""
        return {Database.WAREHOUSE: self.warehouse, Database.CITIZEN: self.citizen}

    def stop_working(self) -> None:
        """Stop the worker and the listener, for good: a benchmark has its own, or wants none."""
        self.listener.stop()
        self.worker.stop()

    def warehouse(self) -> Connection:
        return connection(self.warehouse_url)

    def citizen(self) -> Connection:
        return connection(self.citizen_url)

    def settle(self, seconds: float = 600) -> None:
        """Wait until nothing is pending and nothing runs."""
        with (
            contextlib.closing(self.warehouse()) as warehouse,
            contextlib.closing(self.citizen()) as citizen,
        ):
            both = (warehouse, citizen)
            wait_until(
                lambda: all(value(each, _IDLE) for each in both), seconds, "everything to be synced"
            )


def connection(url: str) -> Connection:
    """A connection in autocommit."""
    made = psycopg2.connect(url)
    made.autocommit = True
    return made


def value(of: Connection, sql: str) -> object:
    """The first value that a statement returns."""
    with of.cursor() as cursor:
        cursor.execute(sql)
        row = cursor.fetchone()
        return row[0] if row else None


def run(of: Connection, *statements: str) -> None:
    """Run statements one by one."""
    with of.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@contextlib.contextmanager
def ground(records: int, dirty: float) -> Iterator[Ground]:
    """Servers with full durability, `records` golden records carried over, and a quiet log.

    `dirty` is the share of them that break a rule.
    """
    with start_servers(durable=True) as servers, contextlib.ExitStack() as at_the_end:
        environment = servers.environment()
        os.environ.update(environment)
        os.environ[settings.KEYS_VARIABLE] = Fernet.generate_key().decode()
        settings.load.cache_clear()
        forget_connections()
        # The app reads the environment when it is imported; messages are sent through it.
        importlib.import_module("synctasks.app")
        install(FLOWS, with_schemas=True, notifies=True, progress=lambda _: None)
        logs = Path(servers.warehouse.directory).parent
        made = Ground(
            servers.warehouse.url("smart_warehouse"),
            servers.citizen.url("smart_citizen"),
            at_the_end.enter_context(processes.start(logs, "celery", "-A", "synctasks", "worker")),
            at_the_end.enter_context(processes.start(logs, "synctasks", "listen")),
            logs,
        )
        with contextlib.closing(psycopg2.connect(made.warehouse_url)) as warehouse:
            plan = Plan.of_records(records, dirty=dirty)
            fill_tables(warehouse, ["public.districts", "public.golden_records"], plan)
        made.settle()
        yield made
        forget_connections()


def tidy(ground_: Ground) -> None:
    """Vacuum and checkpoint both sides, so that no run pays for the one before."""
    for database in (ground_.warehouse, ground_.citizen):
        with contextlib.closing(database()) as each:
            run(each, "VACUUM ANALYZE", "CHECKPOINT")
