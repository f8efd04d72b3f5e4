"""What is wrong with the set-up or the command line is said in one line, with its remedy.

The real executables, with the environment that people get wrong. Passwords are never shown.
"""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Callable, Iterator
from urllib.parse import quote, urlsplit

import pytest

from tests.conftest import connected
from tests.programs import Outcome, run
from tests.rows import execute, rows
from tests.workspace import BROKER, CITIZEN, VARIABLES, WAREHOUSE, Workspace

SECRET = "s3cretWord"
LIBRARIES = ("Traceback", "psycopg2", "sqlalchemy", "kombu", "Error:")


@pytest.fixture(scope="module", autouse=True)
def installed(place: Workspace) -> None:
    """One set-up is enough: nothing here changes it."""
    place.renew()


@pytest.fixture(scope="module")
def closed_port() -> Iterator[int]:
    """A port on which nobody answers, and which nobody else can take."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def one_line(outcome: Outcome, exit_code: int = 2) -> str:
    """The one line that was said, in people's words."""
    assert (outcome.returncode, outcome.stdout) == (exit_code, ""), outcome
    line = outcome.stderr.removesuffix("\n")
    assert line.startswith("synctasks: ")
    assert "\n" not in line
    assert not [word for word in LIBRARIES if word in line]
    return line


COMMANDS = [
    ("synctasks", "status"),
    ("synctasks", "install"),
    ("synctasks", "listen"),
    ("synctasks", "sync", "profile_data"),
    ("celery", "-A", "synctasks", "worker"),
    ("celery", "-A", "synctasks", "beat"),
]


@pytest.mark.parametrize("command", COMMANDS[2:5], ids=" ".join)
def test_every_missing_variable_is_named_at_once(command: tuple[str, ...]) -> None:
    line = one_line(run(*command, env=dict.fromkeys(VARIABLES)))
    for variable in VARIABLES:
        assert f"{variable} is not set (expected " in line
    assert "Set it in the environment, see config/.env.example" in line


@pytest.mark.parametrize(
    "wrong",
    [
        {
            WAREHOUSE: (f"mysql://u:{SECRET}@h/d", "starts with 'mysql:'"),
            CITIZEN: (f"postgresql://u:{SECRET}@h/", "names no database"),
            BROKER: (f"amqp://u:{SECRET}@h//", "starts with 'amqp:'"),
        },
        {
            WAREHOUSE: (SECRET, "is no URL"),
            CITIZEN: (f"postgresql://u:{SECRET}@/d", "names no host"),
            BROKER: (f"redis://:{SECRET}@h/jobs", "names a database that is no number"),
        },
        {
            WAREHOUSE: (f"postgresql://u:{SECRET}@h:port/d", "is no valid URL"),
            CITIZEN: (f"postgresql://u:{SECRET}@[::1/d", "is no valid URL"),
            BROKER: (f"redis://:{SECRET}@/0", "names no host"),
        },
    ],
    ids=["scheme", "nonsense", "malformed"],
)
def test_every_wrong_url_is_named_at_once_and_no_password_shown(
    wrong: dict[str, tuple[str, str]],
) -> None:
    env = {variable: url for variable, (url, _) in wrong.items()}
    line = one_line(run("synctasks", "sync", "profile_data", env=env))
    for variable, (_, said) in wrong.items():
        assert f"{variable} {said} (expected " in line
    assert SECRET not in line


def on(url: str, **parts: object) -> str:
    """The URL with another user, password, host, port, database or options."""
    old = urlsplit(url)
    merged = {"user": old.username or "", "password": old.password, "host": old.hostname}
    merged |= {"port": old.port, "path": old.path, "query": old.query, **parts}
    netloc = "{user}:{password}@{host}:{port}".format(**merged)
    return old._replace(netloc=netloc, path=merged["path"], query=merged["query"]).geturl()


@pytest.mark.parametrize(
    ("command", "variable", "wrong", "said"),
    [
        (
            ("listen",),
            WAREHOUSE,
            {"password": SECRET},
            "the password is wrong. Put the right user and password into ",
        ),
        (
            ("status",),
            WAREHOUSE,
            {"path": "/nowhere"},
            "the server has no such database or user. Create it, or put the right names into ",
        ),
        (
            ("install",),
            CITIZEN,
            {"host": "nowhere.invalid"},
            "cannot connect. Is the server running, and are host and port in ",
        ),
        (
            ("sync", "profile_data"),
            WAREHOUSE,
            {"query": "nonsense=1"},
            "its URL holds an option that does not exist. Correct ",
        ),
    ],
    ids=["password", "database", "host", "option"],
)
def test_a_database_that_cannot_be_entered(
    environment: dict[str, str],
    command: tuple[str, ...],
    variable: str,
    wrong: dict[str, str],
    said: str,
) -> None:
    url = on(environment[variable], **wrong)
    line = one_line(run("synctasks", *command, env={variable: url}))
    side = "warehouse" if variable == WAREHOUSE else "citizen"
    assert line.startswith(f"synctasks: {side} database: {said}{variable}")
    for hidden in (SECRET, urlsplit(environment[variable]).password or SECRET):
        assert hidden not in line


@pytest.mark.parametrize("command", COMMANDS[:2], ids=" ".join)
def test_a_database_server_that_is_down(
    environment: dict[str, str], closed_port: int, command: tuple[str, ...]
) -> None:
    url = on(environment[WAREHOUSE], port=closed_port)
    assert one_line(run(*command, env={WAREHOUSE: url})) == (
        "synctasks: warehouse database: cannot connect. Is the server running,"
        f" and are host and port in {WAREHOUSE} right?"
    )


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("down", "no answer (ConnectionError). Is it running, and is {} right?"),
        ("password", "the password is wrong. Put the right one into {}."),
    ],
)
def test_a_broker_that_is_down_or_refuses_us(
    environment: dict[str, str], closed_port: int, wrong: str, said: str
) -> None:
    parts = {"port": closed_port} if wrong == "down" else {"password": SECRET}
    url = on(environment[BROKER], **parts)
    line = one_line(run("synctasks", "sync", "profile_data", env={BROKER: url}))
    assert line == f"synctasks: broker: {said.format(BROKER)}"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nope"], "flow 'nope': there is no such flow. Choose one of: schemes, profile_data"),
        (["profile_data", "--key", ""], "key '' of flow profile_data: it is blank"),
        (["profile_data", "--key", "é" * 1351], "it is longer than 2700 bytes"),
        (["profile_data", "--key", "\udcff"], "it is no valid text. A key is the source's gr_id"),
    ],
)
def test_a_flow_or_key_that_cannot_be(arguments: list[str], said: str) -> None:
    line = one_line(run("synctasks", "sync", *arguments))
    assert said in line
    assert len(line) < 300


@pytest.mark.parametrize("command", [COMMANDS[0], *COMMANDS[2:4]], ids=" ".join)
def test_before_it_is_installed(place: Workspace, command: tuple[str, ...]) -> None:
    place.renew(installed=False)
    try:
        line = one_line(run(*command))
    finally:
        place.renew()
    said = "warehouse database: synctasks is not installed there. Run: synctasks install."
    assert line == f"synctasks: {said}"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("DROP TABLE golden_records", "it does not exist. Check the database in the URL, or"),
        ("ALTER TABLE golden_records DROP city_village", "it lacks the columns city_village. Add"),
    ],
    ids=["table", "column"],
)
def test_a_table_or_column_that_is_not_there(place: Workspace, change: str, said: str) -> None:
    with connected(place.environment[WAREHOUSE]) as warehouse:
        execute(warehouse, change)
    try:
        line = one_line(run("synctasks", "install"))
    finally:
        place.renew()
    assert line.startswith(f"synctasks: warehouse database, table public.golden_records: {said}")


@pytest.mark.parametrize(
    "arguments",
    [["nope"], ["sync", "profile_data", "--nope"]],
    ids=" ".join,
)
def test_wrong_usage_points_to_the_help(arguments: list[str]) -> None:
    outcome = run("synctasks", *arguments)
    assert (outcome.returncode, outcome.stdout) == (2, "")
    assert "--help' for help." in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_without_a_worker_it_says_so_and_the_request_stays(environment: dict[str, str]) -> None:
    began = time.monotonic()
    line = one_line(run("synctasks", "sync", "profile_data", "--key", "GR-1"), exit_code=1)
    assert time.monotonic() - began < 20
    assert "no worker answered within 10 s. The request for profile_data stays" in line
    assert "celery -A synctasks worker" in line
    with connected(environment[WAREHOUSE]) as warehouse:
        assert rows(warehouse, "SELECT key FROM synctasks.change_log") == ["GR-1"]


@pytest.fixture
def odd_password(environment: dict[str, str]) -> Iterator[Callable[[str], str]]:
    """URLs of a superuser whose password holds what a URL has to escape."""
    name, password = f"odd_{secrets.token_hex(4)}", "p@ss/wörd:%41?#"
    create = f"CREATE ROLE {name} SUPERUSER LOGIN PASSWORD '{password}'"
    with connected(environment[WAREHOUSE]) as server:
        execute(server, create)
        yield lambda url: on(url, user=name, password=quote(password, safe=""))
        execute(server, f"DROP ROLE {name}")


def test_a_password_of_any_characters_works(
    environment: dict[str, str], odd_password: Callable[[str], str]
) -> None:
    """Through the pool, the driver and the migrations, which each read the URL."""
    outcome = run("synctasks", "install", env={WAREHOUSE: odd_password(environment[WAREHOUSE])})
    assert (outcome.returncode, "Traceback" in outcome.stderr) == (0, False), outcome
