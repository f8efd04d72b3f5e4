"""All servers that a complete set-up needs, started and removed together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from synctasks.embedded.directory import LeasedDirectory
from synctasks.embedded.ports import free_ports
from synctasks.embedded.postgres import PostgresServer
from synctasks.embedded.redis import RedisServer

WAREHOUSE_DATABASE = "smart_warehouse"
CITIZEN_DATABASE = "smart_citizen"


@dataclass(frozen=True)
class Servers:
    """The two PostgreSQL servers and the broker."""

    warehouse: PostgresServer
    citizen: PostgresServer
    broker: RedisServer

    def environment(self) -> dict[str, str]:
        """Return the variables, passwords included, that point our programs to these servers."""
        return {
            "SYNCTASKS_WAREHOUSE_URL": self.warehouse.url(WAREHOUSE_DATABASE),
            "SYNCTASKS_CITIZEN_URL": self.citizen.url(CITIZEN_DATABASE),
            "SYNCTASKS_BROKER_URL": self.broker.url,
        }


@contextmanager
def start_servers(
    *,
    durable: bool = False,
    settings: Mapping[str, str] = MappingProxyType({}),
    bin_directory: Path | None = None,
) -> Iterator[Servers]:
    """Start all servers with empty databases; stop them and remove their data at the end.

    After a kill -9 of this process they stop and their data goes by itself. `durable` keeps
    PostgreSQL's own settings for a crash of the machine, `settings` are added for both of them;
    `bin_directory` holds another PostgreSQL than the wheel's.
    Raises EmbeddedServerError if one of them cannot be started.
    """
    with LeasedDirectory() as home, ExitStack() as at_the_end:
        lease = home.lease
        ports = free_ports(3)

        def postgres(name: str, port: int) -> PostgresServer:
            return PostgresServer(
                home.path / name,
                port=port,
                durable=durable,
                settings=settings,
                bin_directory=bin_directory,
                lease=lease,
            )

        servers = Servers(
            warehouse=postgres("warehouse", ports[0]),
            citizen=postgres("citizen", ports[1]),
            broker=RedisServer(home.path / "broker", port=ports[2], lease=lease),
        )
        at_the_end.callback(_stop_all, servers)
        _start_all(servers)
        yield servers


def _start_all(servers: Servers) -> None:
    def start(server: PostgresServer, database: str) -> None:
        server.start()
        server.create_database(database)

    with ThreadPoolExecutor() as threads:
        starts = [
            threads.submit(start, servers.warehouse, WAREHOUSE_DATABASE),
            threads.submit(start, servers.citizen, CITIZEN_DATABASE),
            threads.submit(servers.broker.start),
        ]
    for each in starts:
        each.result()


def _stop_all(servers: Servers) -> None:
    servers.broker.stop()
    for postgres in (servers.warehouse, servers.citizen):
        postgres.stop("immediate")  # a checkpoint would only write what is removed next
