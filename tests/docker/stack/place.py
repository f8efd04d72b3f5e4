"""A place of the tests' own for docker/: a user's secrets, choices and containers stay his."""

from __future__ import annotations

import os
import random
import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from tests.docker import engine
from tests.programs import Outcome

# What the image is built from, and the scripts.
_BUILT_FROM = ("requirements.txt", "pyproject.toml", "README.md", ".dockerignore")
_DIRECTORIES = ("synctasks", "config", "docker")
_USERS_OWN = shutil.ignore_patterns("__pycache__", "secrets", ".env")

# A container's port is published anew after each of its starts. So these are no ports that the
# system gives to whoever connects to somewhere.
_PORTS = range(20_000, 32_000)
_OVERRIDE = """\
services:
  warehouse: {{ports: ["127.0.0.1:{warehouse}:5432"]}}
  citizen: {{ports: ["127.0.0.1:{citizen}:5432"]}}
  redis: {{ports: ["127.0.0.1:{redis}:6379"]}}
  # Somebody waits to see it unhealthy.
  worker-control: {{healthcheck: {{interval: 2s}}}}
"""
# Reads until whoever started it is gone, in whatever way. Then the second part, for what was being
# made in the moment when the first one looked.
_TAKE_DOWN = """\
cat >/dev/null
docker/down --yes
for kind in container volume network; do
    docker $kind ls --quiet --filter label=com.docker.compose.project=$COMPOSE_PROJECT_NAME |
        xargs --no-run-if-empty docker $kind rm --force
done
"""
_DOWN_SECONDS = 120


class Place:
    """A copy of the scripts and of what they build from, under a project name of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.project = f"synctasks-test-{secrets.token_hex(4)}"
        self.image = f"synctasks:{self.project}"
        self.ports = _free_ports("warehouse", "citizen", "redis", "web", "flower")
        self._copy()
        (home / "docker/override.yaml").write_text(_OVERRIDE.format_map(self.ports))
        self.environment = {
            **os.environ,
            "COMPOSE_PROJECT_NAME": self.project,
            "COMPOSE_FILE": "compose.yaml:override.yaml",
            "BASE_IMAGE": engine.BASE,
            "BUILD_NETWORK": engine.NETWORK,
            "POSTGRES_IMAGE": engine.POSTGRES,
            "REDIS_IMAGE": engine.REDIS,
            "SYNCTASKS_IMAGE": self.image,
            "WEB_PORT": f"127.0.0.1:{self.ports['web']}",
            "FLOWER_PORT": f"127.0.0.1:{self.ports['flower']}",
        }

    def run(self, script: str, *arguments: str, timeout: float = 100) -> Outcome:
        """Run docker/SCRIPT to its end, without a terminal."""
        return subprocess.run(
            [self.home / "docker" / script, *arguments],
            env=self.environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def did(self, script: str, *arguments: str, timeout: float = 100) -> str:
        """The same, and it must succeed: what it said."""
        outcome = self.run(script, *arguments, timeout=timeout)
        assert outcome.returncode == 0, f"docker/{script}: {outcome.stdout}\n{outcome.stderr}"
        return outcome.stdout

    def secret(self, name: str) -> str:
        return (self.home / "docker/secrets" / name).read_text().strip()

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Take everything down at the end of the block, and also at any other end of ours."""
        with (self.home / "down.log").open("w") as log:
            guard = subprocess.Popen(
                ["sh", "-c", _TAKE_DOWN],
                env=self.environment,
                cwd=self.home,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            try:
                yield
            finally:
                assert guard.stdin is not None
                guard.stdin.close()
                guard.wait(_DOWN_SECONDS)

    def _copy(self) -> None:
        for name in _BUILT_FROM:
            shutil.copy(engine.PROJECT / name, self.home)
        for name in _DIRECTORIES:
            shutil.copytree(engine.PROJECT / name, self.home / name, ignore=_USERS_OWN)


def _free_ports(*names: str) -> dict[str, int]:
    """A port for each that nobody listens at."""
    candidates = iter(random.SystemRandom().sample(_PORTS, 1_000))
    return {name: next(filter(_is_free, candidates)) for name in names}


def _is_free(port: int) -> bool:
    with closing(socket.socket()) as looking, suppress(OSError):
        looking.bind(("127.0.0.1", port))
        return True
    return False
