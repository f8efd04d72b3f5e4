"""A gate that is looser than its field does not go unnoticed: these tests test the tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from synctasks.characters import DIGITS, consists_of_sql
from synctasks.contracts import Field, fields, people
from tests.contract_case import Case
from tests.contract_cases import (
    AADHAAR,
    CASES,
    KEY,
    LINK,
    MOBILE,
    TEXT,
    UUID,
    UUID_TEXT,
    WORD,
)
from tests.contract_numbers import (
    COUNT,
    DATE,
    DATE_NEAR_TODAY,
    INTEGER,
    SIZE,
    TIMESTAMP_NEAR_NOW,
)
from tests.contract_verdicts import unsound, verdicts_of_field, warehouse_session
from tests.rows import Connection
from tests.workspace import Workspace

# What may be left out of a gate without any harm: it only saves the conditions behind it. The
# others of a UUID's say its length, too; a column of UUIDs holds nothing else, one of whole numbers
# nothing that is no number.
IDLE = (
    {(case.name, 0) for case in UUID_TEXT}
    | {(case.name, at) for case in UUID for at in range(4)}
    | {(case.name, 1) for case in SIZE + COUNT}
)


@pytest.fixture(scope="module")
def server(place: Workspace) -> Iterator[Connection]:
    with warehouse_session(place) as connection:
        yield connection


def breaches(server: Connection, case: Case) -> list[str]:
    """The fixed examples of a case that its gate lets through and its field refuses."""
    return unsound(verdicts_of_field(server, case, list(case.examples)))


def loosenings() -> Iterator[tuple[Case, int]]:
    """Each condition of each gate, by its place; a mobile number's gate is no such list."""
    for case in CASES:
        if case in MOBILE:
            continue
        for at, condition in enumerate(case.field.sql("held").split(" AND ")):
            if condition != "true":
                yield case, at


LOOSENINGS = list(loosenings())


def test_each_type_of_field_has_a_gate_that_can_be_loosened() -> None:
    loosened = {type(case.field) for case, at in LOOSENINGS if (case.name, at) not in IDLE}
    assert loosened >= {type(case.field) for case in CASES} - {
        type(INTEGER[0].field),
        type(MOBILE[0].field),
    }


@pytest.mark.parametrize(
    ("case", "at"), LOOSENINGS, ids=[f"{case.name}-{at}" for case, at in LOOSENINGS]
)
def test_a_gate_without_one_of_its_conditions_is_found_out(
    server: Connection, monkeypatch: pytest.MonkeyPatch, case: Case, at: int
) -> None:
    whole = type(case.field).sql

    def loose(field: Field, value: str) -> str:
        conditions = whole(field, value).split(" AND ")
        return " AND ".join(conditions[:at] + conditions[at + 1 :]) or "true"

    assert not breaches(server, case)
    monkeypatch.setattr(type(case.field), "sql", loose)
    assert bool(breaches(server, case)) == ((case.name, at) not in IDLE)


REQUIRED = [case for case in CASES if case.field.required]


@pytest.mark.parametrize("case", REQUIRED, ids=[case.name for case in REQUIRED])
def test_a_gate_that_lets_a_missing_value_through_is_found_out(
    server: Connection, monkeypatch: pytest.MonkeyPatch, case: Case
) -> None:
    def loose(field: Field, value: str) -> str:
        return f"({value} IS NULL OR {field.sql(value)})"

    monkeypatch.setattr(Field, "gate", loose)
    assert any("NULL" in breach for breach in breaches(server, case))


@pytest.mark.parametrize("case", [AADHAAR[0], UUID_TEXT[0]], ids=["Aadhaar", "Uuid"])
@pytest.mark.parametrize(
    "careless",
    [
        lambda value, alphabet: f"octet_length({value}) = char_length({value})",
        lambda value, alphabet: f"{value} ~ '[{alphabet}]'",
        lambda value, alphabet: f"{value} ~ '(?n)^[{alphabet}]+$'",
        lambda value, alphabet: f"{value} ~ '^[{alphabet}-]+\\s?$'",
        lambda value, alphabet: f"ltrim({value}, '{alphabet}') <> {value}",
        lambda value, alphabet: consists_of_sql(value, alphabet + "\n g-"),
    ],
    ids=["ascii", "one", "lines", "newline", "first", "wider"],
)
def test_a_careless_look_at_characters_is_found_out(
    server: Connection,
    monkeypatch: pytest.MonkeyPatch,
    case: Case,
    careless: Callable[[str, str], str],
) -> None:
    for module in (fields, people):
        monkeypatch.setattr(module, "consists_of_sql", careless)
    assert breaches(server, case)


@pytest.mark.parametrize("digits", ["0-9\u0966-\u096f", "0-9\uff10-\uff19", "0-9\u00b2"])
def test_digits_of_another_script_are_found_out(
    server: Connection, monkeypatch: pytest.MonkeyPatch, digits: str
) -> None:
    """Four of them have twelve bytes, as twelve ASCII digits have."""
    monkeypatch.setattr(people, "consists_of_sql", lambda value, _: f"{value} ~ '^[{digits}]+$'")
    assert breaches(server, AADHAAR[0])


@pytest.mark.parametrize(
    "case", [TEXT[1], KEY[0], WORD[0]], ids=lambda case: type(case.field).__name__
)
@pytest.mark.parametrize(
    "careless", ["{} = ''", "trim({}) = ''", "ltrim({}, E' \\t\\n\\r') = ''", "{} ~ '^ +$'"]
)
def test_a_careless_look_at_white_space_is_found_out(
    server: Connection, monkeypatch: pytest.MonkeyPatch, case: Case, careless: str
) -> None:
    monkeypatch.setattr(fields, "blank_sql", careless.format)
    assert breaches(server, case)


@pytest.mark.parametrize(
    ("case", "right", "careless"),
    [
        (KEY[0], "octet_length", "char_length"),
        (AADHAAR[0], "= 12", ">= 12"),
        (DATE_NEAR_TODAY[0], ")::date", ")::date + 1"),
        (DATE[0], "'1900-01-01'", "'1899-12-31'"),
        (TIMESTAMP_NEAR_NOW[0], "5 minutes", "5 minutes 1 microsecond"),
        (TIMESTAMP_NEAR_NOW[0], "statement_timestamp()", "clock_timestamp() + interval '1 ms'"),
    ],
    ids=["bytes", "digits", "tomorrow", "first day", "ahead", "clock"],
)
def test_a_slightly_wrong_limit_is_found_out(
    server: Connection,
    monkeypatch: pytest.MonkeyPatch,
    case: Case,
    right: str,
    careless: str,
) -> None:
    whole = type(case.field).sql
    assert right in case.field.sql("held")
    monkeypatch.setattr(
        type(case.field), "sql", lambda field, value: whole(field, value).replace(right, careless)
    )
    assert breaches(server, case)


@pytest.mark.parametrize(
    ("right", "careless"),
    [
        (f"WHEN 10 THEN {consists_of_sql('held', DIGITS)}", "WHEN 10 THEN true"),
        ("left(held, 3) = '+91'", "true"),
        ("left(held, 3) = '+91'", "left(held, 1) = '+'"),
        (consists_of_sql("substr(held, 4)", DIGITS), "true"),
        (consists_of_sql("substr(held, 4)", DIGITS), consists_of_sql("substr(held, 5)", DIGITS)),
        ("ELSE false", "WHEN 12 THEN true ELSE false"),
        ("ELSE false", f"ELSE {consists_of_sql('held', DIGITS)}"),
    ],
)
def test_a_careless_gate_of_mobile_numbers_is_found_out(
    server: Connection, monkeypatch: pytest.MonkeyPatch, right: str, careless: str
) -> None:
    case = MOBILE[0]
    gate = case.field.sql("held")
    assert right in gate
    monkeypatch.setattr(
        type(case.field),
        "sql",
        lambda field, value: gate.replace(right, careless).replace("held", value),
    )
    assert breaches(server, case)


@pytest.mark.parametrize(
    ("right", "careless"),
    [
        ("'^/(", "'/("),
        ("'^/(", "'^/+("),
        ("'^/(", "'^[/\\\\]("),
        ("([A-Za-z0-9._~-][", "(["),
        ("([A-Za-z0-9._~-][", "([^/]["),
        ("([A-Za-z0-9._~-][", "([^\\\\]["),
        ("[A-Za-z0-9._~/?&=+#-]*)?$' OR", ".*)?$' OR"),
        ("[A-Za-z0-9._~/?&=+#-]*)?$' OR", "[^ ]*)?$' OR"),
        ("=+#-]*)?$' OR", "=+#-]*)?' OR"),
        ("'^https?:", "'https?:"),
        ("'^https?:", "'(?n)^https?:"),
        ("'^https?:", "'^[a-z]+:"),
        ("'^https?://", "'^https?:/*"),
        ("'^https?://", "'^https?:[/\\\\]+"),
        ("://[A-Za-z0-9][A-Za-z0-9.-]*", "://[A-Za-z0-9.-]*"),
        ("://[A-Za-z0-9][A-Za-z0-9.-]*", "://[^/]+"),
        ("://[A-Za-z0-9][A-Za-z0-9.-]*", "://.+"),
        ("=+#-]*)?$')", "=+#-]*)?')"),
        ("(/[A-Za-z0-9._~/?&=+#-]*)?$')", "(/.*)?$')"),
    ],
)
def test_a_careless_look_at_links_is_found_out(
    server: Connection, monkeypatch: pytest.MonkeyPatch, right: str, careless: str
) -> None:
    case = LINK[0]
    gate = case.field.sql("held")
    assert gate.count(right) == 1
    monkeypatch.setattr(
        type(case.field),
        "sql",
        lambda field, value: gate.replace(right, careless).replace("held", value),
    )
    assert breaches(server, case)
