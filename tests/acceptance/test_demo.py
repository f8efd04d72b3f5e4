"""`synctasks demo` as its users run it: the real executable, and nothing left of it afterwards."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import psutil
import psycopg2
import pytest

from synctasks import settings
from synctasks.bind import bound
from synctasks.capture import installer
from synctasks.database import forget_connections
from synctasks.demo import ground
from synctasks.demo.agreement import compare
from synctasks.demo.generate import Plan
from synctasks.demo.specimen import specimen
from synctasks.embedded.waiting import wait_until
from synctasks.engine import refresh
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA

SYNCTASKS = str(Path(sys.executable).with_name("synctasks"))
READY = re.compile(r"First full refresh of profile_data: 500 read")
LONG = ("--records", "500", "--seconds", "300")


class Demo(NamedTuple):
    """A demo under way, and the directory that all its temporary files are in."""

    process: subprocess.Popen[bytes]
    home: Path
    output: Path
    errors: Path

    def wait_for(self, pattern: re.Pattern[str]) -> None:
        wait_until(
            lambda: pattern.search(self.output.read_text()) or self.process.poll() is not None,
            60,
            f"{pattern.pattern} in the output",
        )
        assert self.process.poll() is None, self.output.read_text() + self.errors.read_text()

    def family(self) -> list[psutil.Process]:
        """The demo's children and theirs: guards, servers, worker, listener, beat."""
        return psutil.Process(self.process.pid).children(recursive=True)


def environment_without_servers(home: Path) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if name not in ground.VARIABLES}
    return {**ours, "TMPDIR": str(home)}


def gone(process: psutil.Process) -> bool:
    """Whether it has ended; nobody may be there to reap it, so zombies count."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture
def home() -> Iterator[Path]:
    """A place for temporary files that PostgreSQL's account can enter, unlike pytest's own."""
    directory = Path(tempfile.mkdtemp())
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def long_demo(home: Path, tmp_path: Path) -> Iterator[Demo]:
    """A demo whose source changes for five minutes, just after its first full refresh."""
    output, errors = tmp_path / "output", tmp_path / "errors"
    with (
        output.open("wb") as out,
        errors.open("wb") as err,
        subprocess.Popen(
            [SYNCTASKS, "demo", *LONG],
            stdout=out,
            stderr=err,
            env={**environment_without_servers(home), "PYTHONUNBUFFERED": "1"},
        ) as process,
    ):
        demo = Demo(process, home, output, errors)
        demo.wait_for(READY)
        yield demo
        process.kill()


def test_both_sides_agree(home: Path) -> None:
    ended = subprocess.run(
        [SYNCTASKS, "demo", "--records", "2000", "--seconds", "3"],
        check=False,
        capture_output=True,
        text=True,
        timeout=100,
        env=environment_without_servers(home),
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stderr == ""
    assert "\x1b" not in ended.stdout
    assert re.search(r"flow +rows +changes +p50 +p95 +p99 +agreement", ended.stdout)
    found = re.search(r"profile_data +([\d,]+) +([\d,]+) +\d.* agrees", ended.stdout)
    assert found
    assert int(found[1].replace(",", "")) > 1_900
    assert int(found[2].replace(",", "")) > 50
    assert f"all {found[2]} changes were carried" in ended.stdout
    for column, original, masked in (
        ("jan_aadhaar", r"[0-9]{8}([0-9]{4})", r"\*{4}-\*{4}-\1"),
        ("mobile_number", r"(?:\+91)?[0-9]{6}([0-9]{4})", r"\*{6}\1"),
        ("email", r"(.)\S*(@\S+)", r"\1\*\*\*\2"),
    ):
        assert re.search(rf"{column} +{original} +{masked}\s", ended.stdout), ended.stdout
    assert list(home.iterdir()) == []


def test_ctrl_c_while_it_stays(home: Path) -> None:
    command = [SYNCTASKS, "demo", "--records", "500", "--seconds", "1", "--stay"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    environment = {**environment_without_servers(home), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, **pipes, env=environment) as process:
        said = []
        for line in process.stdout:
            said.append(line)
            if line.startswith("Ctrl-C"):
                break
        family = psutil.Process(process.pid).children(recursive=True)
        exported = dict(re.findall(r"export (\w+)=(\S+)", "".join(said)))
        status = subprocess.run(
            [SYNCTASKS, "status", "--json"],
            check=False,
            capture_output=True,
            text=True,
            timeout=30,
            env={**environment, **exported},
        )
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=30)
    assert exported.keys() == set(ground.VARIABLES)
    flow = json.loads(status.stdout)["flows"]["profile_data"]
    assert (flow["pending"], flow["last_run"]["state"]) == (0, "succeeded")
    assert process.returncode == 130
    assert (rest, errors.strip()) == ("", "synctasks: stopped")
    assert all(map(gone, family))
    assert list(home.iterdir()) == []


def test_kill_9_leaves_nothing(long_demo: Demo) -> None:
    family = long_demo.family()
    names = " ".join(" ".join(each.cmdline()) for each in family)
    assert all(word in names for word in ("worker", "listen", "beat", "postgres", "valkey"))
    long_demo.process.kill()
    wait_until(lambda: all(map(gone, family)), 40, "the end of all processes")
    wait_until(lambda: not list(long_demo.home.iterdir()), 10, "the end of all directories")


def test_a_worker_that_ends_is_named_with_its_log(long_demo: Demo) -> None:
    family = long_demo.family()
    worker = next(each for each in family if {"celery", "worker"} < set(each.cmdline()))
    worker.kill()
    assert long_demo.process.wait(60) == 1
    errors = long_demo.errors.read_text()
    assert errors.startswith("synctasks: the worker: it has ended. The end of its log:\n    ")
    assert "Traceback" not in errors
    wait_until(lambda: all(map(gone, family)), 10, "the end of all processes")
    assert list(long_demo.home.iterdir()) == []


@pytest.fixture
def filled(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, str]]:
    """Two databases of our own on the tests' servers, filled, installed, and synced once."""
    variables = {}
    for name in ("SYNCTASKS_WAREHOUSE_URL", "SYNCTASKS_CITIZEN_URL"):
        execute(environment[name], "DROP DATABASE IF EXISTS demo_test WITH (FORCE)")
        execute(environment[name], "CREATE DATABASE demo_test")
        variables[name] = environment[name].rpartition("/")[0] + "/demo_test"
        monkeypatch.setenv(name, variables[name])
    _forget()
    ground.lay(Plan.of_records(1_000, seed=3), lambda _table, _rows: None)
    installer.install([PROFILE_DATA], with_schemas=False, notifies=True, progress=lambda _: None)
    while refresh.step(PROFILE_DATA, PROFILE_DATA.lanes):
        pass
    yield {**environment, **variables}
    _forget()
    for name in variables:
        execute(environment[name], "DROP DATABASE demo_test WITH (FORCE)")


def _forget() -> None:
    """Connections and what was read of the environment: both are kept for the process's life."""
    forget_connections()
    settings.load.cache_clear()
    bound.cache_clear()


def execute(url: str, statement: str) -> int:
    """Run a statement by itself, outside of any transaction; the rows it touched."""
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.rowcount


def test_agreement_finds_every_difference(filled: dict[str, str]) -> None:
    before = compare(PROFILE_DATA)
    assert (before.rows, before.differing, str(before)) == (1_000, 0, "agrees")
    for change in (
        "UPDATE profile_data SET jan_aadhaar = '****-****-0000' WHERE record_id = 'GR-00000007'",
        "UPDATE profile_data SET email = NULL WHERE record_id ="
        " (SELECT max(record_id) FROM profile_data WHERE email IS NOT NULL)",
        "DELETE FROM profile_data WHERE record_id = 'GR-00000500'",
        "INSERT INTO profile_data (record_id) VALUES ('GR-5'), ('zz')",
    ):
        assert execute(filled["SYNCTASKS_CITIZEN_URL"], change) > 0
    after = compare(PROFILE_DATA)
    assert (after.rows, after.differing, str(after)) == (1_001, 5, "5 keys differ")
    assert "GR-00000007 (different)" in after.examples
    assert "GR-00000500 (missing at the target)" in after.examples
    assert {"GR-5 (only at the target)", "zz (only at the target)"} < set(after.examples)


def test_agreement_does_not_rely_on_the_masks_of_the_sync(filled: dict[str, str]) -> None:
    """Malformed values, unmasked at the target, as a broken mask would leave them."""
    for name, table, key in (
        ("SYNCTASKS_WAREHOUSE_URL", "golden_records", "gr_id"),
        ("SYNCTASKS_CITIZEN_URL", "profile_data", "record_id"),
    ):
        change = f"UPDATE {table} SET mobile_number = '98290-12345' WHERE {key} = 'GR-00000007'"
        assert execute(filled[name], change) == 1
    assert compare(PROFILE_DATA).examples == ("GR-00000007 (different)",)


def test_the_specimen_holds_each_masked_column(filled: dict[str, str]) -> None:
    fields = specimen(PROFILE_DATA)
    masked = [each for each in fields if each.mask]
    assert [each.column for each in masked] == ["jan_aadhaar", "mobile_number", "email"]
    assert all(each.source != each.target for each in masked)
    assert all("***" in (each.target or "") for each in masked)


def test_tables_with_rows_are_refused(filled: dict[str, str], home: Path) -> None:
    count = "SELECT FROM golden_records"
    rows = execute(filled["SYNCTASKS_WAREHOUSE_URL"], count)
    environment = {**environment_without_servers(home), **filled}
    ended = _demo(environment)
    assert ended.returncode == 2
    assert ended.stderr.startswith("synctasks: warehouse database, table eligibility.scheme_master")
    assert ended.stderr.count("\n") == 1
    assert execute(filled["SYNCTASKS_WAREHOUSE_URL"], count) == rows
    password = filled["SYNCTASKS_WAREHOUSE_URL"].split("@")[0].rpartition(":")[2]
    assert password not in ended.stdout + ended.stderr


def test_half_an_environment_is_refused(home: Path) -> None:
    environment = environment_without_servers(home)
    ended = _demo({**environment, "SYNCTASKS_BROKER_URL": "redis://localhost:1/0"})
    assert ended.returncode == 2
    assert "but not SYNCTASKS_WAREHOUSE_URL, SYNCTASKS_CITIZEN_URL. Set all three" in ended.stderr


def _demo(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SYNCTASKS, "demo"],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
    )
