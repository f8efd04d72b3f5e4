"""Specification 2.1: which citizens are refused, and what is said of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

import pytest

from synctasks.flows.to_warehouse.golden_records import GOLDEN_RECORDS
from tests.conftest import connected
from tests.emptied import empty
from tests.flows.citizens import ASHA, UPDATED, change, given_citizen, letters, records
from tests.refreshing import versions
from tests.rows import Connection, value
from tests.syncing import Sync, by_events, by_full_run, either_way
from tests.workspace import CITIZEN, WAREHOUSE, Workspace

COMPLETENESS, ACCURACY, CONSISTENCY = "completeness", "accuracy", "consistency"
_MISSING = (COMPLETENESS, "is missing")
_NO_AADHAAR = (ACCURACY, "is no number of 12 digits")
_MASKED = (ACCURACY, "is shaped like a mask of ours")
_NO_UUID = (ACCURACY, "is no UUID in its canonical form")
_NO_MOBILE = (ACCURACY, "is no mobile number of 10 digits")
_NO_EMAIL = (ACCURACY, "is no e-mail address")
_NO_GENDER = (ACCURACY, "is none of M, F, O")
_NO_PINCODE = (ACCURACY, "is no number of 6 digits")
_NO_MOMENT = (ACCURACY, "is no moment of our era")
_AHEAD = (ACCURACY, "lies more than 5 minutes ahead")
_UNKNOWN = (CONSISTENCY, "is unknown to public.districts")
_NO_BIRTHDAY = (ACCURACY, "is no date between 1900-01-01 and today")
_BEFORE = (CONSISTENCY, "is before created_at")

# What our masks make of values: in no text column may it come back.
MASKS = ["****", "CONFIDENTIAL", "****-****-1234", "******5678", "u***@example.com"]
REFUSED_MASKS = {
    "aadhaar_number": _NO_AADHAAR,
    "family_id": _NO_UUID,
    "full_name": _MASKED,
    "gender": _NO_GENDER,
    "mobile_number": _NO_MOBILE,
    "email": _NO_EMAIL,
    "city": _MASKED,
    "district": _MASKED,
    "pincode": _NO_PINCODE,
}

# The columns, what is wrong in them, and what is to be said of it.
BAD: list[tuple[str, Any, tuple[str, str]]] = [
    *(("aadhaar_number", bad, _MISSING) for bad in (None, "", " ", "\u00a0\t")),
    *(("aadhaar_number", bad, _NO_AADHAAR) for bad in ("12345678901", "1234567890123")),
    *(
        ("aadhaar_number", bad, _NO_AADHAAR)
        for bad in ("12345678901a", "\u0967" * 12, "1" * 12 + "\n")
    ),
    *(("full_name", bad, _MISSING) for bad in (None, "", " \t\u00a0")),
    *(("family_id", bad, _NO_UUID) for bad in ("F-1", "7D444840-9DC0-41E0-9A5B-30D4C2F5C8A1", "")),
    *(("date_of_birth", bad, _NO_BIRTHDAY) for bad in ("1899-12-31", "infinity", "-infinity")),
    ("date_of_birth", timedelta(days=2), _NO_BIRTHDAY),
    *(("gender", bad, _NO_GENDER) for bad in ("f", "X", "", "Female", "M ")),
    *(("mobile_number", bad, _NO_MOBILE) for bad in ("987654321", "98765432100", "+9198765432")),
    *(
        ("mobile_number", bad, _NO_MOBILE)
        for bad in ("+929876543210", "91 9876543210", "98765-4321")
    ),
    *(("mobile_number", bad, _NO_MOBILE) for bad in ("\u0967" * 10, "+91+919876543")),
    *(("email", bad, _NO_EMAIL) for bad in ("asha", "@example.com", "asha@", "a@b@c", "a sha@b.c")),
    *(("email", bad, _NO_EMAIL) for bad in ("a@b\n", "a@\u00a0b")),
    *(("email", bad, _MASKED) for bad in ("u***@example.com", "****@example.com", "\u0905***@x")),
    *(("pincode", bad, _NO_PINCODE) for bad in ("30200", "3020011", "30200a", "\u0967" * 6)),
    *(("updated_at", bad, _NO_MOMENT) for bad in ("infinity", "-infinity", "0044-03-15 BC")),
    ("updated_at", None, _MISSING),
    ("updated_at", timedelta(minutes=6), _AHEAD),
    ("updated_at", "2024-01-05 07:59:59.999999+00", _BEFORE),
    *(("created_at", bad, _NO_MOMENT) for bad in ("infinity", "-infinity")),
    ("created_at", timedelta(minutes=6), _AHEAD),
    ("created_at", UPDATED + timedelta(microseconds=1), ("consistency", "")),
    *(("district", bad, _UNKNOWN) for bad in ("Atlantis", "Jai pur", "17", "Jaipur.")),
    *(
        (column, mask, said)
        for column, said in REFUSED_MASKS.items()
        for mask in MASKS
        if (column, mask) != ("email", "u***@example.com")
    ),
]
GOOD: list[tuple[str, Any]] = [
    *(("full_name", good) for good in ("\u0906\u0936\u093e", "*** Asha", "*****", "Confidential")),
    *(("city", good) for good in ("****-****-12345", "******567", "CONFIDENTIAL X", "***@x", "")),
    *(("email", good) for good in ("a@b", "ab***@example.com", "u**@example.com", "a+b@x.y")),
    *(("mobile_number", good) for good in ("9876543210", "+919876543210", "0000000000")),
    *((column, None) for column in ("family_id", "date_of_birth", "gender", "email", "pincode")),
    *((column, None) for column in ("mobile_number", "city", "district", "created_at")),
    *((column, "") for column in ("mobile_number", "email", "pincode", "district")),
    *(("gender", good) for good in ("M", "O")),
    *(("date_of_birth", good) for good in ("1900-01-01", timedelta(days=-1))),
    *(("updated_at", good) for good in (timedelta(minutes=4), "2024-01-05 08:00:00+00")),
    ("created_at", "0001-01-01 00:00:00+00"),
    ("created_at", UPDATED),
]


class Judged(NamedTuple):
    """What became of all of these citizens in one run: names that crossed, letters by citizen."""

    crossed: set[str]
    letters: dict[str, tuple[str, str]]


def who(number: int) -> str:
    """The id of the citizen of this number."""
    return f"00000000-0000-4000-9000-{number:012}"


def columns_of(number: int, column: str, chosen: Any, now: Any) -> dict[str, Any]:
    """A citizen whom only this value tells from a good one, with a number of their own."""
    there = now + chosen if isinstance(chosen, timedelta) else chosen
    return {"aadhaar_number": f"{number:012}", "full_name": f"Asha {number}", column: there}


@pytest.fixture(scope="module")
def judged(renewed: Workspace) -> Judged:
    empty(renewed)
    with (
        connected(renewed.environment[WAREHOUSE]) as warehouse,
        connected(renewed.environment[CITIZEN]) as citizen,
    ):
        now = value(citizen, "SELECT statement_timestamp()")
        for number, (column, chosen, *_) in enumerate([*BAD, *GOOD]):
            given_citizen(citizen, who(number), **columns_of(number, column, chosen, now))
        assert by_events(citizen, GOLDEN_RECORDS) == {
            "read": len(BAD) + len(GOOD),
            "written": len(GOOD),
            "rejected": len(BAD),
        }
        said = {record: (category, error) for record, category, error in letters(citizen)}
        return Judged({each["jan_aadhaar"] for each in records(warehouse).values()}, said)


@pytest.mark.parametrize(
    "number", range(len(BAD)), ids=[f"{column}={chosen!a}" for column, chosen, _ in BAD]
)
def test_a_citizen_who_breaks_a_rule_is_refused(judged: Judged, number: int) -> None:
    column, _, (category, message) = BAD[number]
    if column == "created_at" and category == CONSISTENCY:
        column, message = "updated_at", "is before created_at"
    assert judged.letters[who(number)] == (category, f"{column}: {message}")
    assert f"{number:012}" not in judged.crossed


@pytest.mark.parametrize(
    "number", range(len(GOOD)), ids=[f"{column}={chosen!a}" for column, chosen in GOOD]
)
def test_one_who_just_keeps_them_crosses(judged: Judged, number: int) -> None:
    assert f"{len(BAD) + number:012}" in judged.crossed
    assert who(len(BAD) + number) not in judged.letters


@either_way
def test_a_refused_change_leaves_the_record_as_it_is_until_it_is_right(
    citizen: Connection, warehouse: Connection, sync: Sync
) -> None:
    given_citizen(citizen)
    sync(citizen, GOLDEN_RECORDS)
    before = versions(warehouse, "golden_records", "gr_id")
    later = UPDATED + timedelta(seconds=1)
    change(citizen, city="******5678", updated_at=later)
    assert sync(citizen, GOLDEN_RECORDS) == {"read": 1, "rejected": 1}
    assert [record for record, *_ in letters(citizen)] == [ASHA]
    assert versions(warehouse, "golden_records", "gr_id") == before
    change(citizen, city="Amber")
    assert sync(citizen, GOLDEN_RECORDS) == {"read": 1, "written": 1}
    assert letters(citizen) == []


def test_one_bad_citizen_holds_up_nobody_else(citizen: Connection, warehouse: Connection) -> None:
    """Of those whom the contract refuses, whom the target refuses, and the good."""
    numbers = [f"00000000000{number}" for number in range(6)]
    for place, number in enumerate(numbers):
        bad = [{}, {"gender": "x"}, {"district": "Atlantis"}][place % 3]
        given_citizen(citizen, who(place), aadhaar_number=number, **bad)
    assert by_full_run(citizen, GOLDEN_RECORDS) == {"read": 6, "written": 2, "rejected": 4}
    crossed = {each["jan_aadhaar"] for each in records(warehouse).values()}
    assert crossed == {numbers[0], numbers[3]}
