"""`synctasks serve`: its start, its end, and what it says of itself."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from synctasks.embedded.ports import free_ports
from synctasks.embedded.waiting import wait_until
from synctasks.monitoring.figures.signs import PROCESSES
from synctasks.settings import PORT_VARIABLE, SECRET_VARIABLE
from tests.callbacks import (
    LISTENING,
    PATH,
    SECRET,
    Web,
    add_forecast,
    answer_on,
    forecast_id,
    serving,
    signed,
)
from tests.programs import run, running
from tests.rows import Connection, rows
from tests.scraping import OPENMETRICS, Scrape
from tests.workspace import BROKER, CITIZEN, WAREHOUSE, Workspace

REQUESTED = "SELECT key FROM synctasks.change_log WHERE origin = 'callback'"


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections, on which nobody ever says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port on which nobody answers, and which nobody else can take."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def at_port(url: str, port: int) -> str:
    """The URL with another port."""
    parts = urlsplit(url)
    login = parts.netloc.rpartition("@")[0]
    return parts._replace(netloc=f"{login}@127.0.0.1:{port}").geturl()


def test_all_is_well(web: Web) -> None:
    assert web.get("/healthz").status == 200
    ready = web.get("/readyz")
    assert ready.status == 200
    processes = ready.json.pop("processes")
    assert ready.json == {
        "ready": True,
        "checks": {"warehouse": "ok", "citizen": "ok", "broker": "ok"},
    }
    assert list(processes) == list(PROCESSES)


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [(OPENMETRICS, "application/openmetrics-text; version=1.0.0"), ("*/*", "text/plain; version=")],
)
def test_anybody_may_scrape(web: Web, accept: str, content_type: str) -> None:
    with web.connection() as connection:
        connection.request("GET", "/metrics", headers={"Accept": accept})
        answer = connection.getresponse()
        said = Scrape(answer.read().decode())
    assert answer.status == 200
    assert answer.headers["content-type"].startswith(content_type)
    assert said.by_label("synctasks_up", "dependency") == dict.fromkeys(
        ("warehouse", "citizen", "broker"), 1
    )


@pytest.mark.parametrize(
    ("variable", "name", "said"),
    [
        (WAREHOUSE, "warehouse", "warehouse database: cannot connect"),
        (CITIZEN, "citizen", "citizen database: cannot connect"),
        (BROKER, "broker", "broker: no answer"),
    ],
)
def test_what_is_away_is_named_and_the_others_are_well(
    databases: dict[str, str],
    closed_port: int,
    tmp_path: Path,
    variable: str,
    name: str,
    said: str,
) -> None:
    away = {variable: at_port(databases[variable], closed_port)}
    with serving(tmp_path, away) as web:
        answer = web.get("/readyz")
        assert web.get("/healthz").status == 200
    assert (answer.status, answer.json["ready"]) == (503, False)
    assert answer.json["checks"].pop(name).startswith(said)
    assert set(answer.json["checks"].values()) == {"ok"}


def test_a_warehouse_that_is_away_records_nothing_and_says_so(
    databases: dict[str, str], closed_port: int, tmp_path: Path
) -> None:
    with serving(tmp_path, {WAREHOUSE: at_port(databases[WAREHOUSE], closed_port)}) as web:
        answer = web.announce(forecast_id())
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert answer.error.startswith("nothing is recorded, send it again later: warehouse database")
    assert (urlsplit(databases[WAREHOUSE]).password or SECRET) not in answer.error + web.words()


def test_before_it_is_installed_nothing_is_ready(place: Workspace, tmp_path: Path) -> None:
    place.renew(installed=False)
    try:
        with serving(tmp_path) as web:
            answer, callback = web.get("/readyz"), web.announce(forecast_id())
    finally:
        place.renew()
    said = "synctasks is not installed there. Run: synctasks install."
    assert answer.json["checks"]["warehouse"] == f"warehouse database: {said}"
    assert (answer.status, callback.status) == (503, 503)


def test_a_silent_broker_delays_no_answer(
    databases: dict[str, str], silent_port: int, warehouse: Connection, tmp_path: Path
) -> None:
    add_forecast(warehouse)
    with serving(tmp_path, {BROKER: at_port(databases[BROKER], silent_port)}) as web:
        assert web.announce(forecast_id()).status == 202
        assert "callback.not_sent" not in web.words()
        assert web.get("/readyz").json["checks"]["broker"].startswith(("broker: ", "no answer"))
        wait_until(lambda: "callback.not_sent" in web.words(), 30, "it to give up")
    assert rows(warehouse, REQUESTED) == [forecast_id()]


def test_a_silent_warehouse_is_given_up(
    databases: dict[str, str], silent_port: int, tmp_path: Path
) -> None:
    with serving(tmp_path, {WAREHOUSE: at_port(databases[WAREHOUSE], silent_port)}) as web:
        assert web.announce(forecast_id()).status == 503
        assert web.get("/healthz").status == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_told_and_answers_what_it_has_begun(
    databases: dict[str, str], warehouse: Connection, tmp_path: Path, number: signal.Signals
) -> None:
    add_forecast(warehouse)
    [port] = free_ports(1)
    web = Web(port, tmp_path / "log")
    body = json.dumps({"forecast_id": forecast_id()}).encode()
    # The port is read from the environment here.
    env = {SECRET_VARIABLE: SECRET, PORT_VARIABLE: str(port)}
    with running("synctasks", "serve", log=web.log, env=env) as process, web.connection() as caller:
        wait_until(lambda: LISTENING in web.words(), 20, "it to listen")
        assert web.get("/healthz").status == 200
        caller.putrequest("POST", PATH)
        for name, value in {**signed(body), "Content-Length": str(len(body))}.items():
            caller.putheader(name, value)
        caller.endheaders(body[:5])
        process.send_signal(number)
        wait_until(lambda: refuses(port), 10, "it to take no new connections")
        caller.send(body[5:])
        assert answer_on(caller).status == 202
        assert process.wait(15) == 0
    assert "serve.stopped" in web.words().splitlines()[-1]
    assert "Traceback" not in web.words()


def refuses(port: int) -> bool:
    """Whether nobody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({SECRET_VARIABLE: None}, f"{SECRET_VARIABLE} is not set: without it anybody could send"),
        ({SECRET_VARIABLE: "  "}, f"{SECRET_VARIABLE} is not set: without it anybody could send"),
        ({PORT_VARIABLE: "http"}, f"{PORT_VARIABLE} is no port (expected a number from 1 to"),
        ({PORT_VARIABLE: "0"}, f"{PORT_VARIABLE} is no port"),
        ({PORT_VARIABLE: "65536"}, f"{PORT_VARIABLE} is no port"),
    ],
    ids=["no secret", "blank secret", "no number", "0", "too high"],
)
def test_it_does_not_start_without_a_secret_or_with_a_bad_port(
    environment: dict[str, str], changes: dict[str, str | None], said: str
) -> None:
    refused = run("synctasks", "serve", env={SECRET_VARIABLE: SECRET, **changes})
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith(f"synctasks: environment: {said}")
    assert (refused.stderr.count("\n"), SECRET in refused.stderr) == (1, False)


@pytest.mark.parametrize("host", ["127.0.0.1", "nowhere.invalid", "x" * 70, "192.0.2.1"])
def test_it_does_not_start_where_it_cannot_listen(
    environment: dict[str, str], silent_port: int, host: str
) -> None:
    address = ("--host", host, "--port", str(silent_port))
    refused = run("synctasks", "serve", *address, env={SECRET_VARIABLE: SECRET})
    assert (refused.returncode, refused.stdout) == (2, "")
    said = f"synctasks: address {host}, port {silent_port}: cannot listen there: "
    assert refused.stderr.startswith(said)
    assert refused.stderr.endswith(
        "Give another one by --host and --port, or stop the program that holds it.\n"
    )
    assert refused.stderr.count("\n") == 1


def test_a_short_secret_is_taken_with_a_warning(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with serving(tmp_path, {SECRET_VARIABLE: "hush-hush"}) as web:
        assert "serve.short_secret" in web.words()
        body = b"{}"
        assert web.ask("POST", PATH, body, signed(body, secret="hush-hush")).status == 422
    assert "hush-hush" not in web.words()


def test_help_needs_no_environment() -> None:
    nothing = dict.fromkeys((WAREHOUSE, CITIZEN, BROKER, SECRET_VARIABLE))
    helped = run("synctasks", "serve", "--help", env=nothing)
    assert helped.returncode == 0
    for word in (
        PATH,
        "/healthz",
        "/readyz",
        "/metrics",
        SECRET_VARIABLE,
        PORT_VARIABLE,
        "127.0.0.1",
    ):
        assert word in helped.stdout


def test_a_port_that_cannot_be_points_to_the_help() -> None:
    refused = run("synctasks", "serve", "--port", "70000")
    assert (refused.returncode, "--help' for help." in refused.stderr) == (2, True)
