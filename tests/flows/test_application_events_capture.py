"""Specification 2.2: every change of a status is logged with its values, whatever else happens."""

from __future__ import annotations

import pytest

from synctasks.flows.to_warehouse.application_events import APPLICATION_EVENTS
from tests.flows.applications import (
    APPROVED,
    PENSION,
    SUBMITTED,
    application_id,
    becomes,
    events,
    given_application,
    given_scheme,
    happened,
    logged,
)
from tests.flows.citizens import ASHA, given_citizen, given_record
from tests.rows import Connection, execute, rows, value
from tests.syncing import by_events, pending

LOGGED = "SELECT count(*), count(DISTINCT key) FROM synctasks.event_log"
PENDING = "SELECT count(*) FROM synctasks.change_log WHERE flow = 'application_events'"
GIVEN = """\
INSERT INTO service_applications (id, citizen_id, scheme_id, status, submitted_at)
SELECT ('00000000-0000-4000-c000-' || lpad(number::text, 12, '0'))::uuid, %s, %s, 'draft', %s
FROM generate_series(1, %s) AS number
"""


@pytest.fixture(autouse=True)
def known(citizen: Connection, warehouse: Connection) -> None:
    """Asha, whom the warehouse knows, and a scheme to apply for."""
    given_citizen(citizen)
    given_record(warehouse)
    given_scheme(citizen)


def given_applications(citizen: Connection, count: int) -> None:
    """So many drafts of Asha's, by one statement."""
    execute(citizen, GIVEN, [ASHA, PENSION, SUBMITTED, count])


def test_one_statement_logs_each_application_that_it_changes(
    citizen: Connection, warehouse: Connection
) -> None:
    given_applications(citizen, 1_000)
    execute(citizen, "UPDATE service_applications SET status = 'submitted'")
    assert value(citizen, LOGGED) == (2_000, 1_000)
    assert by_events(citizen, APPLICATION_EVENTS) == {
        "read": 2_000,
        "written": 1_000,
        "filtered": 1_000,
    }
    assert events(warehouse, 777) == [happened("submitted")]


def test_a_statement_however_large_is_logged_and_asks_for_no_full_run(citizen: Connection) -> None:
    given_applications(citizen, 50_001)
    assert value(citizen, LOGGED) == (50_001, 50_001)
    assert value(citizen, PENDING) == 50_001
    assert value(citizen, "SELECT count(*) FROM synctasks.run") == 0


def test_no_statement_is_gathered_before_it_is_logged(citizen: Connection) -> None:
    """No array holds more than a gigabyte: the application's own statement would fail."""
    functions = "SELECT prosrc FROM pg_proc WHERE proname LIKE 'capture_application_events%'"
    sources = rows(citizen, functions)
    assert len(sources) == 2
    assert not any(word in source for source in sources for word in ("[]", "_agg"))


def test_a_statement_logs_only_those_that_it_changes(citizen: Connection) -> None:
    given_applications(citizen, 3)
    becomes(citizen, "submitted", 2)
    execute(citizen, "DELETE FROM synctasks.event_log")
    execute(citizen, "UPDATE service_applications SET status = 'submitted', updated_at = now()")
    assert rows(citizen, "SELECT key FROM synctasks.event_log ORDER BY key") == [
        application_id(1),
        application_id(3),
    ]


def test_a_statement_that_inserts_and_updates_logs_both(citizen: Connection) -> None:
    given_applications(citizen, 1)
    execute(
        citizen,
        GIVEN + "ON CONFLICT (id) DO UPDATE SET status = 'submitted'",
        [ASHA, PENSION, SUBMITTED, 2],
    )
    assert (logged(citizen, 1), logged(citizen, 2)) == (["draft", "submitted"], ["draft"])


def test_what_is_rolled_back_leaves_nothing(citizen: Connection) -> None:
    """The whole of it, or from a savepoint on."""
    execute(citizen, "BEGIN")
    given_application(citizen, status="submitted", submitted_at=SUBMITTED)
    execute(citizen, "ROLLBACK")
    assert (logged(citizen), pending(citizen, APPLICATION_EVENTS)) == ([], [])
    execute(citizen, "BEGIN")
    given_application(citizen, status="submitted", submitted_at=SUBMITTED)
    execute(citizen, "SAVEPOINT here")
    becomes(citizen, "approved", approved_at=APPROVED)
    execute(citizen, "ROLLBACK TO here; COMMIT")
    assert logged(citizen) == ["submitted"]


@pytest.mark.parametrize("column", ["approved_at", "submitted_at", "status", "scheme_id"])
def test_an_application_that_drops_a_column_goes_on_writing(
    citizen: Connection, column: str
) -> None:
    """What it writes is logged with the columns that there are."""
    given_application(citizen, status="submitted", submitted_at=SUBMITTED)
    execute(citizen, "BEGIN")
    execute(citizen, f"ALTER TABLE service_applications DROP COLUMN {column}")
    execute(citizen, "UPDATE service_applications SET updated_at = now()")
    insert = "INSERT INTO service_applications (id, citizen_id) VALUES (%s, %s)"
    execute(citizen, insert, [application_id(2), ASHA])
    kept = rows(
        citizen, """SELECT key, "row" ? %s FROM synctasks.event_log ORDER BY id""", [column]
    )
    execute(citizen, "ROLLBACK")
    ids = [application_id(number) for number in (1, 1, 2)]
    assert kept == list(zip(ids, (True, False, False), strict=True))
    becomes(citizen, "rejected")
    assert logged(citizen) == ["submitted", "rejected"]
