"""The containers of these tests, as pytest-celery and pytest-docker-tools wrap them."""

from __future__ import annotations

from urllib.parse import urlsplit

import psycopg2
from pytest_celery import CeleryTestContainer, CeleryWorkerContainer, RedisContainer
from pytest_docker_tools.wrappers import Container

from synctasks.embedded.ports import HOST, free_ports
from tests.docker import engine
from tests.workspace import BROKER

USER, PASSWORD = "sync_service", "not-a-secret"


class Postgres(Container):
    """A server for one of the two databases."""

    @property
    def url(self) -> str:
        """Where this process finds it."""
        [port] = self.ports["5432/tcp"]
        return f"postgresql://{USER}:{PASSWORD}@{HOST}:{port}/postgres"

    def ready(self) -> bool:
        """Whether it takes connections: it listens a moment before."""
        if not super().ready():
            return False
        try:
            psycopg2.connect(self.url, connect_timeout=5).close()
        except psycopg2.OperationalError:
            return False
        return True

    def seen_inside(self, url: str) -> str:
        """Where the other containers find what this process finds there."""
        # By its name only if somebody had given it one.
        host = self.attrs["Config"]["Hostname"]
        return urlsplit(url)._replace(netloc=f"{USER}:{PASSWORD}@{host}:5432").geturl()


class Broker(RedisContainer):
    """The broker as docker/compose.yaml has it: it evicts nothing, and a restart keeps all."""

    HOME = "/var/lib/redis"

    @classmethod
    def image(cls) -> str:
        return engine.REDIS

    @classmethod
    def command(cls, *args: str, **_: object) -> list[str]:
        return [
            *("redis-server", "--dir", cls.HOME, "--bind", "0.0.0.0", "--protected-mode", "no"),
            *("--maxmemory-policy", "noeviction", "--appendonly", "yes", "--save", "", *args),
        ]

    @classmethod
    def ports(cls) -> dict[str, tuple[str, int]]:
        # One that the engine chose would be another after a restart.
        return {"6379/tcp": (HOST, free_ports(1)[0])}

    @property
    def port(self) -> int:
        """The published one, also where the machine of the tests looks like a container."""
        [port] = self.ports["6379/tcp"]
        return port

    @property
    def vhost(self) -> str:
        """The numbered database that the tests' workspace chooses: the last one."""
        return "15"

    def lose_all(self) -> None:
        """What it has written for its next start is gone."""
        code, said = self.exec_run(["rm", "-r", f"{self.HOME}/appendonlydir"])
        assert code == 0, said


class Process(CeleryTestContainer):
    """A process of our image."""

    def _wait_ready(self, timeout: int = 30) -> bool:
        """Whether it has said that it works: whoever asks does so until it has, or has ended."""
        return str(self.ready_prompt) in self.logs()


class Worker(Process, CeleryWorkerContainer):
    """A worker of our image, for all queues."""

    @classmethod
    def worker_name(cls) -> str:
        return "worker"

    @classmethod
    def command(cls, *args: str, **_: object) -> list[str]:
        celery = ["celery", "-A", "synctasks", "worker", "--without-gossip", "--without-mingle"]
        return [*celery, f"--hostname={cls.worker_name()}@%h", *args]

    @classmethod
    def initial_env(
        cls, celery_worker_cluster_config: dict, initial: dict | None = None
    ) -> dict[str, str]:
        [broker] = celery_worker_cluster_config["celery_broker_cluster_config"]["urls"]
        return {**(initial or {}), BROKER: broker}

    @property
    def ready_prompt(self) -> str:
        return " ready."


class Listener(Process):
    """`synctasks listen` of our image."""

    @property
    def ready_prompt(self) -> str:
        return "listener.connected"
