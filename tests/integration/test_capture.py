"""What the triggers write into the change log: every event, no other, in whatever way it came."""

from __future__ import annotations

import io

import pytest

from synctasks.capture.triggers import BULK_ROWS
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from tests.rows import Connection, add_record, execute, pending, rows, value

FORGET = "DELETE FROM synctasks.change_log; DELETE FROM synctasks.run"
NEW_VALUES = {
    "date_of_birth": "'1999-09-09'",
    "district_id": "9",
    "created_at": "'2001-01-01'",
    "updated_at": "'2001-01-01'",
}
MANY = "INSERT INTO golden_records (gr_id, full_name) SELECT 'GR-' || n, 'A' FROM {} AS n"


@pytest.fixture
def record(warehouse: Connection) -> None:
    """One record, GR-1, already carried over."""
    add_record(warehouse, "GR-1")
    execute(warehouse, FORGET)


def changed(warehouse: Connection, statement: str) -> list[tuple[str, str]]:
    """Run a statement; what it captured, by key."""
    execute(warehouse, statement)
    return sorted(pending(warehouse))


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("INSERT INTO golden_records (gr_id) VALUES ('GR-2')", ("GR-2", "insert")),
        ("UPDATE golden_records SET city_village = 'Ajmer'", ("GR-1", "update")),
        ("DELETE FROM golden_records", ("GR-1", "delete")),
    ],
)
def test_each_operation_is_one_change(
    record: None, warehouse: Connection, statement: str, expected: tuple[str, str]
) -> None:
    assert changed(warehouse, statement) == [expected]


@pytest.mark.parametrize("column", [name for name in PROFILE_DATA.watched if name != "gr_id"])
def test_another_value_in_a_column_that_the_flow_reads_is_a_change(
    record: None, warehouse: Connection, column: str
) -> None:
    """From a value to another, from a value to none, from none to a value."""
    other = NEW_VALUES.get(column, "'new'")
    for new in (other, "NULL", other):
        captured = changed(warehouse, f"{FORGET}; UPDATE golden_records SET {column} = {new}")
        assert captured == [("GR-1", "update")]


def test_an_update_of_columns_that_nobody_reads_is_none(
    record: None, warehouse: Connection
) -> None:
    read = set(PROFILE_DATA.watched)
    unread = {"review_status": "'DONE'", "pincode": "'302001'", "updated_by": "'x'"}
    assert not read & unread.keys()
    for column, new in unread.items():
        assert changed(warehouse, f"UPDATE golden_records SET {column} = {new}") == []


@pytest.mark.parametrize("kept", ["full_name", "NULL"])
def test_an_update_to_the_same_value_is_none(
    record: None, warehouse: Connection, kept: str
) -> None:
    execute(warehouse, f"UPDATE golden_records SET full_name = {kept}; {FORGET}")
    assert changed(warehouse, "UPDATE golden_records SET full_name = full_name") == []


def test_a_statement_that_touches_many_rows_captures_only_those_that_changed(
    record: None, warehouse: Connection
) -> None:
    execute(warehouse, MANY.format("generate_series(2, 9)") + "; " + FORGET)
    renamed = "UPDATE golden_records SET full_name = CASE gr_id WHEN 'GR-7' THEN 'B' ELSE {} END"
    assert changed(warehouse, renamed.format("full_name")) == [("GR-7", "update")]


def test_a_changed_primary_key_is_two_changes(record: None, warehouse: Connection) -> None:
    captured = changed(warehouse, "UPDATE golden_records SET gr_id = 'GR-2'")
    assert captured == [("GR-1", "update"), ("GR-2", "update")]


def test_two_rows_that_swap_their_keys_in_one_statement(
    record: None, warehouse: Connection
) -> None:
    add_record(warehouse, "GR-2", full_name="Binod")
    execute(
        warehouse,
        "ALTER TABLE golden_records DROP CONSTRAINT golden_records_pkey;"
        "ALTER TABLE golden_records ADD PRIMARY KEY (gr_id) DEFERRABLE; " + FORGET,
    )
    swap = "CASE gr_id WHEN 'GR-1' THEN 'GR-2' ELSE 'GR-1' END"
    captured = changed(warehouse, f"UPDATE golden_records SET gr_id = {swap}")
    assert captured == [("GR-1", "update"), ("GR-2", "update")]


UPSERT = """
INSERT INTO golden_records (gr_id, full_name) VALUES ('GR-1', 'New'), ('GR-2', 'New')
ON CONFLICT (gr_id) DO
"""


def test_an_upsert_captures_what_it_inserts_and_what_it_updates(
    record: None, warehouse: Connection
) -> None:
    captured = changed(warehouse, UPSERT + "UPDATE SET full_name = EXCLUDED.full_name")
    assert captured == [("GR-1", "update"), ("GR-2", "insert")]


def test_an_upsert_that_does_nothing_captures_what_it_inserts(
    record: None, warehouse: Connection
) -> None:
    assert changed(warehouse, UPSERT + "NOTHING") == [("GR-2", "insert")]


def test_merge(record: None, warehouse: Connection) -> None:
    add_record(warehouse, "GR-2")
    execute(warehouse, FORGET)
    captured = changed(
        warehouse,
        """
        MERGE INTO golden_records AS old
        USING (VALUES ('GR-1'), ('GR-2'), ('GR-3')) AS given (id) ON old.gr_id = given.id
        WHEN MATCHED AND given.id = 'GR-1' THEN DELETE
        WHEN MATCHED THEN UPDATE SET full_name = 'Merged'
        WHEN NOT MATCHED THEN INSERT (gr_id) VALUES (given.id)
        """,
    )
    assert captured == [("GR-1", "delete"), ("GR-2", "update"), ("GR-3", "insert")]


def test_several_operations_in_one_statement(record: None, warehouse: Connection) -> None:
    add_record(warehouse, "GR-2")
    execute(warehouse, FORGET)
    captured = changed(
        warehouse,
        """
        WITH gone AS (DELETE FROM golden_records WHERE gr_id = 'GR-1' RETURNING full_name),
        new AS (INSERT INTO golden_records (gr_id, full_name) SELECT 'GR-3', full_name FROM gone)
        UPDATE golden_records SET full_name = 'Later' WHERE gr_id = 'GR-2'
        """,
    )
    assert captured == [("GR-1", "delete"), ("GR-2", "update"), ("GR-3", "insert")]


def test_copy(warehouse: Connection) -> None:
    with warehouse.cursor() as cursor:
        cursor.copy_expert("COPY golden_records (gr_id) FROM STDIN", io.StringIO("GR-1\nGR-2\n"))
    assert pending(warehouse) == [("GR-1", "insert"), ("GR-2", "insert")]


def test_writes_that_other_triggers_make_are_captured_too(
    record: None, warehouse: Connection
) -> None:
    execute(
        warehouse,
        """
        CREATE FUNCTION follow() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            UPDATE golden_records SET full_name = NEW.full_name WHERE gr_id = 'GR-1';
            RETURN NULL;
        END $$;
        CREATE TRIGGER follow AFTER INSERT ON golden_records
        FOR EACH ROW EXECUTE FUNCTION follow()
        """,
    )
    captured = changed(warehouse, "INSERT INTO golden_records VALUES ('GR-2'), ('GR-3')")
    # The second of the two rows changes nothing any more.
    assert captured == [("GR-1", "update"), ("GR-2", "insert"), ("GR-3", "insert")]


@pytest.mark.parametrize("column", ["mobile_number", "district_id"])
def test_writes_go_on_after_a_column_that_the_flow_reads_is_gone(
    record: None, warehouse: Connection, column: str
) -> None:
    """Until the next install, each row that is touched counts as changed."""
    execute(warehouse, f"ALTER TABLE golden_records DROP COLUMN {column}")
    statement = "UPDATE golden_records SET gr_id = 'GR-2', review_status = 'x'"
    assert changed(warehouse, statement) == [("GR-1", "update"), ("GR-2", "update")]
    assert changed(warehouse, "INSERT INTO golden_records VALUES ('GR-3')")[-1][0] == "GR-3"
    assert changed(warehouse, "DELETE FROM golden_records")[0] == ("GR-1", "update")


def test_a_replica_session_is_captured_too(warehouse: Connection) -> None:
    """As bulk loaders and restores set it, to be spared the application's own triggers."""
    execute(warehouse, "SET session_replication_role = replica")
    add_record(warehouse, "GR-1")
    assert pending(warehouse) == [("GR-1", "insert")]


def test_a_bulk_statement_asks_for_one_full_run_in_place_of_changes(
    warehouse: Connection,
) -> None:
    def requests(statement: str) -> list[str]:
        execute(warehouse, FORGET)
        execute(warehouse, statement)
        return rows(warehouse, "SELECT reason FROM synctasks.run WHERE state = 'requested'")

    said = f"one statement changed more than {BULK_ROWS} units"
    assert requests(MANY.format(f"generate_series(0, {BULK_ROWS})")) == [said]
    assert pending(warehouse) == []
    assert requests("UPDATE golden_records SET full_name = 'B'") == [said]
    assert pending(warehouse) == []
    # Not the rows that it touches count, but those that it changes.
    assert requests("UPDATE golden_records SET review_status = 'x'") == []
    assert pending(warehouse) == []
    assert requests("DELETE FROM golden_records WHERE gr_id <> 'GR-0'") == []
    assert value(warehouse, "SELECT count(*) FROM synctasks.change_log") == BULK_ROWS


def test_truncate_asks_for_a_full_run(record: None, warehouse: Connection) -> None:
    assert changed(warehouse, "TRUNCATE golden_records") == []
    run = value(warehouse, "SELECT flow, kind, state, reason FROM synctasks.run")
    assert run == ("profile_data", "full", "requested", "the source table was truncated")
