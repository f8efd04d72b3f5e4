"""The gate on a real server: it lets through exactly what marshmallow accepts."""

from __future__ import annotations

import string
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synctasks.characters import DIGITS, HEX_DIGITS, blank_sql, consists_of_sql
from tests.contract_case import Case
from tests.contract_cases import CASES
from tests.contract_values import WHITE_SPACE
from tests.contract_verdicts import (
    disagreements,
    unsound,
    verdicts_of_field,
    warehouse_session,
)
from tests.rows import Connection, rows
from tests.workspace import Workspace

# All characters that a server of encoding UTF8 can hold.
EVERY_CHARACTER = """
    SELECT chr(code) FROM generate_series(1, 1114111) AS code
    WHERE code NOT BETWEEN 55296 AND 57343 AND {condition} ORDER BY code
"""

many_values = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
each_case = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])


@pytest.fixture(scope="module")
def server(place: Workspace) -> Iterator[Connection]:
    with warehouse_session(place) as connection:
        yield connection


@each_case
def test_both_sides_give_each_example_the_verdict_it_must_get(
    server: Connection, case: Case
) -> None:
    found = verdicts_of_field(server, case, list(case.examples))
    wrong = [
        verdict.told
        for verdict, (text, accepted) in zip(found, case.examples.items(), strict=True)
        if verdict.gate != (accepted and text not in case.doubtful)
        or (verdict.refusal is None) != accepted
    ]
    assert not wrong


@each_case
@many_values
@given(data=st.data())
def test_the_gate_lets_through_what_marshmallow_accepts(
    server: Connection, case: Case, data: st.DataObject
) -> None:
    values = data.draw(st.lists(case.more | st.none(), min_size=10, max_size=40))
    wrong = unsound if case.doubtful else disagreements
    assert not wrong(verdicts_of_field(server, case, values))


def test_to_the_server_the_white_space_of_unicode_is_blank_and_nothing_else(
    server: Connection,
) -> None:
    blank = rows(server, EVERY_CHARACTER.format(condition=blank_sql("chr(code)")))
    assert blank == WHITE_SPACE


@pytest.mark.parametrize(
    ("alphabet", "characters"), [(DIGITS, string.digits), (HEX_DIGITS, string.digits + "abcdef")]
)
def test_to_the_server_only_ascii_digits_are_digits(
    server: Connection, alphabet: str, characters: str
) -> None:
    condition = consists_of_sql("chr(code)", alphabet)
    assert rows(server, EVERY_CHARACTER.format(condition=condition)) == list(characters)
