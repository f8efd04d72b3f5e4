"""Dead letters in tests: how they come about, what stands of them, and what people type."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from typing import Any
from unittest import mock
from uuid import NAMESPACE_URL, uuid5

from synctasks.capture.change_log import lane_count, pending_lanes
from synctasks.cli import main
from synctasks.database import transaction
from synctasks.engine import refresh
from synctasks.engine.drain import drain
from synctasks.flow import Flow
from synctasks.flows import FLOWS, by_name
from tests.programs import Outcome
from tests.rows import Connection, insert, rows, value

# Values that stand nowhere by chance.
UNMISTAKABLE = {
    "jan_aadhaar": "864209751357",
    "full_name": "Zzyzx Qwertzuiop",
    "city_village": "Zzyzxpur",
    "mobile_number": "+917086420913",
    "email": "zzyzx.q@hidden.example",
}

_ALL = """\
SELECT to_jsonb(letter) || jsonb_build_object('xmin', letter.xmin::text)
FROM synctasks.dead_letter AS letter
ORDER BY id
"""


def letters(connection: Connection) -> list[dict[str, Any]]:
    """All dead letters of a database, oldest first, each with all its columns and its xmin."""
    return rows(connection, _ALL)


def letter(connection: Connection, record: str) -> dict[str, Any]:
    """The only letter of a record."""
    found = [each for each in letters(connection) if each["record"] == record]
    assert len(found) == 1, f"{len(found)} letters of {record!r}"
    return found[0]


def states(connection: Connection) -> dict[str, str]:
    """The state of the newest letter by record."""
    return {each["record"]: each["state"] for each in letters(connection)}


def happened(letter: dict[str, Any]) -> list[str]:
    """What a letter's attempts say, oldest first."""
    return [attempt["what"] for attempt in letter["attempts"]]


def scheme_id(name: str) -> str:
    """A UUID that goes with a name."""
    return str(uuid5(NAMESPACE_URL, name))


def add_scheme(warehouse: Connection, name: str, **columns: Any) -> None:
    """Insert a valid scheme, whose code and id go with its name."""
    scheme = {
        "scheme_id": scheme_id(name),
        "scheme_code": name,
        "scheme_name": f"The scheme {name}",
        "status": "ACTIVE",
        "updated_at": value(warehouse, "SELECT clock_timestamp()"),
    }
    insert(warehouse, "eligibility.scheme_master", {**scheme, **columns})


def full_run(flow: Flow) -> dict[str, int]:
    """A full run from beginning to end, which succeeds; its counts."""
    run, lanes = refresh.request(flow, "by a test"), lane_count(flow)
    while refresh.step(flow, lanes):
        pass
    counts = "read", "written", "unchanged", "filtered", "rejected", "removed"
    statement = f"SELECT state, error, {', '.join(counts)} FROM synctasks.run WHERE id = %(run)s"
    with transaction(flow.source.database) as source:
        state, error, *found = source.row(statement, {"run": run}) or ("gone", None)
    assert (state, error) == ("succeeded", None)
    return dict(zip(counts, found, strict=True))


def typed(*words: str) -> Outcome:
    """`synctasks …` in this process and without a terminal, up to its exit code."""
    said, complaints = StringIO(), StringIO()
    with (
        mock.patch.object(sys, "argv", ["synctasks", *words]),
        mock.patch.object(sys, "stdin", StringIO()),
        redirect_stdout(said),
        redirect_stderr(complaints),
    ):
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    return subprocess.CompletedProcess(words, code, said.getvalue(), complaints.getvalue())


def one_line(outcome: Outcome) -> str:
    """The one line that a command said which ended with exit code 2."""
    assert (outcome.returncode, outcome.stdout) == (2, ""), outcome
    line = outcome.stderr.removesuffix("\n")
    assert line.startswith("synctasks: "), outcome
    assert "\n" not in line
    return line


@contextmanager
def worker() -> Iterator[None]:
    """A worker in this process: what becomes pending within the block is drained at once."""
    over = threading.Event()
    with ThreadPoolExecutor(1) as threads:
        work = threads.submit(_drain_until, over)
        try:
            yield
        finally:
            over.set()
        work.result()


def drain_pending() -> None:
    """Drain every lane in which changes are pending now."""
    for database in {flow.source.database for flow in FLOWS}:
        with transaction(database) as source:
            due = pending_lanes(source)
        for each in due:
            drain(by_name(each.flow), each.lane)


def _drain_until(over: threading.Event) -> None:
    while not over.wait(0.01):
        drain_pending()
