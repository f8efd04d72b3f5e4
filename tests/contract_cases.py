"""Every type of field on every type of column, with the values at which a mistake would show."""

from __future__ import annotations

from functools import partial

from synctasks.contracts import (
    Aadhaar,
    Choice,
    Digits,
    Email,
    Json,
    JsonArray,
    Key,
    Link,
    Mobile,
    Text,
    Uuid,
    Word,
)
from tests import contract_links
from tests import contract_values as values
from tests.contract_case import Case, cases
from tests.contract_numbers import CASES_OF_NUMBERS
from tests.contract_values import BLANK, CANONICAL, INVISIBLE, MEBIBYTE

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
JSON = cases(
    Json,
    "jsonb",
    good=["{}", "[]", '{"a": null}', "[[]]", *values.DEEP, *values.LARGE],
    bad=["null", "true", "1", "-1.5", '"{"', '"["', '"{}"', '""', f'"{"x" * MEBIBYTE}"'],
    more=values.documents,
)
JSON_ARRAY = cases(
    JsonArray,
    "jsonb",
    about="array",
    good=["[]", "[[]]", '["a", null, {}]', values.DEEP[0], values.LARGE[0]],
    bad=["null", "true", "1", '"["', '"[]"', "{}", '{"0": []}', values.DEEP[1], values.LARGE[1]],
    more=values.documents,
)
LINK = cases(
    Link,
    "text",
    good=contract_links.PLAIN,
    bad=contract_links.NO_LINKS,
    doubtful=contract_links.UNUSUAL,
    more=contract_links.links,
    blank=False,
)

CASES = [
    *(TEXT + SHORT + CHARACTERS + KEY + WORD + CHOICE + AADHAAR + MOBILE + EMAIL),
    *(PINCODE + UNMASKED + UUID_TEXT + UUID + CASES_OF_NUMBERS + JSON + JSON_ARRAY + LINK),
]
