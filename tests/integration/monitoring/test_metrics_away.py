"""What is away is missing from a scrape, and takes nothing else along."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from synctasks import database, dispatch, settings
from synctasks.flows import FLOWS
from synctasks.monitoring.figures.signs import PROCESSES
from synctasks.presence import WATCH
from tests.rows import Connection, rows
from tests.scraping import scrape
from tests.workspace import BROKER, CITIZEN, WAREHOUSE

_END_OURS = """\
SELECT pg_terminate_backend(pid)
FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'synctasks'
"""


@pytest.fixture
def nobody() -> Iterator[str]:
    """A place at which nobody answers, and which nobody else can take."""
    with closing(socket.socket()) as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{bound.getsockname()[1]}"


@pytest.mark.parametrize(
    ("variable", "name"), [(WAREHOUSE, "warehouse"), (CITIZEN, "citizen"), (BROKER, "broker")]
)
def test_what_is_away_is_missing_and_the_rest_is_there(
    databases: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    nobody: str,
    variable: str,
    name: str,
) -> None:
    place = urlsplit(databases[variable])
    login = place.netloc.rpartition("@")[0]
    monkeypatch.setenv(variable, place._replace(netloc=f"{login}@{nobody}").geturl())
    settings.load.cache_clear()
    database.forget_connections()
    dispatch._flags.cache_clear()
    found = scrape()
    assert found.by_label("synctasks_up", "dependency") == {
        each: each != name for each in ("warehouse", "citizen", "broker")
    }
    there = {flow.name for flow in FLOWS if flow.source.database != name}
    assert set(found.by_label("synctasks_pending_changes", "flow")) == there
    assert set(found.by_label("synctasks_latency_seconds_count", "flow")) == there
    queues = set(found.by_label("synctasks_queue_messages", "queue"))
    assert queues == (set() if name == "broker" else set(dispatch.QUEUES))
    assert set(found.by_label("synctasks_presence_age_seconds", "process")) == {*PROCESSES, WATCH}
    assert urlsplit(databases[variable]).netloc not in found.text


def test_connections_that_a_restart_has_ended_are_nothing_that_is_away(
    warehouse: Connection, citizen: Connection
) -> None:
    scrape()
    for connection in (warehouse, citizen):
        assert True in rows(connection, _END_OURS)
    up = scrape().by_label("synctasks_up", "dependency")
    assert up == {"warehouse": 1, "citizen": 1, "broker": 1}
