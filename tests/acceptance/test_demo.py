"""`synctasks demo` as its users run it: the real executable, and nothing left of it afterwards."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import psutil
import pytest

from synctasks.capture import installer
from synctasks.demo import ground
from synctasks.demo.agreement import compare
from synctasks.demo.specimen import specimen
from synctasks.embedded.waiting import wait_until
from synctasks.engine import refresh
from synctasks.flows import FLOWS
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.sample.generate import Plan
from tests.conftest import connected
from tests.programs import run, running
from tests.workspace import BROKER, CITIZEN, VARIABLES, WAREHOUSE, Workspace

ROW = re.compile(r"^ *(\w+) +([\d,]+) +([\d,]+) .* agrees *$", re.MULTILINE)
EXPORTED = re.compile(r"export (\w+)=(\S+)")


def number(shown: str) -> int:
    """A number as the demo shows it: `1,234`."""
    return int(shown.replace(",", ""))


class Demo(NamedTuple):
    """A demo under way, the directory that all its temporary files are in, and what it says."""

    process: subprocess.Popen[bytes]
    home: Path
    log: Path

    def said(self) -> str:
        return self.log.read_text()

    def wait_for(self, text: str) -> None:
        wait_until(lambda: text in self.said() or self.process.poll() is not None, 60, text)
        assert self.process.poll() is None, self.said()

    def family(self) -> list[psutil.Process]:
        """The demo's children and theirs: guards, servers, worker, listener, beat."""
        return psutil.Process(self.process.pid).children(recursive=True)


def own_servers(home: Path) -> dict[str, str | None]:
    """The environment in which a demo starts servers of its own, their data in `home`."""
    return {"TMPDIR": str(home), **dict.fromkeys(VARIABLES)}


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
    command = ("synctasks", "demo", "--records", "500", "--seconds", "300")
    log = tmp_path / "log"
    with running(*command, log=log, env=own_servers(home)) as process:
        demo = Demo(process, home, log)
        demo.wait_for("First full refresh of profile_data: 5")
        yield demo


def test_both_sides_agree(home: Path) -> None:
    command = ("synctasks", "demo", "--records", "2000", "--seconds", "3")
    ended = run(*command, env=own_servers(home), timeout=110)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stderr == ""
    assert "\x1b" not in ended.stdout
    table = re.split(r"flow +rows +changes +p50 +p95 +p99 +agreement", ended.stdout)[1]
    found = {flow: (number(rows), number(changes)) for flow, rows, changes in ROW.findall(table)}
    assert list(found) == [flow.name for flow in FLOWS]
    assert all(rows for rows, _ in found.values())
    assert found["profile_data"][0] > 1_900
    assert {flow for flow, (_, changes) in found.items() if not changes} <= {
        "schemes",
        "user_behavior",
        "feedback_analytics",
    }
    assert re.search(r"and all [\d,]+ changes were carried\.", ended.stdout)
    for column, original, masked in (
        ("jan_aadhaar", r"[0-9]{8}([0-9]{4})", r"\*{4}-\*{4}-\1"),
        ("mobile_number", r"(?:\+91)?[0-9]{6}([0-9]{4})", r"\*{6}\1"),
        ("email", r"(.)\S*(@\S+)", r"\1\*\*\*\2"),
    ):
        assert re.search(rf"{column} +{original} +{masked}\s", ended.stdout), ended.stdout
    assert list(home.iterdir()) == []


def test_ctrl_c_while_it_stays(home: Path, tmp_path: Path) -> None:
    command = ("synctasks", "demo", "--records", "500", "--seconds", "1", "--stay")
    with running(*command, log=tmp_path / "log", env=own_servers(home)) as process:
        demo = Demo(process, home, tmp_path / "log")
        demo.wait_for("Ctrl-C ends it.")
        said, family = demo.said(), demo.family()
        status = run("synctasks", "status", "--json", env=dict(EXPORTED.findall(said)))
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    assert {name for name, _ in EXPORTED.findall(said)} == set(VARIABLES)
    flow = json.loads(status.stdout)["flows"]["profile_data"]
    assert (flow["pending"], flow["last_run"]["state"]) == (0, "succeeded")
    assert demo.said().removeprefix(said).strip() == "synctasks: stopped"
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
    assert "\nsynctasks: the worker: it has ended. The end of its log:\n    " in long_demo.said()
    assert "Traceback" not in long_demo.said()
    wait_until(lambda: all(map(gone, family)), 10, "the end of all processes")
    assert list(long_demo.home.iterdir()) == []


@pytest.fixture
def filled(place: Workspace) -> dict[str, str]:
    """The tests' databases filled, installed, and synced once, without any process."""
    place.renew(installed=False)
    ground.lay(Plan.of_records(1_000, seed=3), lambda _table, _rows: None)
    installer.install([PROFILE_DATA], with_schemas=False, notifies=True, progress=lambda _: None)
    while refresh.step(PROFILE_DATA, PROFILE_DATA.lanes):
        pass
    return place.environment


def execute(url: str, statement: str) -> int:
    """Run a statement; how many rows it touched."""
    with connected(url) as connection, connection.cursor() as cursor:
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
        assert execute(filled[CITIZEN], change) > 0
    after = compare(PROFILE_DATA)
    assert (after.rows, after.differing, str(after)) == (1_001, 5, "5 keys differ")
    assert "GR-00000007 (different)" in after.examples
    assert "GR-00000500 (missing at the target)" in after.examples
    assert {"GR-5 (only at the target)", "zz (only at the target)"} < set(after.examples)


def test_agreement_does_not_rely_on_the_masks_of_the_sync(filled: dict[str, str]) -> None:
    """Malformed values, unmasked at the target, as a broken mask would leave them."""
    for name, table, key in (
        (WAREHOUSE, "golden_records", "gr_id"),
        (CITIZEN, "profile_data", "record_id"),
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


def test_real_servers_are_used_once(place: Workspace, home: Path, tmp_path: Path) -> None:
    """The first demo (with a row of ours in its way) fills them; the second refuses to."""
    place.renew(installed=False)
    environment = {"TMPDIR": str(home), **place.environment}
    command = ("synctasks", "demo", "--records", "500", "--seconds", "2")
    with running(*command, log=tmp_path / "log", env=environment) as process:
        first = Demo(process, home, tmp_path / "log")
        first.wait_for("With what came from the portal: full refresh of profile_data: 5")
        execute(place.environment[CITIZEN], "INSERT INTO profile_data (record_id) VALUES ('zz')")
        assert process.wait(90) == 1
    assert "\nprofile_data: 1 key differs: zz (only at the target)\n" in first.said()
    assert "Both sides agree" not in first.said()
    assert "Your databases keep the people" in first.said()
    count = "SELECT FROM golden_records"
    rows = execute(place.environment[WAREHOUSE], count)
    second = run("synctasks", "demo", env=environment)
    assert second.returncode == 2
    assert second.stderr.startswith(
        "synctasks: warehouse database, table eligibility.scheme_master: it holds rows already"
    )
    assert second.stderr.count("\n") == 1
    assert urlsplit(place.environment[WAREHOUSE]).password not in second.stdout + second.stderr
    assert execute(place.environment[WAREHOUSE], count) == rows
    assert list(home.iterdir()) == []


def test_half_an_environment_is_refused(home: Path) -> None:
    ended = run("synctasks", "demo", env={**own_servers(home), BROKER: "redis://localhost:1/0"})
    assert ended.returncode == 2
    assert f"but not {WAREHOUSE}, {CITIZEN}. Set all three" in ended.stderr
