"""Servers and databases for the tests.

The servers are those named in the environment, or embedded ones of our own. On either, tests
work in databases of their own (`test_synctasks_…`) and in an unused numbered database of the
broker, so that nothing of what is there is touched.

For a test that needs a set-up: ask for `databases` (or for `warehouse` and `citizen`, which
bring it along). Everything is then as a fresh `synctasks install --with-schemas` leaves it, and
os.environ names it, for this process and the programs that it starts (tests/programs.py).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import psycopg2
import pytest
from cryptography.fernet import Fernet
from redis import Redis

from synctasks.embedded.postgres import PostgresServer
from synctasks.embedded.servers import start_servers
from synctasks.monitoring import logs
from synctasks.settings import KEYS_VARIABLE
from tests.rows import Connection, execute
from tests.workspace import BROKER, CITIZEN, VARIABLES, WAREHOUSE, Workspace, workspace

# What a test does in this process is not what a command prints.
logs.for_commands()

# Sealed rows must open again wherever a test reads them, so all processes share one key.
os.environ[KEYS_VARIABLE] = Fernet.generate_key().decode()


@pytest.fixture(scope="session")
def server_urls() -> Iterator[dict[str, str]]:
    """The three URLs of the servers as they are, by variable."""
    if all(os.environ.get(name) for name in VARIABLES):
        yield {name: os.environ[name] for name in VARIABLES}
        return
    # To give a file's end back, autovacuum locks readers out: some of ours do not wait at all.
    with start_servers(settings={"vacuum_truncate": "off"}) as started:
        for server in (started.warehouse, started.citizen):
            _log_in_fast(server)
        yield started.environment()


def _log_in_fast(server: PostgresServer) -> None:
    """Thousands of times its iterations cost more than they guard: nobody guesses its password."""
    url = server.url()
    with connected(url) as connection:
        execute(connection, "SET scram_iterations = 1")
        execute(connection, f"ALTER ROLE CURRENT_USER PASSWORD '{urlsplit(url).password}'")


@pytest.fixture(scope="session")
def place(server_urls: dict[str, str]) -> Iterator[Workspace]:
    """The tests' own databases on these servers."""
    with workspace(server_urls) as made:
        yield made


@pytest.fixture(scope="session")
def environment(place: Workspace) -> dict[str, str]:
    """The three URLs that os.environ names."""
    return place.environment


@pytest.fixture(scope="session")
def warehouse_url(environment: dict[str, str]) -> str:
    return environment[WAREHOUSE]


@pytest.fixture(scope="session")
def citizen_url(environment: dict[str, str]) -> str:
    return environment[CITIZEN]


@pytest.fixture
def databases(place: Workspace) -> dict[str, str]:
    """Both databases freshly installed and without rows, the broker empty; their URLs.

    A full run of each flow is requested, as after every first install.
    """
    place.renew()
    return place.environment


@pytest.fixture
def warehouse(databases: dict[str, str]) -> Iterator[Connection]:
    """A connection to the warehouse in autocommit."""
    with connected(databases[WAREHOUSE]) as connection:
        yield connection


@pytest.fixture
def citizen(databases: dict[str, str]) -> Iterator[Connection]:
    """A connection to the portal's database in autocommit."""
    with connected(databases[CITIZEN]) as connection:
        yield connection


@pytest.fixture
def broker(databases: dict[str, str]) -> Iterator[Redis]:
    """A client of the broker: the queues are its lists `events`, `batch`, `control`, `dlq`."""
    with closing(Redis.from_url(databases[BROKER])) as client:
        yield client


def connected(url: str) -> closing[Connection]:
    """A connection in autocommit, closed with the block."""
    connection = psycopg2.connect(url)
    connection.autocommit = True
    return closing(connection)
