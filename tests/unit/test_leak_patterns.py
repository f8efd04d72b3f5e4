"""What a search for leaks takes for a leak, and what it does not."""

from __future__ import annotations

import re

import pytest

from synctasks.checks import patterns
from synctasks.checks.leaks import TO_CITIZEN
from synctasks.checks.patterns import AADHAAR_NUMBER, ADDRESS, MOBILE_NUMBER
from synctasks.verhoeff import check_digit, is_valid

# Synthetic; the last digit is the check digit.
NUMBER = "23412341234" + check_digit("23412341234")
GROUPED = f"{NUMBER[:4]} {NUMBER[4:8]} {NUMBER[8:]}"
WRONG = NUMBER[:-1] + str((int(NUMBER[-1]) + 1) % 10)


@pytest.mark.parametrize("digits", ["2363", "123451", "1428570"])
def test_numbers_with_verhoeffs_check_digit_are_valid(digits: str) -> None:
    assert is_valid(digits)


def test_of_ten_last_digits_one_is_valid() -> None:
    assert sum(is_valid(NUMBER[:-1] + digit) for digit in "0123456789") == 1


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        (NUMBER, [AADHAAR_NUMBER]),
        (f"Her number is {GROUPED}.", [AADHAAR_NUMBER]),
        (f"no-{GROUPED.replace(' ', '-')}, verified", [AADHAAR_NUMBER]),
        (f"({NUMBER})", [AADHAAR_NUMBER]),
        ("Call 9876543210.", [MOBILE_NUMBER]),
        ("+919876543210", [MOBILE_NUMBER]),
        ("call:+91 98765 43210", [MOBILE_NUMBER]),
        ("flat 4 9876543210", [MOBILE_NUMBER]),
        ("write to asha.devi@example.com!", [ADDRESS]),
        ("<आशा@example.co.in>", [ADDRESS]),
        (f"{NUMBER}; 9876543210; a@example.com", [AADHAAR_NUMBER, MOBILE_NUMBER, ADDRESS]),
    ],
)
def test_a_value_is_found_in_a_text(text: str, kinds: list[str]) -> None:
    assert list(patterns.in_text(text)) == kinds
    assert re.search(patterns.SUSPICIOUS, text)


@pytest.mark.parametrize(
    "text",
    [
        WRONG,
        "1" + NUMBER[1:],
        f"{NUMBER}5",
        f"A{NUMBER}",
        f"{GROUPED} 1234",
        f"{NUMBER}.50",
        f"0.{NUMBER}",
        f"1,{NUMBER}",
        f"7d444840-9dc0-41e0-9a5b-{NUMBER}",
        "****-****-1234",
        "******3210",
        "a***@example.com",
        "****@****",
        "1234567890",
        "98765432101",
        "9876543210.00",
        "0.9876543210",
        "GR9876543210",
        "20260102030405",
        "2026-01-02T03:04:05.678901+00:00",
        "1767322800",
        "@example",
        "a@b",
        "",
    ],
)
def test_what_only_looks_alike_is_no_finding(text: str) -> None:
    assert list(patterns.in_text(text)) == []


def test_documents_are_searched_in_their_texts_names_and_numbers() -> None:
    deep = {"people": [{"name": "x", "note": [f"call {9876543210}"]}], "a@example.com": None}
    assert {*patterns.in_document(deep)} == {MOBILE_NUMBER, ADDRESS}
    assert list(patterns.in_document({"number": int(NUMBER)})) == [AADHAAR_NUMBER]
    sums = {"total": 9876543210, "exact": 9876543210.5, "huge": float(NUMBER), "is_due": True}
    assert list(patterns.in_document([sums, int(WRONG), None])) == []


@pytest.mark.parametrize(
    ("key", "kinds"),
    [
        (NUMBER, [AADHAAR_NUMBER]),
        ("9876543210", [MOBILE_NUMBER]),
        ("a@example.com", [ADDRESS]),
        (f"GR {NUMBER}", []),
        ("GR-00000001", []),
    ],
)
def test_a_key_is_a_finding_only_as_a_whole(key: str, kinds: list[str]) -> None:
    assert list(patterns.in_key(key)) == kinds


def test_every_mask_of_a_flow_to_the_portal_has_a_form() -> None:
    masks = {column.mask for flow in TO_CITIZEN for column in flow.columns if column.mask}
    assert len(masks) == 3
    assert masks == patterns.MASKED.keys()
