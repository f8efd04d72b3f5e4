"""What `synctasks sync` and `status` tell people: progress, books, and what to do next."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from collections.abc import Iterator

import pytest

from synctasks.embedded.waiting import wait_until
from tests.acceptance.obstacles import slow_portal
from tests.acceptance.system import System
from tests.programs import BIN
from tests.refreshing import add_records, key, unseen
from tests.rows import execute

RECORDS = 1_200
SYNC = ("synctasks", "sync", "profile_data")


@pytest.fixture
def filled(system: System) -> System:
    """Records on both sides, of which the portal lacks some and has some more."""
    with system.warehouse() as warehouse, unseen(warehouse):
        add_records(warehouse, 1, RECORDS)
        execute(warehouse, "UPDATE golden_records SET gender = 'X' WHERE gr_id <= %s", [key(4)])
    system.send("sync.profile_data", "control")
    count = "SELECT count(*) FROM profile_data"
    wait_until(lambda: system.at_citizen(count) == [RECORDS - 4], 20, "the records")
    system.quiesce()
    with system.citizen() as citizen:
        execute(citizen, "DELETE FROM profile_data WHERE record_id > %s", [key(RECORDS - 2)])
        execute(citizen, "INSERT INTO profile_data (record_id) VALUES ('GR-1'), ('zz'), ('é')")
    return system


def test_it_tells_the_books_of_its_run_and_status_shows_them(filled: System) -> None:
    told = filled.run(*SYNC)
    assert told.returncode == 0, told.stderr
    assert " ".join(told.stdout.split()) == (
        "profile_data: succeeded. Read 1,200: 2 written, 1,194 unchanged, 4 rejected; removed 3. "
        "Rejected: synctasks dead-letters list --flow profile_data --group-by error"
    )
    assert told.stderr == "", "no bar where there is no terminal"
    shown = " ".join(filled.run("synctasks", "status").stdout.split())
    books = "1,200 read, 2 written, 1,194 unchanged, 4 rejected, 3 removed"
    assert re.search(rf"succeeded \d{{4}}-\d\d-\d\d \d\d:\d\d {books}", shown), shown


def test_on_a_terminal_a_bar_goes_from_nothing_to_all(filled: System) -> None:
    with filled.citizen() as citizen:
        execute(citizen, "UPDATE profile_data SET city = 'x' WHERE record_id LIKE '%5'")
    with slow_portal(filled, 0.02):
        bar = on_a_terminal(filled)
    assert "profile_data" in bar
    counts = [(int(done), int(total)) for done, total in re.findall(r"(\d+)/(\d+)", bar)]
    assert counts[-1] == (RECORDS, RECORDS)
    assert any(0 < done < RECORDS for done, _ in counts), counts
    assert counts == sorted(counts), "it never goes back"


def test_a_run_that_was_stopped_is_told_with_its_reason(filled: System) -> None:
    with filled.warehouse() as warehouse, unseen(warehouse):
        execute(warehouse, "UPDATE golden_records SET gender = 'X'")
    before = filled.at_citizen("SELECT * FROM profile_data ORDER BY record_id")
    told = filled.run(*SYNC)
    assert told.returncode == 1
    first, error, *_ = told.stdout.splitlines()
    assert first.startswith("profile_data: stopped. Read 1,")
    reason = error.removeprefix("Error: ")
    assert re.fullmatch(
        r"contract mismatch: 1,\d{3} of the first 1,\d{3} records were rejected", reason
    )
    alerts = [
        line
        for line in filled.run("synctasks", "status").stdout.splitlines()
        if line.startswith("!") and "profile_data" in line
    ]
    assert alerts == [f"! contract mismatch profile_data: the last full run was stopped: {reason}"]
    assert filled.at_citizen("SELECT * FROM profile_data ORDER BY record_id") == before


def on_a_terminal(system: System) -> str:
    """Run `sync` with its standard error on a terminal; what it wrote there."""
    ours, its = pty.openpty()
    environment = {**os.environ, **system.environment, "TERM": "xterm", "COLUMNS": "120"}
    with subprocess.Popen(
        [str(BIN / SYNC[0]), *SYNC[1:]],
        env=environment,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=its,
    ) as process:
        os.close(its)
        written = b"".join(_until_closed(ours))
        assert process.wait(30) == 0
    os.close(ours)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written.decode())


def _until_closed(terminal: int) -> Iterator[bytes]:
    """What is written to a terminal until its other end is closed, which Linux tells as EIO."""
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:
            return
        if not part:
            return
        yield part
