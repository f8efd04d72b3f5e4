"""The flows' own contracts on their own tables: the gate and marshmallow agree on whole rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synctasks.flow import Database
from synctasks.flows import FLOWS
from tests.conftest import connected
from tests.contract_tables import RECORDS, TABLES, Row, Table
from tests.contract_verdicts import (
    AS_OURS,
    Verdict,
    disagreements,
    undone,
    unsound,
    verdicts,
    warehouse_session,
)
from tests.rows import Connection, execute
from tests.workspace import CITIZEN, Workspace

each_table = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
Servers = Mapping[Database, Connection]


@pytest.fixture(scope="module")
def servers(place: Workspace) -> Iterator[Servers]:
    with warehouse_session(place) as warehouse, connected(place.environment[CITIZEN]) as citizen:
        execute(citizen, AS_OURS)
        yield {Database.WAREHOUSE: warehouse, Database.CITIZEN: citizen}


def judged(servers: Servers, table: Table, given: Sequence[Row]) -> list[Verdict]:
    """What both sides say of rows of the real table; nothing stays in it."""
    columns = [table.key, *table.good]
    types = [table.cases[each].column if each in table.cases else "uuid" for each in columns]
    values = ", ".join(
        f"given.{column}::{type_}" for column, type_ in zip(columns, types, strict=True)
    )
    statement = f"""
        INSERT INTO {table.name} ({", ".join(columns)})
        SELECT {values}
        FROM unnest({", ".join(["%s::text[]"] * len(columns))}) AS given ({", ".join(columns)})
        ON CONFLICT DO NOTHING"""
    server = servers[table.flow.source.database]
    with undone(server):
        # Whom a document belongs to, no contract asks.
        execute(server, "SET LOCAL session_replication_role = replica")
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


@each_table
def test_a_good_row_with_one_other_value_is_as_good_as_that_value(
    servers: Servers, table: Table
) -> None:
    """Each column's examples in turn; values that are the rules' business have tests below."""
    expected: dict[str, tuple[bool, bool]] = {}
    given: list[Row] = []
    for column in set(table.cases) - {"district_id", "gender"}:
        for value, good in table.examples(column).items():
            if column == table.key and value is None:
                continue
            # A key is its own name, all other rows have a number.
            row = table.row(len(given), {column: value})
            given.append({name: row[name] for name in (table.key, *table.good)})
            in_doubt = value in table.cases[column].doubtful
            expected[str(row[table.key])] = good and not in_doubt, good
    found = judged(servers, table, given)
    assert len(expected) > 100
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
