"""Flower by the Procfile's command: what it shows, to whom, and that it only shows."""

from __future__ import annotations

import base64
import http.client
import json
import re
import shlex
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from celery import Celery
from flower.urls import handlers
from tornado.web import StaticFileHandler, url

from synctasks.embedded.ports import free_ports
from synctasks.embedded.waiting import wait_until
from synctasks.settings import FLOWER_VARIABLE
from tests.acceptance.eavesdropper import Secrets
from tests.conftest import connected
from tests.letters import UNMISTAKABLE
from tests.programs import run, running
from tests.rows import add_record, names_at_portal
from tests.workspace import BROKER, CITIZEN, WAREHOUSE, Workspace

LOGIN = "watch:a password with a : in it"
LINES = (Path(__file__).parents[2] / "Procfile").read_text().splitlines()
COMMANDS = {name: shlex.split(line) for name, line in (each.split(": ", 1) for each in LINES)}
OTHER = "another:login of Flower's own"
KEYS = ["GR-seen", "GR-refused"]
HOST = "first@here"


@dataclass(frozen=True)
class Flower:
    """A running Flower beside a running worker."""

    port: int

    def ask(self, path: str, login: str | None = LOGIN, *, method: str = "GET") -> tuple[int, str]:
        """The status and the text of an answer."""
        code = base64.b64encode((login or "").encode()).decode()
        headers = {} if login is None else {"Authorization": f"Basic {code}"}
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request(method, path, headers=headers)
            response = connection.getresponse()
            return response.status, response.read().decode()

    def text(self, path: str) -> str:
        status, text = self.ask(path)
        assert status == 200, (path, text)
        return text

    def tasks(self) -> dict[str, Any]:
        """The tasks that it knows, by id."""
        found: dict[str, Any] = json.loads(self.text("/api/tasks"))
        return found

    def answers(self) -> bool:
        try:
            return self.ask("/healthcheck")[0] == 200
        except OSError:
            return False


@pytest.fixture(scope="module")
def flower(place: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flower]:
    """It has seen a task come and go that carried one record over and rejected another."""
    place.renew()
    home: Path = tmp_path_factory.mktemp("flower")
    seen = Flower(free_ports(1)[0])
    log = home / "flower.log"
    # Its own options may say where, not who.
    own = {"FLOWER_PORT": str(seen.port), "FLOWER_BASIC_AUTH": OTHER}
    settings = {FLOWER_VARIABLE: LOGIN, **own}
    work = (*COMMANDS["worker"], "--concurrency=1", f"--hostname={HOST}")
    with (
        running(*COMMANDS["flower"], log=log, env=settings) as process,
        running(*work, log=home / "worker.log"),
        connected(place.environment[WAREHOUSE]) as warehouse,
        connected(place.environment[CITIZEN]) as citizen,
    ):
        wait_until(lambda: seen.answers() or process.poll() is not None, 30, "Flower to answer")
        assert process.poll() is None, log.read_text()
        # What is not seen from its beginning is no task with a name.
        wait_until(lambda: HOST in seen.text("/api/workers?refresh=1"), 30, "the worker to answer")
        add_record(warehouse, KEYS[0], **UNMISTAKABLE)
        add_record(warehouse, KEYS[1], **UNMISTAKABLE, gender="of no known kind")
        _call("sync.profile_data", keys=KEYS)
        wait_until(lambda: KEYS[0] in names_at_portal(citizen), 20, "it to be carried over")
        wait_until(
            lambda: "SUCCESS" in {each["state"] for each in _syncs(seen)}, 10, "Flower to hear"
        )
        yield seen
        assert process.poll() is None, log.read_text()
    assert "Traceback" not in log.read_text()
    assert LOGIN.partition(":")[2] not in log.read_text()


def _call(task: str, **arguments: object) -> None:
    """What `celery call` does."""
    import synctasks.app

    app: Celery = synctasks.app.make_app()
    app.send_task(task, kwargs=arguments)


def _syncs(flower: Flower) -> list[dict[str, Any]]:
    return [each for each in flower.tasks().values() if each["name"] == "sync.profile_data"]


def paths() -> set[str]:
    """Every path that Flower has, but for its scripts and styles."""
    routes = [
        (each.regex.pattern, each.target) if isinstance(each, url) else each[:2]
        for each in handlers
    ]
    patterns = {pattern for pattern, handler in routes if handler is not StaticFileHandler}
    assert {"/metrics", "/healthcheck", "/api/tasks", "/"} <= {
        each.rstrip("$") for each in patterns
    }
    return {re.sub(r"\(\.[*+]\)|\.\*", "x", each).rstrip("$?") for each in patterns}


@pytest.mark.parametrize(
    "login", [None, "", "watch:wrong", f"{LOGIN} ", "watch:g\u00e4nseblume", OTHER]
)
def test_nobody_gets_anywhere_without_the_password(flower: Flower, login: str | None) -> None:
    for path in paths():
        path = f"/{path.lstrip('/')}"
        for method in ("GET", "POST"):
            status, text = flower.ask(path, login, method=method)
            assert status == 401, (method, path)
            assert HOST not in text


def test_it_shows_the_worker_and_the_task_with_its_keys(flower: Flower) -> None:
    assert HOST in flower.text("/workers")
    assert json.loads(flower.text("/api/workers"))[HOST]["stats"]["pool"]["max-concurrency"] == 1
    [sync] = _syncs(flower)
    assert sync["kwargs"] == str({"keys": KEYS})
    page = flower.text(f"/task/{sync['uuid']}")
    assert "sync.profile_data" in page
    assert KEYS[0] in page
    drains = [each for each in flower.tasks().values() if each["name"] == "drain.profile_data"]
    assert {each["state"] for each in drains} == {"SUCCESS"}
    assert "GR-" not in flower.text("/tasks")


def test_it_shows_nothing_that_is_nobodys_business(place: Workspace, flower: Flower) -> None:
    tasks = [f"/{kind}/{each}" for kind in ("task", "api/task/info") for each in flower.tasks()]
    table = "/tasks/datatable?draw=1&start=0&length=100&order%5B0%5D%5Bcolumn%5D=0"
    fixed = ("", "workers", "tasks", "broker", "metrics", "api/workers", "api/tasks")
    worker = [f"/worker/{quote(HOST)}", f"/api/workers?refresh=1&workername={quote(HOST)}"]
    passwords = [urlsplit(url).password for url in place.environment.values()]
    assert any(passwords), "there is something to find"
    secrets = Secrets([*UNMISTAKABLE.values(), *filter(None, passwords), LOGIN.partition(":")[2]])
    for path in (
        *(f"/{each}" for each in fixed),
        "/api/queues/length",
        "/workers?json=1",
        table,
        *worker,
        *tasks,
    ):
        text = flower.text(path)
        assert text
        assert not secrets.within(text), path
    assert urlsplit(place.environment[BROKER]).hostname in flower.text("/broker")


def test_it_can_change_nothing(flower: Flower) -> None:
    [sync] = _syncs(flower)
    attempts = [
        f"/api/worker/shutdown/{HOST}",
        f"/api/worker/pool/restart/{HOST}",
        f"/api/worker/pool/grow/{HOST}?n=3",
        f"/api/worker/queue/cancel-consumer/{HOST}?queue=events",
        f"/api/task/revoke/{sync['uuid']}?terminate=true",
        f"/api/task/rate-limit/sync.profile_data?workername={HOST}&ratelimit=1",
        "/api/task/apply/sync.profile_data",
        "/api/task/async-apply/sync.profile_data",
        "/api/task/send-task/sync.profile_data",
    ]
    for path in attempts:
        assert flower.ask(path, method="POST")[0] == 403, path
    assert [each["uuid"] for each in _syncs(flower)] == [sync["uuid"]]
    pool = json.loads(flower.text(f"/api/workers?refresh=1&workername={HOST}"))[HOST]["stats"]
    assert pool["pool"]["max-concurrency"] == 1


def test_it_does_not_start_without_a_password(environment: dict[str, str]) -> None:
    # Whatever Flower itself would have made of it.
    own = {"FLOWER_BASIC_AUTH": "a:b", "FLOWER_UNAUTHENTICATED_API": "true"}
    refused = run(*COMMANDS["flower"], env={**own, FLOWER_VARIABLE: None})
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        f"synctasks: environment: {FLOWER_VARIABLE} is not set: without it anybody could look at "
        "Flower. Set it to a user and a password with a colon between them; a new password: "
        "openssl rand -hex 16.\n"
    )
