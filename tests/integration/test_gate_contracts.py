"""The flows' own contracts on their own tables: the gate and marshmallow agree on whole rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synctasks.engine.extract import records
from synctasks.flow import Database
from synctasks.flows import FLOWS
from tests.conftest import connected
from tests.contract_table import KNOWN_SCHEME, Row, Table
from tests.contract_tables_portal import FEEDBACK, FROM_PORTAL, TRANSITIONS
from tests.contract_tables_warehouse import ALERTS, FROM_WAREHOUSE, RECORDS
from tests.contract_verdicts import (
    AS_OURS,
    Verdict,
    disagreements,
    undone,
    unsound,
    verdicts,
    warehouse_session,
)
from tests.rows import Connection, execute, rows
from tests.workspace import CITIZEN, Workspace

TABLES = [*FROM_WAREHOUSE, *FROM_PORTAL]

each_table = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.flow.name)
Servers = Mapping[Database, Connection]

_TYPES = """
    SELECT attname, CASE atttypid
        WHEN 'timestamptz'::regtype THEN 'timestamptz' ELSE format_type(atttypid, atttypmod) END
    FROM pg_attribute
    WHERE attrelid = %s::regclass
"""


@pytest.fixture(scope="module")
def servers(place: Workspace) -> Iterator[Servers]:
    with warehouse_session(place) as warehouse, connected(place.environment[CITIZEN]) as citizen:
        execute(citizen, AS_OURS)
        execute(citizen, "INSERT INTO schemes (id, code) VALUES (%s, 'PENSION')", [KNOWN_SCHEME])
        yield {Database.WAREHOUSE: warehouse, Database.CITIZEN: citizen}


def judged(servers: Servers, table: Table, given: Sequence[Row]) -> list[Verdict]:
    """What both sides say of rows of the table; nothing stays in it."""
    columns = list(table.types)
    values = ", ".join(f"given.{column}::{type_}" for column, type_ in table.types.items())
    statement = f"""
        INSERT INTO {table.name} ({", ".join(columns)})
        SELECT {values}
        FROM unnest({", ".join(["%s::text[]"] * len(columns))}) AS given ({", ".join(columns)})
        ON CONFLICT DO NOTHING"""
    server = servers[table.flow.source.database]
    with undone(server):
        # Whom a document belongs to, no contract asks.
        execute(server, "SET LOCAL session_replication_role = replica")
        if table.made:
            execute(server, table.creation)
        execute(server, statement, [[row[column] for row in given] for column in columns])
        return verdicts(server, table.contract, f"{table.name} AS source")


def test_the_contract_of_each_flow_is_tried() -> None:
    assert {table.flow.name for table in TABLES} == {flow.name for flow in FLOWS}


@each_table
def test_each_column_with_a_rule_is_tried(table: Table) -> None:
    assert set(table.contract.fields_by_column()) == {*table.cases, table.key}
    for column, case in table.cases.items():
        assert type(case.field) is type(table.contract.fields_by_column()[column])
        assert case.field.required == table.contract.fields_by_column()[column].required


@pytest.mark.parametrize("table", [each for each in TABLES if each.made], ids=lambda t: t.flow.name)
def test_what_a_query_makes_of_its_tables_is_tried_in_columns_of_its_types(
    servers: Servers, table: Table
) -> None:
    server = servers[table.flow.source.database]
    unit = "'AI-PLATFORM-07:7d444840-9dc0-41e0-9a5b-30d4c2f5c8a1'" if table is ALERTS else "''"
    # No transition is of no application.
    unit = f"'{KNOWN_SCHEME}'" if table is TRANSITIONS else unit
    with undone(server):
        execute(server, f"CREATE TEMPORARY VIEW shown AS SELECT * FROM {records(table.flow, unit)}")
        found = dict(rows(server, _TYPES, ["shown"]))
    assert {column: found[column] for column in table.types} == table.types
    assert set(table.flow.watched) <= found.keys(), "what is judged is read from there, too"


@each_table
def test_a_good_row_with_one_other_value_is_as_good_as_that_value(
    servers: Servers, table: Table
) -> None:
    """Each column's examples in turn; values that are the rules' business have tests below."""
    expected: dict[str, tuple[bool, bool]] = {}
    given: list[Row] = []
    for column in set(table.cases) - table.ruled:
        for value, good in table.examples(column).items():
            if column == table.key and value is None:
                continue
            # A key is its own name, all other rows have a number.
            row = table.row(len(given), {column: value})
            given.append({name: row[name] for name in (table.key, *table.good)})
            in_doubt = value in table.cases[column].doubtful
            expected[str(row[table.key])] = good and not in_doubt, good
    found = judged(servers, table, given)
    assert len(expected) == len(given) > 50
    assert {
        str(each.row[table.key]): (each.gate, each.refusal is None) for each in found
    } == expected


@pytest.mark.parametrize(
    ("changes", "good"),
    [
        ({}, True),
        ({"gender": "O"}, True),
        ({"gender": "f"}, False),
        ({"gender": ""}, False),
        ({"gender": None, "district_id": None, "jan_aadhaar": " "}, True),
        ({"district_id": "1"}, True),
        ({"district_id": "9999"}, False),
        ({"district_id": "-1"}, False),
        ({"created_at": "2025-06-01 12:00:00+00"}, True),
        ({"created_at": "2025-06-01 17:30:00+05:30"}, True),
        ({"created_at": "2025-06-01 12:00:00.000001+00"}, False),
        ({"created_at": "infinity"}, False),
        ({"created_at": "2025-01-01 00:00:00+00", "updated_at": None}, False),
    ],
)
def test_rules_between_values_of_a_golden_record(
    servers: Servers, changes: Row, good: bool
) -> None:
    (verdict,) = judged(servers, RECORDS, [RECORDS.row(1, changes)])
    assert (verdict.gate, verdict.refusal is None) == (good, good)


UNKNOWN_SCHEME = "0b5bd3c2-8f6f-4f6e-9a55-0f2a3c1d4e5f"


@pytest.mark.parametrize(
    ("table", "changes", "good"),
    [
        (TRANSITIONS, {}, True),
        (TRANSITIONS, {"approved_at": None}, False),
        (TRANSITIONS, {"approved_at": None, "status": "rejected"}, True),
        (TRANSITIONS, {"approved_at": None, "status": "Approved"}, False),
        (TRANSITIONS, {"approved_at": None, "status": None}, False),
        (TRANSITIONS, {"approved_at": "infinity", "status": "rejected"}, False),
        (TRANSITIONS, {"approved_at": "infinity"}, False),
        (TRANSITIONS, {"scheme_id": UNKNOWN_SCHEME}, False),
        (TRANSITIONS, {"created_at": "2025-06-01 12:00:00+00"}, True),
        (TRANSITIONS, {"created_at": "2025-06-01 12:00:00.000001+00"}, False),
        (TRANSITIONS, {"created_at": "2025-06-02 00:00:00+00", "updated_at": None}, True),
        (FEEDBACK, {}, True),
        (FEEDBACK, {"scheme_id": None}, True),
        (FEEDBACK, {"scheme_id": UNKNOWN_SCHEME}, False),
    ],
)
def test_rules_between_values_of_an_alert_a_transition_and_feedback(
    servers: Servers, table: Table, changes: Row, good: bool
) -> None:
    (verdict,) = judged(servers, table, [table.row(1, changes)])
    assert (verdict.gate, verdict.refusal is None) == (good, good)


def changes_of(table: Table) -> st.SearchStrategy[Row]:
    """Up to four other values, in any columns: most rows stay good in the others."""
    values = [
        st.tuples(st.just(column), st.sampled_from(list(table.examples(column))) | case.more)
        for column, case in table.cases.items()
    ]
    return st.lists(st.one_of(values), max_size=4).map(dict)


@each_table
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_both_sides_agree_on_rows_with_some_dirty_values(
    servers: Servers, table: Table, data: st.DataObject
) -> None:
    some = data.draw(st.lists(changes_of(table), min_size=5, max_size=30))
    given: list[Row] = []
    for number, changes in enumerate(some):
        row = table.row(number, changes)
        # A primary key is never null.
        given.append({**row, table.key: row[table.key] or ""})
    found = judged(servers, table, given)
    assert found
    wrong = unsound if any(case.doubtful for case in table.cases.values()) else disagreements
    assert not wrong(found)
