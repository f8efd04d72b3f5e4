"""Whether a web process is ready: what it depends on decides, and nothing else."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from starlette.requests import Request

from synctasks.http import health
from synctasks.monitoring.figures.signs import PROCESSES
from tests.rows import Connection, execute, rows

_HEARD = """\
UPDATE synctasks.installation SET installed_at = now() - interval '1 day';
INSERT INTO synctasks.presence (process, seen_at)
VALUES
    ('listener', now() - make_interval(secs => %s)),
    ('beat', now() - make_interval(secs => %s))
"""


def ready() -> tuple[int, Any]:
    """Status and JSON of `GET /readyz`."""
    answer = asyncio.run(health.ready(Request({"type": "http", "method": "GET", "headers": []})))
    return answer.status_code, json.loads(bytes(answer.body))


def test_when_others_were_heard_of_last_is_told_and_decides_nothing(
    warehouse: Connection, citizen: Connection
) -> None:
    execute(warehouse, _HEARD, [500, 300])
    execute(citizen, _HEARD, [100, 900])
    status, said = ready()
    assert (status, said["ready"]) == (200, True)
    processes = said["processes"]
    assert list(processes) == list(PROCESSES)
    # A listener listens to one database: both have to be heard of.
    assert processes["listener"] == pytest.approx(500, abs=60)
    assert processes["beat"] == pytest.approx(300, abs=60)
    assert processes["worker events"] == pytest.approx(86_400, abs=60)


@pytest.mark.parametrize(
    ("version", "status", "said"),
    [
        (
            "0001",
            503,
            "citizen database: its schema synctasks is of version 0001, and this program needs {}. "
            "Run: synctasks install.",
        ),
        ("9999", 200, "ok"),
    ],
    ids=["older", "newer"],
)
def test_a_schema_that_is_older_than_the_program_is_not_ready(
    citizen: Connection, version: str, status: int, said: str
) -> None:
    change = "UPDATE synctasks.alembic_version SET version_num = %s"
    [newest] = rows(citizen, "SELECT version_num FROM synctasks.alembic_version")
    execute(citizen, change, [version])
    try:
        answered = ready()
    finally:
        execute(citizen, change, [newest])
    checks = {"warehouse": "ok", "citizen": said.format(newest), "broker": "ok"}
    assert (answered[0], answered[1]["checks"]) == (status, checks)
