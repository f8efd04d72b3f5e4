"""Specification 1.2: what the flow of summaries must never read of a profile, it cannot have read.

The server itself says so: all of the work is done by a role that may read the columns which the
flow declares, and no others of the table.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg2
import pytest

from synctasks import database, settings
from synctasks.capture.triggers import triggers
from synctasks.flows.to_citizen.profile_summary import PROFILE_SUMMARY
from tests.conftest import connected
from tests.flows.profiles import MARKS, SEEN, SHOWN, UNSEEN, change, given_profile, shown
from tests.flows.told import asked_for, letters_of, verified
from tests.letters import typed
from tests.rows import Connection, execute, rows, value
from tests.syncing import by_events, by_full_run
from tests.workspace import WAREHOUSE, Workspace

MAY = ", ".join(("gr_id", *SEEN))
RIGHTS = f"""
CREATE ROLE {{role}} LOGIN PASSWORD '{{password}}';
GRANT SELECT ({MAY}) ON profile_360 TO {{role}};
GRANT USAGE ON SCHEMA synctasks TO {{role}};
GRANT ALL ON ALL TABLES IN SCHEMA synctasks TO {{role}};
GRANT ALL ON ALL FUNCTIONS IN SCHEMA synctasks TO {{role}};
"""


@pytest.fixture
def reader(
    renewed: Workspace, warehouse: Connection, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """From here on synctasks is a role that may read so much and no more; its URL."""
    role, password = f"reader_{secrets.token_hex(4)}", secrets.token_hex(8)
    execute(warehouse, RIGHTS.format(role=role, password=password))
    url = urlsplit(renewed.environment[WAREHOUSE])
    login = f"{role}:{password}@{url.netloc.rpartition('@')[2]}"
    monkeypatch.setenv(WAREHOUSE, url._replace(netloc=login).geturl())
    database.forget_connections()
    settings.load.cache_clear()
    yield url._replace(netloc=login).geturl()
    monkeypatch.undo()
    renewed.enter()
    execute(warehouse, f"DROP OWNED BY {role}; DROP ROLE {role}")


@pytest.mark.parametrize("column", UNSEEN)
def test_the_role_that_syncs_is_refused_every_other_column(
    warehouse: Connection, reader: str, column: str
) -> None:
    """Else the tests below would show nothing."""
    given_profile(warehouse)
    with connected(reader) as session:
        assert rows(session, f"SELECT {MAY} FROM profile_360")
        for reading in (column, "*", "to_jsonb(source)", "source"):
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                execute(session, f"SELECT {reading} FROM profile_360 AS source")


def test_events_runs_rejects_replays_and_verify_need_no_other_column(
    warehouse: Connection, citizen: Connection, reader: str
) -> None:
    for number in range(1, 5):
        given_profile(warehouse, f"GR-{number}")
    given_profile(warehouse, "GR-5", vulnerability_level=" ")
    given_profile(warehouse, "GR-6", vulnerability_level="x" * 65)
    assert by_events(warehouse, PROFILE_SUMMARY) == {"read": 6, "written": 4, "rejected": 2}
    assert by_full_run(warehouse, PROFILE_SUMMARY) == {"read": 6, "unchanged": 4, "rejected": 2}
    assert asked_for(warehouse, PROFILE_SUMMARY, "GR-1", "GR-5") == {
        "read": 2,
        "unchanged": 1,
        "rejected": 1,
    }
    assert verified(PROFILE_SUMMARY) == {"matched": 4, "dead_lettered": 2}
    assert typed("dead-letters", "check", "--flow", "profile_summary").returncode == 1
    change(warehouse, "GR-5", vulnerability_level="LOW")
    execute(warehouse, "DELETE FROM profile_360 WHERE gr_id = 'GR-1'")
    assert by_events(warehouse, PROFILE_SUMMARY) == {"read": 1, "written": 1, "removed": 1}
    assert set(shown(citizen)) == {"GR-2", "GR-3", "GR-4", "GR-5"}


def test_a_row_that_the_portal_refuses_is_a_letter_without_another_column(
    warehouse: Connection, citizen: Connection, reader: str
) -> None:
    execute(citizen, "ALTER TABLE profile_summary ADD CONSTRAINT few CHECK (region <> 'RJ-99')")
    try:
        given_profile(warehouse, cluster_id="RJ-99")
        given_profile(warehouse, "GR-2")
        assert by_events(warehouse, PROFILE_SUMMARY) == {"read": 2, "written": 1, "rejected": 1}
    finally:
        execute(citizen, "ALTER TABLE profile_summary DROP CONSTRAINT few")
    [(record, *_)] = letters_of(warehouse, PROFILE_SUMMARY)
    assert record == "GR-1"
    assert shown(citizen) == {"GR-2": SHOWN}


@pytest.mark.parametrize("column", UNSEEN)
def test_no_trigger_speaks_of_another_column(column: str) -> None:
    made = triggers(PROFILE_SUMMARY, 8)
    assert len(made) == 4
    for trigger in made:
        assert column not in trigger.function_sql + trigger.trigger_sql


def test_nothing_of_it_stands_in_any_other_table(
    warehouse: Connection, citizen: Connection
) -> None:
    """Whether a profile crosses or is refused, and whatever was sealed."""
    given_profile(warehouse)
    given_profile(warehouse, "GR-2", vulnerability_level="x" * 65)
    by_events(warehouse, PROFILE_SUMMARY)
    by_full_run(warehouse, PROFILE_SUMMARY)
    change(warehouse, age_encoded=0.5, cluster_id="RJ-08")
    by_events(warehouse, PROFILE_SUMMARY)
    for side in (warehouse, citizen):
        tables = rows(
            side,
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables "
            "WHERE schemaname !~ '^(pg_|information_schema)' AND tablename <> 'profile_360'",
        )
        marks = list(map("%{}%".format, MARKS))
        for table in tables:
            asked = f"SELECT bool_or(t::text LIKE ANY (%s)) FROM {table} AS t"
            assert not value(side, asked, [marks]), table
    shown_row = typed("dead-letters", "show", "--json", letter_id(warehouse))
    assert shown_row.returncode == 0, shown_row
    assert not any(mark in shown_row.stdout for mark in MARKS)
    assert "x" * 65 in shown_row.stdout, "what it does hold is what the flow reads"


def letter_id(warehouse: Connection) -> str:
    return str(value(warehouse, "SELECT id FROM synctasks.dead_letter"))
