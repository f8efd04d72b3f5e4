"""One broker, two servers, our workers and listener: pytest-celery's fixtures, made ours.

Its plugin is loaded for no test (pyproject.toml): its fixtures are taken by their names, for the
tests of this directory. Servers live for all of them, workers and listener for one test each.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery
from celery._state import _set_current_app
from kombu import pools
from pytest_celery import *  # noqa: F403
from pytest_celery import (
    CeleryBrokerCluster,
    CeleryTestSetup,
    CeleryTestWorker,
    CeleryWorkerCluster,
    RedisTestBroker,
)
from pytest_docker_tools import container, fxtr, network
from pytest_docker_tools.plugin import docker_client  # noqa: F401

from synctasks.embedded.ports import HOST
from synctasks.settings import KEYS_VARIABLE
from tests.conftest import connected
from tests.docker import engine
from tests.docker.workers.containers import PASSWORD, USER, Broker, Listener, Postgres, Worker
from tests.rows import execute
from tests.workspace import BROKER, CITIZEN, WAREHOUSE, Workspace, workspace

NETWORK = "{default_pytest_celery_network.name}"
START_SECONDS = 60
HERE = Path(__file__).parent


def pytest_configure(config: pytest.Config) -> None:
    """What the plugin pytest-docker-tools would add as an option; we never want it."""
    config.option.reuse_containers = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The image is built within the first test's time."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.timeout(600))


default_pytest_celery_network = network(scope="session")


# The servers.


def _postgres() -> object:
    return container(
        scope="session",
        image=engine.POSTGRES,
        command=[
            *("postgres", "-c", "fsync=off", "-c", "full_page_writes=off"),
            *("-c", "track_commit_timestamp=on"),
        ],
        environment={"POSTGRES_USER": USER, "POSTGRES_PASSWORD": PASSWORD},
        ports={"5432/tcp": (HOST, None)},
        # Faster than a disk; and no volume is made of it that nobody removes.
        tmpfs={"/var/lib/postgresql/data": "rw"},
        shm_size="256m",
        network=NETWORK,
        wrapper_class=Postgres,
        timeout=START_SECONDS,
    )


warehouse_server = _postgres()
citizen_server = _postgres()


@pytest.fixture(scope="session")
def default_redis_broker_command() -> list[str]:
    return Broker.command()


@pytest.fixture(scope="session")
def default_redis_broker_ports() -> dict[str, tuple[str, int]]:
    return Broker.ports()


default_redis_broker = container(
    scope="session",
    image=Broker.image(),
    command=fxtr("default_redis_broker_command"),
    ports=fxtr("default_redis_broker_ports"),
    working_dir=Broker.HOME,
    # Else Redis' own image makes a volume that nobody removes.
    tmpfs={"/data": "rw"},
    network=NETWORK,
    wrapper_class=Broker,
    timeout=START_SECONDS,
)


@pytest.fixture(scope="session")
def place(
    warehouse_server: Postgres, citizen_server: Postgres, default_redis_broker: Broker
) -> Iterator[Workspace]:
    """The tests' own databases on these servers."""
    servers = {WAREHOUSE: warehouse_server.url, CITIZEN: citizen_server.url}
    with workspace({**servers, BROKER: default_redis_broker.host_url}) as made:
        assert made.environment[BROKER].endswith(f"/{default_redis_broker.vhost}")
        yield made


@pytest.fixture
def databases(place: Workspace) -> dict[str, str]:
    """Both databases freshly installed and without rows, the broker empty, and nothing to do."""
    place.renew()
    for variable in (WAREHOUSE, CITIZEN):
        with connected(place.environment[variable]) as connection:
            execute(connection, "DELETE FROM synctasks.run")
    return place.environment


# The clusters.


@pytest.fixture
def celery_broker_cluster(celery_redis_broker: RedisTestBroker) -> Iterator[CeleryBrokerCluster]:
    cluster = CeleryBrokerCluster(celery_redis_broker)
    yield cluster
    cluster.teardown()


@pytest.fixture
def celery_backend_cluster() -> None:
    """Truth is in PostgreSQL: there is no result backend."""


@pytest.fixture
def celery_worker_cluster(celery_setup_worker: CeleryTestWorker) -> Iterator[CeleryWorkerCluster]:
    cluster = CeleryWorkerCluster(celery_setup_worker)
    yield cluster
    cluster.teardown()


# The workers and the listener.


@pytest.fixture
def default_worker_container_cls() -> type[Worker]:
    return Worker


@pytest.fixture
def default_worker_env(
    default_worker_container_cls: type[Worker],
    celery_worker_cluster_config: dict,
    databases: dict[str, str],
    warehouse_server: Postgres,
    citizen_server: Postgres,
) -> dict[str, str]:
    """What a process of ours is told, as the other containers see it."""
    return default_worker_container_cls.initial_env(
        celery_worker_cluster_config,
        {
            WAREHOUSE: warehouse_server.seen_inside(databases[WAREHOUSE]),
            CITIZEN: citizen_server.seen_inside(databases[CITIZEN]),
            KEYS_VARIABLE: os.environ[KEYS_VARIABLE],
        },
    )


def _worker() -> object:
    return container(
        image="{image}",
        command=fxtr("default_worker_command"),
        environment=fxtr("default_worker_env"),
        network=NETWORK,
        wrapper_class=Worker,
        timeout=START_SECONDS,
    )


default_worker_container = _worker()
second_worker_container = _worker()


@pytest.fixture
def second_worker(
    second_worker_container: Worker, default_worker_app: Celery
) -> Iterator[CeleryTestWorker]:
    """A worker that comes when the first one is there already."""
    worker = CeleryTestWorker(second_worker_container, default_worker_app)
    yield worker
    worker.teardown()


listener = container(
    image="{image}",
    command=["synctasks", "listen"],
    environment=fxtr("default_worker_env"),
    network=NETWORK,
    wrapper_class=Listener,
    timeout=START_SECONDS,
)


@pytest.fixture
def celery_setup_app(
    celery_setup_cls: type[CeleryTestSetup], celery_setup_config: dict, celery_setup_name: str
) -> Iterator[Celery]:
    """A client as anybody's: it sends for people's tasks, and asks workers how they are."""
    app = celery_setup_cls.create_setup_app(celery_setup_config, celery_setup_name)
    app.conf.update(task_default_queue="control", task_ignore_result=True)
    yield app
    # Connections are kept by the broker's URL for all apps of a process, and each app that is made
    # is the current one of its thread: other tests have their own.
    pools.reset()
    app.close()
    _set_current_app(None)
