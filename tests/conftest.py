"""Servers for the tests: those named in the environment, or embedded ones of our own."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from synctasks.embedded.servers import start_servers

VARIABLES = ("SYNCTASKS_WAREHOUSE_URL", "SYNCTASKS_CITIZEN_URL", "SYNCTASKS_BROKER_URL")


@pytest.fixture(scope="session")
def environment() -> Iterator[dict[str, str]]:
    """The three URLs, also set in os.environ."""
    if all(os.environ.get(name) for name in VARIABLES):
        yield {name: os.environ[name] for name in VARIABLES}
        return
    with start_servers() as servers:
        urls = servers.environment()
        os.environ.update(urls)
        yield urls
        for name in urls:
            del os.environ[name]


@pytest.fixture(scope="session")
def warehouse_url(environment: dict[str, str]) -> str:
    return environment["SYNCTASKS_WAREHOUSE_URL"]


@pytest.fixture(scope="session")
def citizen_url(environment: dict[str, str]) -> str:
    return environment["SYNCTASKS_CITIZEN_URL"]
