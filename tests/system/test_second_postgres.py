"""The flows and what they stand on, on another PostgreSQL than the wheel's: one of this machine.

As packages bring it, it compiles statements (JIT), and an older one plans otherwise and lacks
settings. The oldest that is found here is taken.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from synctasks.embedded.servers import start_servers

PROJECT = Path(__file__).parents[2]
# Where packages put their programs, one version beside the other: Debian's, PGDG's for Red Hat.
PLACES = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin")
OLDEST = 14
CHOSEN = (
    "tests/flows",
    "tests/integration/checks",
    "tests/integration/failures",
    "tests/integration/runs",
    "tests/integration/test_capture.py",
    "tests/integration/test_capture_rights.py",
    "tests/integration/test_commit_order.py",
    "tests/integration/test_gate.py",
    "tests/integration/test_install.py",
    "tests/integration/test_listener.py",
    "tests/integration/test_masks.py",
    "tests/integration/test_migrations.py",
)
# To give a file's end back, autovacuum locks readers out, and some of ours do not wait at all; that
# it shall not (vacuum_truncate) can be said to a server since 18 only.
SETTINGS = {"autovacuum": "off"}


@pytest.mark.timeout(900)
def test_they_do_the_same_on_it(
    programs: tuple[int, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    version, directory = programs
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", *CHOSEN]
    with start_servers(settings=SETTINGS, bin_directory=directory) as servers, capfd.disabled():
        print(f"\nOn PostgreSQL {version}, of {directory}:", flush=True)  # noqa: T201
        environment = {**os.environ, **servers.environment()}
        ended = subprocess.run(command, cwd=PROJECT, env=environment, check=False)
    assert ended.returncode == 0, f"on PostgreSQL {version} they do not all pass: see above"


@pytest.fixture
def programs() -> tuple[int, Path]:
    """The oldest PostgreSQL of this machine that we support: its version and its programs."""
    found = sorted(
        (version, place)
        for pattern in PLACES
        for place in Path("/").glob(pattern)
        if (version := version_of(place)) >= OLDEST
    )
    if not found:
        pytest.skip(f"no PostgreSQL from {OLDEST} on here: apt-get install postgresql")
    return found[0]


def version_of(directory: Path) -> int:
    """The version of the server there, 0 if only a client is."""
    program = directory / "postgres"
    if not (program.is_file() and (directory / "initdb").is_file()):
        return 0
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    [version] = re.findall(r"\) (\d+)", said.stdout)
    return int(version)
