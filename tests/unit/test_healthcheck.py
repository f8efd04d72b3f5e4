"""docker/healthcheck: what makes a container healthy, and what it says where it is not."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from synctasks.embedded.ports import free_ports

SCRIPT = Path(__file__).parents[2] / "docker/healthcheck"

Outcome = subprocess.CompletedProcess[str]


@pytest.mark.parametrize(("age", "is_well"), [(0, True), (50, True), (70, False), (90_000, False)])
def test_who_was_heard_of_within_the_last_minute_is_well(
    tmp_path: Path, age: int, is_well: bool
) -> None:
    presence = tmp_path / "presence"
    presence.touch()
    os.utime(presence, times=(time.time() - age,) * 2)
    outcome = healthcheck(presence=presence)
    assert outcome.returncode == (0 if is_well else 1)
    assert outcome.stderr.strip() == ("" if is_well else f"nothing was heard of it for {age} s")


def test_of_whom_nothing_was_heard_yet_is_not_well(tmp_path: Path) -> None:
    outcome = healthcheck(presence=tmp_path / "presence")
    assert outcome.returncode == 1
    assert outcome.stderr.startswith("nothing was heard of it yet (")
    assert outcome.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("status", "is_well"), [(200, True), (401, True), (404, True), (500, False), (503, False)]
)
def test_who_answers_is_well_but_for_errors_of_its_own(status: int, is_well: bool) -> None:
    with answering(status) as url:
        outcome = healthcheck(url)
    assert outcome.returncode == (0 if is_well else 1)
    assert (str(status) in outcome.stderr) == (not is_well)


def test_who_does_not_answer_is_not_well() -> None:
    [port] = free_ports(1)
    outcome = healthcheck(f"http://127.0.0.1:{port}/")
    assert outcome.returncode == 1
    assert "refused" in outcome.stderr
    assert outcome.stderr.count("\n") == 1


def test_a_proxy_of_the_environment_is_not_asked() -> None:
    [nobody] = free_ports(1)
    with answering(200) as url:
        assert healthcheck(url, http_proxy=f"http://127.0.0.1:{nobody}").returncode == 0


def healthcheck(*url: str, presence: Path | None = None, **environment: str) -> Outcome:
    """What the script says, in an environment that holds only this."""
    if presence:
        environment["SYNCTASKS_PRESENCE_PATH"] = str(presence)
    return subprocess.run(
        [sys.executable, "-IS", SCRIPT, *url],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@contextmanager
def answering(status: int) -> Iterator[str]:
    """The URL of somebody who answers so."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads it."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()
