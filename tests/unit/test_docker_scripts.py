"""The scripts of docker/ where they decide something: compose and the engine only note their calls.

With real ones: tests/docker/stack.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.programs import Outcome

DOCKER = Path(__file__).parents[2] / "docker"
OURS = "postgresql://u:p@warehouse:5432/smart_warehouse"
OTHERS = "postgresql://u:p@warehouse.example:5432/smart_warehouse"

# It notes what it is called with, fails where FAILS says so, and holds no rows.
COMPOSE = """\
#!/bin/sh
echo "compose $*" >>"$NOTES"
case "$*" in *"${FAILS:-nothing at all}"*) exit 1 ;; esac
"""
ENGINE = """\
#!/bin/sh
echo "docker $*" >>"$NOTES"
case "$*" in ps*) printf '%s' "${CONTAINERS:-}" ;; esac
"""


class Scripts:
    """A copy of the scripts, and what they call in place of compose and the engine."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.notes = home / "notes"
        self.secrets = home / "docker/secrets"
        self.secrets.mkdir(parents=True)
        for name in ("up", "down", "synctasks", "make-secrets"):
            shutil.copy(DOCKER / name, home / "docker")
        for place, text in ((home / "docker/compose", COMPOSE), (home / "bin/docker", ENGINE)):
            place.parent.mkdir(exist_ok=True)
            place.write_text(text)
            place.chmod(0o755)

    def run(self, name: str, *arguments: str, **environment: str) -> Outcome:
        path = f"{self.home / 'bin'}:{os.environ['PATH']}"
        return subprocess.run(
            [self.home / "docker" / name, *arguments],
            env={**os.environ, "PATH": path, "NOTES": str(self.notes), **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )

    def called(self) -> str:
        return self.notes.read_text()


@pytest.fixture
def scripts(tmp_path: Path) -> Scripts:
    return Scripts(tmp_path)


def test_down_takes_the_secrets_of_its_own_databases_along(scripts: Scripts) -> None:
    (scripts.secrets / "warehouse_url").write_text(OURS)
    assert scripts.run("down", "--yes").returncode == 0
    assert not scripts.secrets.exists()


def test_down_leaves_the_secrets_of_databases_that_stay(scripts: Scripts) -> None:
    (scripts.secrets / "warehouse_url").write_text(OTHERS)
    done = scripts.run("down", "--yes")
    assert done.returncode == 0
    assert "docker/secrets stays" in done.stdout
    assert scripts.secrets.exists()


def test_down_leaves_the_secrets_that_another_project_reads(scripts: Scripts) -> None:
    (scripts.secrets / "warehouse_url").write_text(OURS)
    done = scripts.run("down", "--yes", CONTAINERS="one")
    assert "Containers of another project" in done.stdout
    assert scripts.secrets.exists()


def test_down_without_a_yes_calls_nobody(scripts: Scripts) -> None:
    assert scripts.run("down").returncode == 2
    assert not scripts.notes.exists()


def test_up_shows_no_demo_on_databases_of_others(scripts: Scripts) -> None:
    (scripts.secrets / "warehouse_url").write_text(OTHERS)
    done = scripts.run("up")
    assert done.returncode == 0
    assert "No demo: the databases are your own" in done.stdout
    assert "demo --join" not in scripts.called()


def test_up_shows_the_demo_on_empty_ones_of_its_own(scripts: Scripts) -> None:
    assert scripts.run("up", "--records", "300").returncode == 0
    assert "synctasks demo --join --records 20000 --seconds 10 --records 300" in scripts.called()


def test_up_says_what_install_said_where_not_everything_starts(scripts: Scripts) -> None:
    failed = scripts.run("up", FAILS="up --detach")
    assert failed.returncode == 1
    assert "not everything has started" in failed.stderr
    assert "compose logs --tail 20 install" in scripts.called()
    assert "Everything is running" not in failed.stdout


@pytest.mark.parametrize(("behind", "who"), [("asha", "asha"), ("", None)])
def test_a_command_names_who_is_at_the_terminal(
    scripts: Scripts, behind: str, who: str | None
) -> None:
    scripts.run("synctasks", "pause", "schemes", SUDO_USER=behind)
    name = who or subprocess.run(["id", "-un"], capture_output=True, text=True).stdout.strip()
    assert f"run --rm --no-deps -T -e SUDO_USER={name} synctasks pause schemes" in scripts.called()


def test_secrets_that_are_there_stay_and_only_their_owner_finds_them(scripts: Scripts) -> None:
    (scripts.secrets / "warehouse_url").write_text(OTHERS)
    scripts.run("make-secrets")
    assert (scripts.secrets / "warehouse_url").read_text() == OTHERS
    assert scripts.secrets.stat().st_mode & 0o777 == 0o700
    made = list(scripts.secrets.iterdir())
    assert len(made) == 10
    # The containers' user is somebody else.
    assert all(each.stat().st_mode & 0o044 == 0o044 for each in made)
