"""The flows' own contracts on their own tables: the gate and marshmallow agree on whole rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synctasks.contracts import Contract
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA, GoldenRecord
from synctasks.flows.to_citizen.schemes import SCHEMES, Scheme
from tests import contract_cases as field_cases
from tests.contract_cases import Case
from tests.contract_verdicts import Verdict, disagreements, undone, verdicts, warehouse_session
from tests.rows import Connection, execute
from tests.workspace import Workspace

Row = Mapping[str, str | None]
OPTIONAL, REQUIRED = 0, 1
# Larger values are tried one by one (test_gate.py).
MOST = 20_000


@dataclass(frozen=True)
class Table:
    """A flow's source: a good row (without its primary key), and a case for each column."""

    contract: type[Contract]
    name: str
    key: str
    good: Row
    cases: Mapping[str, Case]

    def row(self, number: int, changes: Row) -> Row:
        """A row, good but for the changes, with a primary key of its own."""
        key = f"00000000-0000-4000-8000-{number:012}"
        return {**self.good, self.key: key, **changes}

    def examples(self, column: str) -> dict[str | None, bool]:
        """The values to try in a column, and whether each is acceptable."""
        found = self.cases[column].examples.items()
        return {text: good for text, good in found if text is None or len(text) <= MOST}


RECORDS = Table(
    GoldenRecord,
    PROFILE_DATA.source.table,
    "gr_id",
    {
        "family_id": "7d444840-9dc0-41e0-9a5b-30d4c2f5c8a1",
        "jan_aadhaar": "123456781234",
        "full_name": "Asha Devi",
        "date_of_birth": "1980-02-03",
        "gender": "F",
        "district_id": "8",
        "created_at": None,
        "updated_at": "2025-06-01 12:00:00+00",
    },
    {
        "gr_id": field_cases.KEY[0],
        "family_id": field_cases.UUID_TEXT[OPTIONAL],
        "jan_aadhaar": field_cases.AADHAAR[OPTIONAL],
        "full_name": field_cases.TEXT[REQUIRED],
        "date_of_birth": field_cases.DATE[OPTIONAL],
        "gender": field_cases.CHOICE[OPTIONAL],
        "district_id": field_cases.INTEGER[OPTIONAL],
        "created_at": field_cases.TIMESTAMP[OPTIONAL],
        "updated_at": field_cases.TIMESTAMP[REQUIRED],
    },
)
CATALOGUE = Table(
    Scheme,
    SCHEMES.source.table,
    "scheme_id",
    {
        "scheme_code": "PENSION",
        "scheme_name": "Old age pension",
        "category": "pension",
        "eligibility_criteria_json": '{"age": {"least": 60}}',
        "benefits_json": "[]",
        "documents_required_json": None,
        "updated_at": "2025-06-01 12:00:00+00",
    },
    {
        "scheme_code": field_cases.KEY[0],
        "scheme_name": field_cases.TEXT[REQUIRED],
        "category": field_cases.WORD[OPTIONAL],
        "eligibility_criteria_json": field_cases.JSON[OPTIONAL],
        "benefits_json": field_cases.JSON[OPTIONAL],
        "documents_required_json": field_cases.JSON[OPTIONAL],
        "updated_at": field_cases.TIMESTAMP[REQUIRED],
    },
)
both_tables = pytest.mark.parametrize("table", [RECORDS, CATALOGUE], ids=lambda table: table.name)


@pytest.fixture(scope="module")
def server(place: Workspace) -> Iterator[Connection]:
    with warehouse_session(place) as connection:
        yield connection


def judged(server: Connection, table: Table, given: Sequence[Row]) -> list[Verdict]:
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
    with undone(server):
        execute(server, statement, [[row[column] for row in given] for column in columns])
        return verdicts(server, table.contract, f"{table.name} AS source")


@both_tables
def test_each_column_with_a_rule_is_tried(table: Table) -> None:
    assert set(table.contract.fields_by_column()) == {*table.cases, table.key}
    for column, case in table.cases.items():
        assert type(case.field) is type(table.contract.fields_by_column()[column])
        assert case.field.required == table.contract.fields_by_column()[column].required


@both_tables
def test_a_good_row_with_one_other_value_is_as_good_as_that_value(
    server: Connection, table: Table
) -> None:
    """Each column's examples in turn; values that are the rules' business have tests below."""
    expected: dict[str, bool] = {}
    given: list[Row] = []
    for column in set(table.cases) - {"district_id", "gender"}:
        for value, good in table.examples(column).items():
            if column == table.key and value is None:
                continue
            # A key is its own name, all other rows have a number.
            row = table.row(len(given), {"scheme_code": f"CODE {len(given)}", column: value})
            given.append({name: row[name] for name in (table.key, *table.good)})
            expected[str(row[table.key])] = good
    found = judged(server, table, given)
    assert not disagreements(found)
    assert len(expected) > 100
    assert {str(verdict.row[table.key]): verdict.gate for verdict in found} == expected


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
    server: Connection, changes: Row, good: bool
) -> None:
    (verdict,) = judged(server, RECORDS, [RECORDS.row(1, changes)])
    assert (verdict.gate, verdict.refusal is None) == (good, good)


def changes_of(table: Table) -> st.SearchStrategy[Row]:
    """Up to four other values, in any columns: most rows stay good in the others."""
    values = [
        st.tuples(st.just(column), st.sampled_from(list(table.examples(column))) | case.more)
        for column, case in table.cases.items()
    ]
    return st.lists(st.one_of(values), max_size=4).map(dict)


@both_tables
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_both_sides_agree_on_rows_with_some_dirty_values(
    server: Connection, table: Table, data: st.DataObject
) -> None:
    some = data.draw(st.lists(changes_of(table), min_size=5, max_size=30))
    given: list[Row] = []
    for number, changes in enumerate(some):
        row = table.row(number, {"scheme_code": f"CODE {number}", **changes})
        # A primary key is never null.
        given.append({**row, table.key: row[table.key] or ""})
    found = judged(server, table, given)
    assert found
    assert not disagreements(found)
