"""A place to test in: databases of our own on some servers, as good as new for each test."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

import psycopg2
from psycopg2 import sql
from redis import Redis

from synctasks import database, dispatch, settings
from synctasks.bind import bound
from synctasks.capture import installer
from synctasks.flows import FLOWS
from synctasks.sample.generate import Plan, fill_tables

WAREHOUSE = "SYNCTASKS_WAREHOUSE_URL"
CITIZEN = "SYNCTASKS_CITIZEN_URL"
BROKER = "SYNCTASKS_BROKER_URL"
VARIABLES = (WAREHOUSE, CITIZEN, BROKER)


class Workspace:
    """Two databases and a broker; what is in them lives as long as one test.

    `environment` holds the three URLs. `renew` makes the databases as a fresh
    `install --with-schemas` leaves them, by copying templates that were installed once; a full
    run of each flow is therefore requested. `renew(installed=False)` leaves them quite empty.
    """

    def __init__(self, servers: Mapping[str, str]) -> None:
        self._servers = dict(servers)
        self._name = f"test_synctasks_{secrets.token_hex(4)}"
        self.environment = {
            variable: _in_database(servers[variable], self._name_at(variable))
            for variable in (WAREHOUSE, CITIZEN)
        }
        self.environment[BROKER] = _empty_broker(servers[BROKER])

    def renew(self, *, installed: bool = True) -> None:
        """Databases as good as new, an empty broker, and nothing remembered in this process."""
        self.enter()
        with closing(Redis.from_url(self.environment[BROKER])) as broker:
            broker.flushdb()
        with ThreadPoolExecutor() as threads:
            made = [
                threads.submit(
                    self._recreate,
                    variable,
                    f"{self._name_at(variable)}_template" if installed else "template0",
                )
                for variable in (WAREHOUSE, CITIZEN)
            ]
        for each in made:
            each.result()

    def enter(self) -> None:
        """Point the environment, and what this process remembers of it, to this workspace."""
        database.forget_connections()
        self.resume()

    def resume(self) -> None:
        """The same for databases that are still those of the test before: its pools remain."""
        os.environ.update(self.environment)
        settings.load.cache_clear()
        bound.cache_clear()
        dispatch._flags.cache_clear()

    def make_templates(self) -> None:
        """Install once, with the installer itself; every renewed database is a copy."""
        self.renew(installed=False)
        installer.install(FLOWS, with_schemas=True, notifies=True, progress=lambda _: None)
        add_districts(self.environment[WAREHOUSE])
        database.forget_connections()
        for variable in (WAREHOUSE, CITIZEN):
            name = self._name_at(variable)
            with self._server(variable) as server:
                _run(server, "ALTER DATABASE {} RENAME TO {}", name, f"{name}_template")

    def remove(self) -> None:
        """Drop all that was made on the servers."""
        database.forget_connections()
        with closing(Redis.from_url(self.environment[BROKER])) as broker:
            broker.flushdb()
        for variable in (WAREHOUSE, CITIZEN):
            with self._server(variable) as server:
                for name in (self._name_at(variable), f"{self._name_at(variable)}_template"):
                    _run(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def _recreate(self, variable: str, template: str) -> None:
        name = self._name_at(variable)
        with self._server(variable) as server:
            _run(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
            _run(server, "CREATE DATABASE {} TEMPLATE {} ENCODING 'UTF8'", name, template)

    def _name_at(self, variable: str) -> str:
        # Both URLs may name one server.
        return f"{self._name}_{'w' if variable == WAREHOUSE else 'c'}"

    @contextmanager
    def _server(self, variable: str) -> Iterator[psycopg2.extensions.connection]:
        with closing(psycopg2.connect(self._servers[variable])) as server:
            server.autocommit = True
            yield server


@contextmanager
def workspace(servers: Mapping[str, str]) -> Iterator[Workspace]:
    """A workspace on the servers of these three URLs, removed at the end."""
    before = {variable: os.environ.get(variable) for variable in VARIABLES}
    place = Workspace(servers)
    try:
        place.make_templates()
        place.renew()
        yield place
    finally:
        place.remove()
        for variable, url in before.items():
            os.environ.pop(variable) if url is None else os.environ.update({variable: url})
        settings.load.cache_clear()


def add_districts(url: str) -> None:
    """The districts that records refer to, in an empty warehouse."""
    with closing(psycopg2.connect(url)) as warehouse:
        fill_tables(warehouse, ["public.districts"], Plan(households=1))


def _run(server: psycopg2.extensions.connection, statement: str, *names: str) -> None:
    with server.cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _in_database(url: str, name: str) -> str:
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def _empty_broker(url: str) -> str:
    """The first of the broker's numbered databases that nobody uses: tests empty theirs."""
    # Tests that run at the same time look among different ones.
    mine = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    for number in range(15 - mine, -1, -int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))):
        candidate = _in_database(url, str(number))
        with closing(Redis.from_url(candidate)) as broker:
            if not broker.dbsize():
                return candidate
    raise RuntimeError("all numbered databases of the broker are in use: name another broker")
