"""Our own processes, as a benchmark starts and asks them."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from synctasks import settings
from synctasks.embedded.ports import free_ports
from synctasks.embedded.process import GuardedProcess
from synctasks.embedded.waiting import wait_until

_HTTP_OK = 200


def program(name: str) -> str:
    """A program of this environment."""
    return str(Path(sys.executable).parent / name)


def start(logs: Path, *command: str) -> GuardedProcess:
    """A process under a guard, its log named for its program."""
    name = command[0]
    path = sys.executable if name == "python" else program(name)
    return GuardedProcess.start([path, *command[1:]], log=logs / f"{name}.log")


def milliseconds(*command: str) -> float:
    """How long a program takes from its start to its end; 1 says that it found something."""
    began = time.perf_counter()
    ended = subprocess.run(command, check=False, capture_output=True)
    if ended.returncode not in (0, 1):
        raise RuntimeError(ended.stderr.decode())
    return (time.perf_counter() - began) * 1000


@contextlib.contextmanager
def serving(logs: Path) -> Iterator[str]:
    """`synctasks serve`, ready for requests; its URL."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    secret = {settings.SECRET_VARIABLE: "a benchmark's own secret"}
    command = [program("synctasks"), "serve", "--port", str(port)]
    with GuardedProcess.start(command, log=logs / "serve.log", env=secret):
        wait_until(lambda: answers(f"{url}/healthz"), 30, "the web process to answer")
        yield url


def answers(url: str) -> bool:
    """Whether a request is answered with 200."""
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            answer.read()
            return bool(answer.status == _HTTP_OK)
    except OSError:
        return False
