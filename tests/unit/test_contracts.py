"""Contracts in Python: a value as PostgreSQL shows it is accepted, or refused without a trace."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from synctasks.contracts import (
    Aadhaar,
    Choice,
    Contract,
    Digits,
    Email,
    Field,
    Integer,
    Json,
    JsonArray,
    Key,
    Link,
    Mobile,
    Number,
    Refusal,
    Text,
    Timestamp,
    Uuid,
    Word,
)
from tests.contract_case import Case
from tests.contract_cases import CASES
from tests.contract_numbers import BORN
from tests.contract_values import DEVANAGARI, FULL_WIDTH

NOW = datetime(2026, 2, 28, 23, 30, tzinfo=UTC)

# One of each type, the first optional, the second required.
EACH: list[tuple[Field, Field]] = [
    (Text(), Text(required=True)),
    (Text(most=64), Text(required=True, most_bytes=100)),
    (Key(), Key()),
    (Word(), Word(required=True)),
    (Choice("M", "F"), Choice("M", "F", required=True)),
    (Aadhaar(), Aadhaar(required=True)),
    (Mobile(), Mobile(required=True)),
    (Email(), Email(required=True)),
    (Digits(6), Digits(6, required=True)),
    (Uuid(), Uuid(required=True)),
    (Number(0, 1), Number(0, required=True)),
    (Integer(), Integer(required=True)),
    (BORN(), BORN(required=True)),
    (Timestamp(), Timestamp(required=True)),
    (Json(), Json(required=True)),
    (JsonArray(), JsonArray(required=True)),
    (Link(), Link(required=True)),
]
FIELDS = [field for pair in EACH for field in pair]
IN_TEXT_COLUMNS = [case for case in CASES if case.column == "text"]

each_field = pytest.mark.parametrize("field", FIELDS, ids=lambda field: type(field).__name__)


def refusal_of(field: Field, value: Any, now: datetime = NOW) -> Refusal | None:
    """What a contract of one column says of a value in it."""
    contract = Contract.from_dict({"held": field})()
    assert isinstance(contract, Contract)
    return contract.refusal({"held": value}, now=now, facts={})


def test_each_type_of_field_is_tried() -> None:
    assert {type(field) for field in FIELDS} == {type(case.field) for case in CASES}


@pytest.mark.parametrize("case", IN_TEXT_COLUMNS, ids=[case.name for case in IN_TEXT_COLUMNS])
def test_each_example_of_a_text_column_gets_the_verdict_it_must(
    case: Case,
) -> None:
    wrong = [
        value and value[:80]
        for value, accepted in case.examples.items()
        if (refusal_of(case.field, value) is None) != accepted
    ]
    assert not wrong


OTHER_DIGITS = [DEVANAGARI[1], FULL_WIDTH[1], "\u00b2", "\u2460"]


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        (
            Number(0, 1),
            ["0", "1", "-0", "-0.00", "00.5", f"0.{'9' * 400}", f"1.{'0' * 400}"],
            [
                *("NaN", "nan", "sNaN", "Infinity", "-Infinity", "inf", "1e0", "1E-3", "+1", ".5"),
                *("1.", "1_0", " 1", "1 ", "1\n", "0,5", "", " ", "-", "0x1", "1.0.0"),
                *("1.0000000000000000000000000001", "-0.0000000000000000000000000001"),
                *(f"1.{'0' * 400}1", *OTHER_DIGITS),
            ],
        ),
        (Number(0), ["9" * 40, "9" * 100_000, "0.5"], ["-1", f"-{'9' * 40}", "NaN", "Infinity"]),
        (Number(-5, 5), ["-5", "5", "-5.000"], ["-5.0001", "5.0001", "-6"]),
        (
            Integer(),
            ["0", "-1", str(2**63 - 1), str(-(2**63)), "-0", "007"],
            [
                *("1.0", "1e3", "+1", "1_000", " 1", "1\n", "", "-", "0x1", "1" * 21),
                *("9" * 1_000_000, *OTHER_DIGITS),
            ],
        ),
        (
            BORN(),
            ["1900-01-01", "2024-02-29", "2026-02-28"],
            [
                *("1899-12-31", "2026-03-01", "2023-02-29", "2024-13-01", "2024-00-01"),
                *("0000-01-01", "0044-03-15 BC", "10000-01-01", "12024-01-01", "infinity"),
                *("-infinity", "20240101", "2024-W01-1", "2024-1-1", "2024-01-01\n", ""),
                *(" 2024-01-01", "2024-01-01 00:00:00", *(f"2024-01-0{x}" for x in OTHER_DIGITS)),
            ],
        ),
        (
            Timestamp(),
            [
                *("0001-01-01 00:00:00+00", "0001-01-01 00:00:00+14", "2024-02-29 23:59:59.9+00"),
                *("2024-01-01 00:00:00.123456-11", "2024-01-01 00:00:00+05:30"),
                *("1800-01-01 00:00:00+05:53:28", "2026-02-28 23:35:00+00"),
                *("2026-03-01 05:05:00+05:30", "2026-02-28 13:35:00.000000-10"),
            ],
            [
                *("2026-02-28 23:35:00.000001+00", "2026-03-01 05:05:00.000001+05:30", "now", ""),
                *("infinity", "-infinity", "0044-03-15 00:00:00+00 BC", "12024-01-01 00:00:00+00"),
                *("2024-01-01", "2024-01-01 00:00:00", "2024-01-01T00:00:00+00"),
                *("2024-01-01 24:00:00+00", "2024-01-01 00:00:00+24", "0000-01-01 00:00:00+00"),
                *("2023-02-29 00:00:00+00", "2024-01-01 00:00:00+00\n", "2024-01-01 00:00:00Z"),
                *(f"2024-01-01 00:00:0{x}+00" for x in OTHER_DIGITS),
            ],
        ),
        (
            Json(),
            ["{}", "[]", '{"a": 1}', "[" * 1_000 + "]" * 1_000, f'["{"x" * 2**20}"]'],
            ["null", "1", "true", '"{"', '"["', '""', "", " ", " {}", "\n[]", "\ufeff{}"],
        ),
    ],
    ids=["share", "amount", "balance", "Integer", "Date", "Timestamp", "Json"],
)
def test_a_text_that_is_not_as_postgresql_shows_a_value_is_refused(
    field: Field, good: list[str], bad: list[str]
) -> None:
    assert [text for text in good if refusal_of(field, text)] == []
    refusals = {text[:40]: refusal_of(field, text) for text in bad}
    assert [text for text, refusal in refusals.items() if refusal is None] == []
    # What is said depends on the rule alone: on the form, or on the range.
    assert len({refusal.error for refusal in refusals.values() if refusal}) <= 2


@pytest.mark.parametrize(
    "now", [NOW, NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))], ids=["UTC", "India"]
)
def test_today_is_the_day_in_utc_wherever_the_time_was_read(now: datetime) -> None:
    assert refusal_of(BORN(), "2026-02-28", now) is None
    assert refusal_of(BORN(), "2026-03-01", now) is not None


@each_field
def test_a_missing_value_is_refused_where_it_is_required(field: Field) -> None:
    contract = Contract.from_dict({"held": field})()
    assert isinstance(contract, Contract)
    for record in ({"held": None}, {}, {"other": "x"}):
        refusal = contract.refusal(record, now=NOW, facts={})
        assert (refusal is None) == (not field.required)


# What no server sends: other objects than texts, and texts that it cannot hold.
HOSTILE = st.text(st.characters(), max_size=40) | st.text(
    "\0\ud800\udfff0123456789-: +.{}[]abc\u0967\n", max_size=40
)
OBJECTS = st.one_of(
    st.integers(),
    st.floats(),
    st.binary(max_size=4),
    st.booleans(),
    st.dates(),
    st.uuids(),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
)


@each_field
@given(text=HOSTILE)
@example(text="\0")
@example(text="\ud800")
@example(text="\udfff" * 3_000)
@example(text="\0" * 3_000)
@example(text="12345678901\0")
@example(text="2024-01-01\0")
@example(text="2024-01-01 00:00:00+00\0")
@example(text="{\ud800")
def test_a_text_that_no_server_holds_is_judged_like_any_other(field: Field, text: str) -> None:
    refusal = refusal_of(field, text)
    assert refusal is None or refusal.messages.keys() == {"held"}


@each_field
@given(value=OBJECTS)
@example(value=5)
@example(value=b"x")
@example(value=[])
@example(value={})
@example(value=True)
@example(value=0)
def test_what_was_not_read_as_text_is_refused(field: Field, value: Any) -> None:
    refusal = refusal_of(field, value)
    assert refusal is not None
    assert refusal.error == "held: is not read as text"


# No message holds one of these, so that a single character of a value would show.
SECRETS = st.text("\u0416\u6f22\u0905\U0001d49c\ud800\0@#%_{}\\'\"ZQWX", min_size=6, max_size=200)
BEGINNINGS = ["", "2024-13-45", "2024-02-30 00:00:00+00", "7d444840-9dc0-41e0", "123456789012", "{"]


@each_field
@given(beginning=st.sampled_from(BEGINNINGS), secret=SECRETS)
def test_a_refusal_holds_nothing_of_the_value(field: Field, beginning: str, secret: str) -> None:
    for value in (beginning + secret, secret + beginning, secret * 600, secret.strip("{")):
        refusal = refusal_of(field, value)
        if refusal is not None:
            said = "".join((refusal.error, *refusal.messages["held"], str(refusal.category)))
            assert not set(secret) & set(said)
            assert beginning in ("", "{") or beginning not in said


def test_a_refusal_holds_nothing_of_a_value_that_fails_late() -> None:
    """Where a library raises, its own message would repeat the value."""
    for field, value in (
        (BORN(), "2024-02-30"),
        (BORN(), "1899-12-31"),
        (Timestamp(), "2024-02-30 00:00:00+00"),
        (Timestamp(), "2024-01-01 00:00:00+99:99"),
        (Timestamp(), "9999-12-31 23:59:59+00"),
        (Number(0, 1), "123456"),
        (Integer(), "123456789012345678901234"),
    ):
        refusal = refusal_of(field, value)
        assert refusal is not None
        assert value not in f"{refusal.error} {refusal.messages}"
