"""Capture runs inside other people's transactions: their rights, their tricks, their errors."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator

import psycopg2
import pytest

from tests.rows import Connection, add_record, execute, pending, rows

OpenSession = Callable[..., Connection]

TABLE_RIGHTS = "GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON public.golden_records TO {role}"

OURS = "flow = 'profile_data'"


@pytest.fixture
def role(warehouse: Connection) -> Iterator[dict[str, str]]:
    """Login of an application that may write its own tables and nothing else."""
    name, password = f"clerk_{secrets.token_hex(4)}", secrets.token_hex(8)
    execute(warehouse, f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")
    execute(warehouse, TABLE_RIGHTS.format(role=name))
    yield {"user": name, "password": password}
    execute(warehouse, f"DROP OWNED BY {name}; DROP ROLE {name}")


@pytest.fixture
def clerk(role: dict[str, str], open_session: OpenSession) -> Iterator[Connection]:
    """Its session, in autocommit."""
    session = open_session(**role)
    session.autocommit = True
    yield session
    session.close()  # before its role is dropped


def test_an_application_without_rights_on_our_schema_writes_as_before(
    clerk: Connection, warehouse: Connection
) -> None:
    add_record(clerk, "GR-1")
    execute(clerk, "UPDATE golden_records SET full_name = 'B'")
    execute(clerk, "DELETE FROM golden_records")
    operations = [("GR-1", "insert"), ("GR-1", "update"), ("GR-1", "delete")]
    assert pending(warehouse) == operations
    execute(clerk, "TRUNCATE golden_records")
    reasons = rows(warehouse, f"SELECT reason FROM synctasks.run WHERE {OURS} ORDER BY id")
    assert reasons[1:] == ["the source table was truncated"]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT FROM synctasks.change_log",
        "DELETE FROM synctasks.change_log",
        "SELECT synctasks.wake()",
        "CREATE TEMPORARY TABLE t (id text);"
        "CREATE TRIGGER t AFTER INSERT ON t EXECUTE FUNCTION"
        " synctasks.capture_profile_data_truncate()",
        "CREATE TEMPORARY TABLE t (id text);"
        "CREATE TRIGGER t AFTER INSERT ON t REFERENCING NEW TABLE AS new_rows EXECUTE FUNCTION"
        " synctasks.capture_profile_data_insert()",
    ],
)
def test_that_application_gains_no_right_by_it(
    clerk: Connection, warehouse: Connection, statement: str
) -> None:
    """Not even where somebody lets it look into our schema."""
    execute(warehouse, f"GRANT USAGE ON SCHEMA synctasks TO {clerk.info.user}")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        execute(clerk, statement)


def test_names_that_an_application_puts_in_the_way_are_never_called(
    clerk: Connection, warehouse: Connection
) -> None:
    """Capture runs with our rights: a function of the application's must not run with them."""
    trap = (
        "CREATE FUNCTION {name}({arguments}) RETURNS {returns} LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'trapped as %', current_user; END $$;"
    )
    traps = [
        ("hashtextextended", "text, bigint", "bigint"),
        ("mod", "bigint, bigint", "bigint"),
        ("abs", "bigint", "bigint"),
        ("pg_try_advisory_xact_lock_shared", "integer, integer", "boolean"),
        ("pg_notify", "text, text", "void"),
        ("clock_timestamp", "", "timestamptz"),
        ("unequal", "text, text", "boolean"),
    ]
    execute(warehouse, f"GRANT CREATE ON SCHEMA public TO {clerk.info.user}")
    for schema in ("public", "pg_temp"):
        for name, arguments, returns in traps:
            made = trap.format(name=f"{schema}.{name}", arguments=arguments, returns=returns)
            execute(clerk, made)
        operator = "LEFTARG = text, RIGHTARG = text"
        execute(clerk, f"CREATE OPERATOR {schema}.<> (FUNCTION = {schema}.unequal, {operator})")
    for table in ("change_log", "new_rows", "old_rows"):
        execute(clerk, f"CREATE TEMPORARY TABLE {table} (LIKE golden_records)")
    execute(clerk, "SET search_path = pg_temp, public, pg_catalog")
    with pytest.raises(psycopg2.errors.RaiseException, match="trapped"):
        execute(clerk, "SELECT 'a'::text <> 'b'::text")
    execute(clerk, "INSERT INTO public.golden_records (gr_id) VALUES ('GR-1')")
    execute(clerk, "UPDATE public.golden_records SET full_name = 'B'")
    execute(clerk, "DELETE FROM public.golden_records")
    assert [operation for _, operation in pending(warehouse)] == ["insert", "update", "delete"]


def test_what_a_transaction_or_a_savepoint_rolls_back_leaves_nothing(
    open_session: OpenSession, warehouse: Connection
) -> None:
    session = open_session()
    add_record(session, "GR-1")
    session.rollback()
    assert pending(warehouse) == []
    add_record(session, "GR-2")
    execute(session, "SAVEPOINT before")
    add_record(session, "GR-3")
    execute(session, "ROLLBACK TO SAVEPOINT before")
    session.commit()
    assert pending(warehouse) == [("GR-2", "insert")]


def test_a_write_that_fails_fails_as_before_and_leaves_nothing(warehouse: Connection) -> None:
    add_record(warehouse, "GR-1")
    with pytest.raises(psycopg2.errors.UniqueViolation):
        execute(warehouse, "INSERT INTO golden_records (gr_id) VALUES ('GR-2'), ('GR-1')")
    assert pending(warehouse) == [("GR-1", "insert")]


def test_one_application_never_waits_for_the_capture_of_another(
    open_session: OpenSession, warehouse: Connection
) -> None:
    """Not even where both ask for the same full run, and one is under way."""
    bulk = "INSERT INTO golden_records (gr_id) SELECT '{}' || n FROM generate_series(1, 50001) AS n"
    execute(warehouse, f"UPDATE synctasks.run SET state = 'running' WHERE {OURS}")
    still_open = open_session()
    execute(still_open, bulk.format("A"))
    execute(warehouse, "SET lock_timeout = '1s'")
    execute(warehouse, bulk.format("B"))
    still_open.commit()
    states = rows(warehouse, f"SELECT state FROM synctasks.run WHERE {OURS} ORDER BY id")
    assert states == ["running", "requested", "requested"]
