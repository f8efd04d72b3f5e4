"""The masks on a real server, where they run: nothing shows that is not meant to."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from synctasks.database import transaction
from synctasks.engine.extract import document_sql
from synctasks.flow import Database, Mask
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.masks import AADHAAR, EMAIL, MOBILE
from tests.conftest import connected
from tests.rows import Connection, rows
from tests.workspace import WAREHOUSE, Workspace

HIDDEN = "****"

# Texts near what the masks expect, where a mistake would show: digits of all scripts, spaces,
# control characters and the marks that an address or a number may hold.
NEAR = st.text(
    "0123456789\u0966\u0967\uff13\u2075\u0666+@.- \t\n\r\u00a0\u200b\u090fa", max_size=16
)
ANY = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
DIGITS = st.text("0123456789", min_size=8, max_size=14)
NUMBERS = st.one_of(DIGITS, DIGITS.map("+91{}".format), NEAR.map("+91{}".format))
TEXTS = st.lists(st.one_of(NEAR, ANY, NUMBERS), max_size=60)

many_texts = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def server(place: Workspace) -> Iterator[Connection]:
    place.renew()
    with connected(place.environment[WAREHOUSE]) as connection:
        yield connection


def masked(server: Connection, mask: Mask, values: list[str | None]) -> list[str | None]:
    statement = mask.sql.replace("%", "%%").format(value="given.text")
    query = f"SELECT {statement} FROM unnest(%s::text[]) WITH ORDINALITY AS given (text, place)"
    return rows(server, query + " ORDER BY given.place", [values])


def expected_aadhaar(text: str) -> str | None:
    # White space as Unicode has it; Python also takes four control characters for such.
    if re.fullmatch(r"[^\S\x1c-\x1f]*", text):
        return None
    return f"****-****-{text[-4:]}" if re.fullmatch("[0-9]{12}", text) else HIDDEN


def expected_mobile(text: str) -> str:
    return f"******{text[-4:]}" if re.fullmatch(r"(\+91)?[0-9]{10}", text) else HIDDEN


def expected_email(text: str) -> str:
    before, at, domain = text.partition("@")
    if before and at and "@" not in domain:
        return f"{before[0]}***@{domain}"
    return HIDDEN


@pytest.mark.parametrize(
    ("mask", "value", "shown"),
    [
        (AADHAAR, "123456781234", "****-****-1234"),
        (AADHAAR, "123456781234\n", HIDDEN),
        (AADHAAR, " 123456781234", HIDDEN),
        (AADHAAR, "1234 5678 1234", HIDDEN),
        (AADHAAR, "12345678123", HIDDEN),
        (AADHAAR, "१२३४५६७८१२३४", HIDDEN),
        (AADHAAR, "12345678१", HIDDEN),
        (AADHAAR, "****-****-1234", HIDDEN),
        (AADHAAR, "  ", None),
        (AADHAAR, "\u00a0\t\u3000", None),
        (AADHAAR, "\u200b", HIDDEN),
        (AADHAAR, None, None),
        (MOBILE, "9876543210", "******3210"),
        (MOBILE, "+919876543210", "******3210"),
        (MOBILE, "+9198765432१", HIDDEN),
        (MOBILE, "+929876543210", HIDDEN),
        (MOBILE, "919876543210", HIDDEN),
        (MOBILE, "+91abcdefghij", HIDDEN),
        (MOBILE, "9876543210\n", HIDDEN),
        (MOBILE, "९८७६५४३२१०", HIDDEN),
        (MOBILE, "", HIDDEN),
        (MOBILE, None, None),
        (EMAIL, "asha.devi@example.com", "a***@example.com"),
        (EMAIL, "अशा@उदाहरण.भारत", "अ***@उदाहरण.भारत"),
        (EMAIL, "a@b@example.com", HIDDEN),
        (EMAIL, "@example.com", HIDDEN),
        (EMAIL, "asha", HIDDEN),
        (EMAIL, "", HIDDEN),
        (EMAIL, None, None),
    ],
)
def test_examples(server: Connection, mask: Mask, value: str | None, shown: str | None) -> None:
    assert masked(server, mask, [value]) == [shown]


@many_texts
@given(texts=TEXTS)
@example(texts=["12345678901\n", "12345678901\u0967", "+9112345678\u0967", "1234567890@"])
def test_whatever_is_no_number_or_address_is_hidden_whole(
    server: Connection, texts: list[str]
) -> None:
    for mask, expected in (
        (AADHAAR, expected_aadhaar),
        (MOBILE, expected_mobile),
        (EMAIL, expected_email),
    ):
        assert masked(server, mask, list(texts)) == [expected(text) for text in texts]


@many_texts
@given(numbers=st.lists(st.tuples(DIGITS, DIGITS, NEAR, NEAR), min_size=1, max_size=30))
def test_no_raw_value_leaves_in_what_the_flow_extracts(
    server: Connection, numbers: list[tuple[str, str, str, str]]
) -> None:
    """Through the flow's own query: of a number, no five characters in a row ever show."""
    with transaction(Database.WAREHOUSE) as warehouse:
        for place, (aadhaar, mobile, odd_aadhaar, odd_mobile) in enumerate(numbers):
            for kind, numbers_of in (("n", (aadhaar, mobile)), ("o", (odd_aadhaar, odd_mobile))):
                warehouse.execute(
                    "INSERT INTO golden_records (gr_id, jan_aadhaar, mobile_number)"
                    " VALUES (%(key)s, %(aadhaar)s, %(mobile)s)",
                    {
                        "key": f"{kind}{place}",
                        "aadhaar": numbers_of[0],
                        "mobile": numbers_of[1],
                    },
                )
        keys = [f"{kind}{place}" for place in range(len(numbers)) for kind in "no"]
        unasked = {"captured": [False] * len(keys), "judged": True, "made_keys": []}
        statement = document_sql(PROFILE_DATA, 2**20, remove=False)
        document, _, _ = warehouse.row(statement, {"keys": keys, **unasked}) or ("", None, None)
        warehouse.execute("DELETE FROM golden_records")
    assert document
    raw = {text for some in numbers for text in some}
    pieces = {text[at : at + 5] for text in raw for at in range(len(text) - 4)}
    assert not [piece for piece in pieces if piece.isdigit() and piece in document]
