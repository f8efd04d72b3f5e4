"""docker/up: how soon it works, who is well, and that a second time changes nothing."""

from __future__ import annotations

import json
from contextlib import closing
from http.client import HTTPConnection

import pytest

from synctasks.embedded.waiting import wait_until
from tests.docker.stack.composed import OURS, SERVERS, Composed
from tests.docker.stack.engine import docker

# The promise, with images built.
FIRST_CHANGE_SECONDS = 60
# A look every 30 s, and the first one is after so long.
HEALTHY_SECONDS = 60

_MAIN = "$(cat /proc/1/task/1/children)"


def test_the_first_change_is_there_within_a_minute(stack: Composed, told: dict[str, str]) -> None:
    told["docker/up and the first change"] = f"{stack.first_change_seconds:.1f} s"
    assert stack.first_change_seconds < FIRST_CHANGE_SECONDS


def test_all_services_get_healthy(stack: Composed) -> None:
    stack.await_health((*OURS, *SERVERS), "healthy", HEALTHY_SECONDS)
    assert stack.state("install")["ExitCode"] == 0


@pytest.mark.parametrize("service", ["worker-events", "listener"])
def test_who_works_says_so_again_and_again(stack: Composed, service: str) -> None:
    container = stack.container(service)
    _age(container)
    wait_until(lambda: _says_it_is_well(container), 30, f"{service} to say that it is there")


def test_a_worker_that_hangs_is_unhealthy_until_it_goes_on(stack: Composed) -> None:
    container = stack.container("worker-control")
    docker("exec", container, "sh", "-c", f"kill -STOP {_MAIN}")
    try:
        # As if a minute had passed, and then it has three more looks to tell.
        _age(container)
        stack.await_health(["worker-control"], "unhealthy", 60)
    finally:
        docker("exec", container, "sh", "-c", f"kill -CONT {_MAIN}")
    stack.await_health(["worker-control"], "healthy", 60)


def test_a_web_process_that_hangs_is_seen(stack: Composed) -> None:
    container = stack.container("web")
    look = ("exec", container, "healthcheck", "http://127.0.0.1:8080/healthz")
    docker(*look)
    docker("exec", container, "sh", "-c", f"kill -STOP {_MAIN}")
    try:
        with pytest.raises(AssertionError, match="timed out"):
            docker(*look)
    finally:
        docker("exec", container, "sh", "-c", f"kill -CONT {_MAIN}")
    docker(*look)


def test_the_web_process_is_ready_where_it_is_published(stack: Composed) -> None:
    with closing(HTTPConnection("127.0.0.1", stack.place.ports["web"], timeout=20)) as asking:
        asking.request("GET", "/readyz")
        answer = asking.getresponse()
        said = json.loads(answer.read())
    assert (answer.status, said["ready"]) == (200, True)
    assert set(said["checks"].values()) == {"ok"}


def test_a_second_up_changes_nothing(stack: Composed) -> None:
    before = stack.started((*OURS, *SERVERS))
    stack.place.did("compose", "up", "--detach")
    assert stack.started((*OURS, *SERVERS)) == before
    assert stack.state("install")["ExitCode"] == 0


def _age(container: str) -> None:
    """As if it had been silent for a while."""
    docker("exec", container, "touch", "--date=10 minutes ago", "/run/synctasks/presence")


def _says_it_is_well(container: str) -> bool:
    return docker("exec", container, "sh", "-c", "healthcheck >/dev/null && echo well || :") != ""
