"""A system of our own for the tests that kill its processes and servers.

It always runs on embedded servers, whatever the environment names: nobody else's are killed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from synctasks.embedded.servers import start_servers
from tests.acceptance.system import System
from tests.workspace import add_districts


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The servers, with everything installed by the real executable."""
    home: Path = tmp_path_factory.mktemp("acceptance")
    with start_servers() as servers:
        made = System(servers, home)
        outcome = made.run("synctasks", "install", "--with-schemas")
        assert outcome.returncode == 0, outcome.stderr
        add_districts(made.environment["SYNCTASKS_WAREHOUSE_URL"])
        try:
            yield made
        finally:
            made.kill_all()


@pytest.fixture
def system(installed: System) -> System:
    """All servers, one worker and one listener at work; all tables empty."""
    installed.renew()
    return installed
