"""Every type of field on every type of column, with the values at which a mistake would show."""

from __future__ import annotations

from datetime import date
from functools import partial

from synctasks.contracts import (
    Aadhaar,
    Choice,
    Date,
    Digits,
    Email,
    Integer,
    Json,
    Key,
    Mobile,
    Number,
    Text,
    Timestamp,
    Uuid,
    Word,
)
from tests import contract_values as values
from tests.contract_case import Case, cases
from tests.contract_values import BLANK, CANONICAL, INVISIBLE, MEBIBYTE

BORN = partial(Date, date(1900, 1, 1))
# A value that depends on the server's time is given by its distance from it.
_DAYS_FROM_TODAY = "(statement_timestamp() AT TIME ZONE 'UTC')::date + given.text::integer"
_FROM_NOW = "statement_timestamp() + given.text::interval"

TEXT = cases(Text, "text", good=["x", *INVISIBLE, *values.LONG], more=values.texts, blank=True)
SHORT = cases(
    partial(Text, most=64, most_bytes=100),
    "text",
    about="of 64 characters and 100 bytes",
    good=["x" * 64, "\u00e9" * 50, "\u0905" * 33 + "x", *INVISIBLE],
    bad=["x" * 65, "\u00e9" * 51, "\u0905" * 33 + "xx", "\U0001d49c" * 26, *values.LONG],
    more=values.short_texts,
    blank=True,
)
CHARACTERS = cases(
    partial(Text, most=64),
    "text",
    about="of 64 characters",
    good=["x" * 64, "\u0905" * 64, "\U0001d49c" * 64, *INVISIBLE],
    bad=["x" * 65, "\u0905" * 65, "\U0001d49c" * 65, " " * 65, " " * 65 + "x", *values.LONG],
    more=values.short_texts,
    blank=True,
)
KEY = [
    Case(
        "Key",
        Key(),
        "text",
        {
            **dict.fromkeys((None, *BLANK), False),
            **dict.fromkeys(("x", "x" * 2_700, "\u0905" * 900, *INVISIBLE), True),
            **dict.fromkeys(("x" * 2_701, "\u0905" * 900 + "x", " " * 2_701), False),
            **dict.fromkeys(values.LONG, False),
        },
        values.key_texts,
        "given.text",
    )
]
WORD = cases(
    Word,
    "text",
    good=["x", "x" * 64, "\u0905" * 64, "\U0001d49c" * 64, *INVISIBLE],
    bad=["x" * 65, "\u0905" * 65, "\U0001d49c" * 65, *values.LONG],
    more=values.short_texts,
    blank=False,
)
CHOICE = cases(
    partial(Choice, "M", "F", "it's"),
    "text",
    good=["M", "F", "it's"],
    bad=["m", "M ", " M", "M\n", "M, F", "it''s", "\uff2d", "\u041c", *INVISIBLE, *values.LONG],
    more=values.choice_texts,
    blank=False,
)
AADHAAR = cases(
    Aadhaar,
    "text",
    good=["123456789012", "000000000000"],
    bad=[*values.NO_AADHAAR, *INVISIBLE, *values.LONG],
    more=values.aadhaar_texts,
    blank=True,
)
MOBILE = cases(
    Mobile,
    "text",
    good=["9876543210", "+919876543210", "0000000000", "+910000000000", "9191919191"],
    bad=[*values.NO_MOBILE, *INVISIBLE, *values.LONG],
    more=values.mobile_texts,
    blank=True,
)
EMAIL = cases(
    Email,
    "text",
    good=["a@b", "asha.devi@example.com", "\u0905@\u0905", "ab***@c", "a**@b", "a@***", "\u200b@x"],
    bad=[*values.NO_EMAIL, *values.MASKED, *values.MASKED_EMAILS, *INVISIBLE],
    doubtful=["******@b", "******5678@b", "****-****-@b"],
    more=values.email_texts,
    blank=True,
)
PINCODE = cases(
    partial(Digits, 6),
    "text",
    about="of 6 digits",
    good=["302001", "000000"],
    bad=[*values.NO_PINCODE, *INVISIBLE, *values.LONG],
    more=values.pincode_texts,
    blank=True,
)
UNMASKED = cases(
    partial(Text, unmasked=True),
    "text",
    about="that is no mask",
    good=["x", *values.NEARLY_MASKED, *INVISIBLE, *values.LONG],
    bad=[*values.MASKED, *values.MASKED_EMAILS],
    doubtful=values.DOUBTFUL,
    more=values.masked_texts,
    blank=True,
)
UUID_TEXT = cases(
    Uuid,
    "text",
    good=[CANONICAL, "00000000-0000-0000-0000-000000000000"],
    bad=[*values.NO_CANONICAL_UUID, *INVISIBLE, *values.LONG],
    more=values.uuid_texts,
    blank=False,
)
UUID = cases(
    Uuid,
    "uuid",
    good=[CANONICAL, CANONICAL.upper(), f"{{{CANONICAL}}}", CANONICAL.replace("-", "")],
    more=values.uuids,
)
SHARE = cases(
    partial(Number, 0, 1),
    "numeric",
    about="from 0 to 1",
    good=["0", "1", "-0", "0.5", "1.0000", "1e-30", f"0.{'9' * 40}", f"1.{'0' * 40}"],
    bad=[*values.NO_NUMBER, *values.BELOW_ZERO, *values.ABOVE_ONE],
    more=values.numbers,
)
AMOUNT = cases(
    partial(Number, 0),
    "numeric",
    about="from 0",
    good=["0", "-0", "1", "1e1000", *values.ABOVE_ONE],
    bad=[*values.NO_NUMBER, *values.BELOW_ZERO],
    more=values.numbers,
)
SIZE = cases(
    partial(Number, 0),
    "bigint",
    about="bigint from 0",
    good=["0", "1", str(2**63 - 1)],
    bad=["-1", str(-(2**63))],
    more=values.integers(63),
)
MONTHS = cases(
    partial(Number, 1, 600),
    "integer",
    about="from 1 to 600",
    good=["1", "600"],
    bad=["0", "-1", "601", "2147483647", "-2147483648"],
    more=values.integers(31),
)
INTEGER = cases(
    Integer, "integer", good=["0", "1", "-2147483648", "2147483647"], more=values.integers(31)
)
BIGINT = cases(
    Integer, "bigint", good=["0", str(2**63 - 1), str(-(2**63))], more=values.integers(63)
)
DATE = cases(BORN, "date", good=values.BIRTHDAYS, bad=values.NO_BIRTHDAYS, more=values.dates)
DATE_NEAR_TODAY = cases(
    BORN,
    "date",
    about="counted from today",
    good=["0", "-1", "-365"],
    bad=["1", "2", "36525", "-73050"],
    more=values.days_from_today,
    made=_DAYS_FROM_TODAY,
)
TIMESTAMP = cases(
    Timestamp, "timestamptz", good=values.MOMENTS, bad=values.NO_MOMENTS, more=values.moments
)
TIMESTAMP_NEAR_NOW = cases(
    Timestamp,
    "timestamptz",
    about="counted from now",
    good=["0", "-1 day", "-100 years", "299.999999 seconds", "5 minutes"],
    bad=["300.000001 seconds", "301 seconds", "1 day", "10000 years", "-2100 years"],
    more=values.distances,
    made=_FROM_NOW,
)
JSON = cases(
    Json,
    "jsonb",
    good=["{}", "[]", '{"a": null}', "[[]]", *values.DEEP, *values.LARGE],
    bad=["null", "true", "1", "-1.5", '"{"', '"["', '"{}"', '""', f'"{"x" * MEBIBYTE}"'],
    more=values.documents,
)

CASES = [
    *(TEXT + SHORT + CHARACTERS + KEY + WORD + CHOICE + AADHAAR),
    *(MOBILE + EMAIL + PINCODE + UNMASKED),
    *(UUID_TEXT + UUID + SHARE + AMOUNT + SIZE + MONTHS + INTEGER + BIGINT),
    *(DATE + DATE_NEAR_TODAY + TIMESTAMP + TIMESTAMP_NEAR_NOW + JSON),
]
