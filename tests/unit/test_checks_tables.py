"""What the doctor makes of tables and columns, without a server."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from synctasks.checks import Finding, State, columns, sensitive, unseen
from synctasks.checks.unseen import Shape
from synctasks.flows import by_name

OK, WARNING, PROBLEM, COULD_NOT_RUN = State


def states(found: Iterable[Finding]) -> list[State]:
    return [each.state for each in found]


@pytest.mark.parametrize(
    ("found", "declared", "holds"),
    [
        ("text", "text", True),
        ("character varying", "text", True),
        ("character varying(64)", "text", False),
        ("text", "varchar(500)", True),
        ("character varying(500)", "varchar(500)", True),
        ("character varying(600)", "varchar(500)", True),
        ("character varying(400)", "varchar(500)", False),
        ("character(500)", "varchar(500)", False),
        ("numeric(5,2)", "numeric(5, 2)", True),
        ("numeric", "numeric(5, 2)", True),
        ("numeric(6,2)", "numeric(5, 2)", True),
        ("numeric(6,3)", "numeric(5, 2)", True),
        ("numeric(5,3)", "numeric(5, 2)", False),
        ("numeric(6,1)", "numeric(5, 2)", False),
        ("numeric(14)", "numeric", False),
        ("bigint", "integer", True),
        ("smallint", "integer", False),
        ("integer", "numeric", False),
        ("timestamp with time zone", "timestamptz", True),
        ("timestamp without time zone", "timestamptz", False),
        ("json", "jsonb", False),
        ("uuid", "text", False),
        ("text[]", "text", False),
    ],
)
def test_a_type_holds_what_is_declared_or_does_not(found: str, declared: str, holds: bool) -> None:
    assert columns.holds(found, declared) is holds


SENSITIVE = """
aadhaar father_aadhar_no mobileNumber alt_phone Email annual_income_band bank_name accountNo PAN
pan_number password_hash date_of_birth otp
"""
HARMLESS = """
company explanation spinach gr_id district_id updated_at city_village accountable japan pincode
bankrupt_flag
"""


@pytest.mark.parametrize("name", SENSITIVE.split())
def test_a_name_sounds_sensitive(name: str) -> None:
    assert sensitive.sounds_sensitive(name)


@pytest.mark.parametrize("name", HARMLESS.split())
def test_a_name_does_not_sound_sensitive(name: str) -> None:
    assert not sensitive.sounds_sensitive(name)


@pytest.mark.parametrize(
    ("names", "state"),
    [
        (["email"], PROBLEM),
        (["email", "family_id"], PROBLEM),
        (["email", "record_id"], OK),
        (["full_name"], OK),
    ],
)
def test_a_masked_column_may_be_unique_only_with_the_rows_own_key(
    names: list[str], state: State
) -> None:
    found = sensitive.judged_indexes(by_name("profile_data"), [("public.x", None, names)])
    assert states(found) == [state]


@pytest.mark.parametrize(
    ("shape", "found"),
    [
        (Shape(), [OK]),
        (Shape("f"), [PROBLEM]),
        (Shape("v"), [PROBLEM]),
        (Shape("p", children=("a", "b")), [WARNING]),
        (Shape("p", children=("a",), subscriptions=("s",)), [PROBLEM, WARNING]),
        (Shape(is_partition=True, parents=("whole",)), [PROBLEM]),
        (Shape(parents=("base",)), [PROBLEM]),
        (Shape(children=("a",)), [PROBLEM]),
        (Shape(subscriptions=("one", "two")), [PROBLEM, PROBLEM]),
    ],
)
def test_tables_whose_writes_are_not_all_seen(shape: Shape, found: list[State]) -> None:
    assert states(unseen.judged("table x", "profile_data", shape)) == found
