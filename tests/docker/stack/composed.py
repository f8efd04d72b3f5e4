"""The composed stack, seen from outside: its databases and broker, its containers."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import psycopg2
from redis.exceptions import RedisError

from synctasks.embedded.waiting import wait_until
from tests.docker.stack.engine import BACK_SECONDS, docker, inspect, kill_main
from tests.docker.stack.place import Place
from tests.faults.ground import BROKER, CITIZEN, WAREHOUSE, Ground
from tests.rows import add_record, execute, names_at_portal, value
from tests.workspace import add_districts

OURS = ("worker-events", "worker-batch", "worker-control", "listener", "beat", "flower", "web")
SERVERS = ("redis", "warehouse", "citizen")
UP_SECONDS = 110
FIRST_SECONDS = 60


class Composed(Ground):
    """A ground whose servers and processes are containers: the scripts start and end them."""

    #: From the beginning of docker/up until a change was seen at the other side.
    first_change_seconds: float

    def __init__(self, place: Place) -> None:
        self.place = place
        self.environment = {
            WAREHOUSE: self._outside("warehouse_url", "warehouse", 5432),
            CITIZEN: self._outside("citizen_url", "citizen", 5432),
            BROKER: self._outside("broker_url", "redis", 6379),
        }

    def _outside(self, secret: str, server: str, port: int) -> str:
        """A URL that the containers were given, as it is for us."""
        published = f"@127.0.0.1:{self.place.ports[server]}"
        return self.place.secret(secret).replace(f"@{server}:{port}", published)

    def containers(self, *services: str) -> list[str]:
        """The containers of services, running or not."""
        label = f"label=com.docker.compose.project={self.place.project}"
        return [
            each
            for service in services
            for each in docker(
                *("ps", "--all", "--quiet", "--no-trunc", "--filter", label),
                *("--filter", f"label=com.docker.compose.service={service}"),
            ).split()
        ]

    def container(self, service: str) -> str:
        [only] = self.containers(service)
        return only

    def state(self, service: str) -> dict[str, Any]:
        return dict(inspect(self.container(service))["State"])

    def started(self, services: Iterable[str]) -> dict[str, str]:
        """When each container of services was started last."""
        ids = self.containers(*services)
        return {each: inspect(each)["State"]["StartedAt"] for each in ids}

    def await_health(self, services: Iterable[str], health: str, timeout: float) -> None:
        for service in services:
            wait_until(
                lambda service=service: self.state(service)["Health"]["Status"] == health,
                timeout,
                f"{service} to be {health}",
            )

    def kill(self, *services: str) -> None:
        """SIGKILL for the containers of services at once, and wait until Docker has begun anew.

        And until the servers answer.
        """
        before = self.started(services)
        kill_main(*before)
        for service in services:
            wait_until(
                partial(self._is_back, service, before), BACK_SECONDS, f"{service} to come back"
            )
        wait_until(self._serves, BACK_SECONDS, "the servers to answer")

    def _is_back(self, service: str, before: dict[str, str]) -> bool:
        return all(
            (found := inspect(each)["State"])["Running"] and found["StartedAt"] != before[each]
            for each in self.containers(service)
        )

    def _serves(self) -> bool:
        try:
            with self.warehouse(), self.citizen(), self.broker() as broker:
                return bool(broker.ping())
        except (psycopg2.OperationalError, RedisError):
            return False

    def bare(self) -> None:
        """All tables empty, as after a first install."""
        self._empty()
        with self.warehouse() as warehouse:
            execute(warehouse, "TRUNCATE districts CASCADE")

    def renew(self) -> None:
        """All tables empty but that of districts, nothing pending."""
        self._empty()
        with self.warehouse() as warehouse:
            known = value(warehouse, "SELECT EXISTS (SELECT FROM districts)")
        if not known:
            add_districts(self.environment[WAREHOUSE])

    def carry_one(self) -> None:
        """A record comes to the portal, and is gone with its source."""
        with self.warehouse() as warehouse, self.citizen() as citizen:
            add_record(warehouse, "GR-FIRST", district_id=None)
            wait_until(lambda: bool(names_at_portal(citizen)), FIRST_SECONDS, "the first record")
            execute(warehouse, "DELETE FROM golden_records")
            wait_until(lambda: not names_at_portal(citizen), FIRST_SECONDS, "its end")

    def _report(self) -> str:
        """What is left at either side, and how the logs of ours end."""
        lines = self._left()
        for each in self.containers(*OURS):
            name = inspect(each)["Name"]
            lines += [f"-- {name}", docker("logs", "--tail", "8", each, check=False)]
        return "\n".join(lines)


@contextmanager
def composed(place: Place) -> Iterator[Composed]:
    """The stack, brought up by docker/up with empty tables, and taken down at the end.

    The first change has arrived.
    """
    with place.guarded():
        began = time.monotonic()
        place.did("up", "--no-demo", timeout=UP_SECONDS)
        made = Composed(place)
        made.carry_one()
        made.first_change_seconds = time.monotonic() - began
        yield made
