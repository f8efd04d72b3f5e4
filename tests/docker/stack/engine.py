"""What is asked of the Docker engine about containers and images, and done to them."""

from __future__ import annotations

import json
import shutil
import subprocess
from functools import lru_cache
from typing import Any

from tests.docker.engine import IMAGE

# Docker waits a little longer before each start of a container that ended soon after the last one.
BACK_SECONDS = 60


@lru_cache(maxsize=1)
def compose_is_there() -> bool:
    """Whether docker/compose will find one of its versions."""
    if shutil.which("docker-compose"):
        return True
    try:
        asked = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    except FileNotFoundError:
        return False
    return asked.returncode == 0


def docker(*command: str, check: bool = True, timeout: float = 60) -> str:
    """What `docker …` says; asserts that it did it."""
    asked = subprocess.run(
        ["docker", *command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert not check or asked.returncode == 0, f"docker {' '.join(command)}: {asked.stderr}"
    return asked.stdout.strip()


def inspect(thing: str) -> dict[str, Any]:
    """All that the engine knows of a container or an image."""
    [found] = json.loads(docker("inspect", thing))
    return dict(found)


def labelled(kind: str, project: str) -> list[str]:
    """The containers, volumes or networks of a composed project, by their names or ids."""
    shown = [] if kind == "network" else ["--all"] if kind == "container" else []
    label = f"label=com.docker.compose.project={project}"
    return docker(kind, "ls", *shown, "--quiet", "--filter", label).split()


def kill_main(*containers: str) -> None:
    """SIGKILL for process 1 of each, from outside, and all at once: as the kernel kills.

    `docker kill` would say that somebody wants it to be stopped. The process is reached through a
    container that sees those of the engine's machine, wherever that is.
    """
    pids = [str(inspect(each)["State"]["Pid"]) for each in containers]
    outside = ("--pid", "host", "--user", "root", "--network", "none")
    docker(
        "run", "--rm", *outside, "--entrypoint", "sh", IMAGE, "-c", f"kill -KILL {' '.join(pids)}"
    )
