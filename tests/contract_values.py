"""Difficult values for each type of column, as texts: fixed ones, and strategies near them."""

from __future__ import annotations

import json
import sys

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

MEBIBYTE = 2**20

# Unicode's white space; Python counts four separators of ASCII in as well, which are none.
WHITE_SPACE = [
    character
    for character in map(chr, range(sys.maxunicode + 1))
    if character.isspace() and character not in "\x1c\x1d\x1e\x1f"
]
BLANK = ["", *WHITE_SPACE, "  ", "\t\r\n ", " " * 60, "".join(WHITE_SPACE)]
# Not blank, although nothing shows: zero widths, a byte order mark, control characters.
INVISIBLE = ["\u200b", " \u200b ", "\u2060", "\ufeff", "\u180e", "\x1c", "\x1f", "\x01", "\x7f"]
LONG = ["x" * 10_240, "\u0905" * 3_500, " " * 10_240 + "x"]

DEVANAGARI = "".join(map(chr, range(0x966, 0x970)))
FULL_WIDTH = "".join(map(chr, range(0xFF10, 0xFF1A)))
CANONICAL = "7d444840-9dc0-41e0-9a5b-30d4c2f5c8a1"

NO_AADHAAR = [
    *("12345678901", "1234567890123", "123456789012\n", "12345678901\n", " 123456789012"),
    *("1234 5678 9012", "1234-5678-9012", "12345678901a", "-12345678901", "+12345678901"),
    *("123456789.01", "123456 78901", "123456789012\u200b", "\u00a0123456789012", "2"),
    *(f"{DEVANAGARI}\u0967\u0968", f"{FULL_WIDTH}\uff11\uff12", f"12345678901{DEVANAGARI[1]}"),
    # Of twelve bytes.
    *(DEVANAGARI[:4], FULL_WIDTH[:4], f"123456789{FULL_WIDTH[1]}", "1234567890\u00b2"),
]
NO_CANONICAL_UUID = [
    *(CANONICAL.upper(), CANONICAL.title(), f"{{{CANONICAL}}}", f"urn:uuid:{CANONICAL}"),
    *(CANONICAL.replace("-", ""), f"{CANONICAL}\n", f" {CANONICAL}", f"{CANONICAL}0"),
    *(CANONICAL[:-1], f"{CANONICAL[:-1]}\n", f"{CANONICAL[:-1]}g", f"{CANONICAL[:-1]}-"),
    # Dashes in other places, too many of them, and other dashes.
    *("7d4448409-dc0-41e0-9a5b-30d4c2f5c8a1", "7d44-4840-9dc0-41e0-9a5b30d4c2f5c8a1"),
    *("-" * 36, "7d444840-9dc0-41e0-9a5b-30d4-2f5c8a1", CANONICAL.replace("-", "\u2010")),
    *(CANONICAL.replace("-", "_"), f"{CANONICAL[:-1]}{FULL_WIDTH[1]}", f"{CANONICAL[:-2]}\u00e9"),
]
NO_MOBILE = [
    *("987654321", "98765432100", "9876543210\n", " 9876543210", "98765 4321", "98765-4321"),
    *("+9876543210", "+91987654321", "+9198765432100", "+919876543210\n", "+91 987654321"),
    *("+929876543210", "0919876543210", "+91+91987654", "+91", "++19876543210", "-919876543210"),
    *(f"{DEVANAGARI}", f"+91{DEVANAGARI}", f"{FULL_WIDTH}", "\uff0b919876543210", "******5678"),
    # Of ten and of thirteen bytes.
    *(f"{DEVANAGARI[:3]}1", f"+91{DEVANAGARI[:3]}1", f"+9{DEVANAGARI[:3]}12", "+91987654321\u00b2"),
    *("+91-987654321", "+91987654321a", "+1+9876543210", "98765432\u00e9"),
]
NO_EMAIL = [
    *(
        "asha",
        "@",
        "@b",
        "a@",
        "@@",
        "a@@b",
        "a@b@",
        "@a@b",
        "a@b@c",
        "a@b\n",
        "\na@b",
        "a @b",
        "a@ b",
    ),
    *("a@ b", "a@\u00a0b", "a@b\u3000", "\u2003a@b", "a\u2028@b", "a@\x85b", "a\uff20b", "****"),
]
# Shaped like our masks, the addresses last; and near them, but no masks.
MASKED = [
    *("****", "CONFIDENTIAL", "****-****-1234", "****-****-0000", "******5678"),
    *("\n****", "CONFIDENTIAL ", "\u00a0******5678"),
]
MASKED_EMAILS = ["u***@example.com", "****@b", "\u0905***@b", "\U0001d49c***@b", "@***@", " ***@b"]
NEARLY_MASKED = [
    *("***", "*****", "CONFIDENTIAL X", "confidential", "x****", "****-****", "***@b", "uu***@b"),
    *("u**@b", "u****b", "*****1234", "1234-****-****", "u*** @b", "x\n****"),
]
# Not masks either, but near enough for the gate to leave them to marshmallow.
DOUBTFUL = ["******", "******567", "******56789", "******567a", "****-****-", "****-****-123x"]
NO_PINCODE = [
    *("30200", "3020011", "30200a", "302 01", "302001\n", " 302001", "-30200", "+30200", "3020.1"),
    *(
        f"{DEVANAGARI[:6]}",
        f"{FULL_WIDTH[:6]}",
        f"{DEVANAGARI[:2]}",
        f"302{DEVANAGARI[1]}",
        "1e5000",
    ),
]

NO_NUMBER = ["NaN", "Infinity", "-Infinity"]
BELOW_ZERO = ["-1", f"-0.{'0' * 27}1", f"-{'9' * 40}", "-1e1000"]
ABOVE_ONE = ["2", f"1.{'0' * 27}1", "9" * 40, f"{'9' * 20}.{'9' * 20}", "1e40"]
BIRTHDAYS = ["1900-01-01", "1900-02-28", "1969-12-31", "2000-02-29", "2024-12-31"]
NO_BIRTHDAYS = [
    *("1899-12-31", "1582-10-15", "0001-01-01", "0001-12-31 BC", "0002-01-01 BC"),
    *("0044-03-15 BC", "1980-02-03 BC", "4713-01-01 BC", "9999-12-31", "10000-01-01"),
    *("12024-01-01", "19800-01-01", "infinity", "-infinity"),
]
MOMENTS = [
    *("0001-01-01 00:00:00+00", "0001-01-01 00:00:00.000001+00", "1582-10-10 12:00:00+00"),
    *("1969-12-31 23:59:59.9+00", "2024-02-29 23:59:59.999999+00", "2024-01-01 00:00:00+05:30"),
]
NO_MOMENTS = [
    *("0001-12-31 23:59:59.999999+00 BC", "0001-01-01 00:00:00+00 BC", "0001-01-01 00:00:00+05:30"),
    *("0044-03-15 12:00:00+00 BC", "2024-01-01 00:00:00+00 BC", "4713-01-01 00:00:00+00 BC"),
    *("9999-12-31 23:59:59.999999+00", "10000-01-01 00:00:00+00", "12024-01-01 00:00:00+00"),
    *("9999-12-31 23:00:00-02", "infinity", "-infinity"),
]
DEEP = ["[" * 1_000 + "]" * 1_000, '{"a":' * 1_000 + "1" + "}" * 1_000]
LARGE = [f'["{"x" * MEBIBYTE}"]', json.dumps({str(number): number for number in range(60_000)})]

_NEAR = "0123456789abcxyz-+. \t\n\r\u00a0\u200b\u090f\u0966\uff13\u00b2"
_held = st.characters(exclude_characters="\0", exclude_categories=["Cs"])


def _repeated(counts: SearchStrategy[int]) -> SearchStrategy[str]:
    """Texts of one character of one to four bytes, so many times, and something behind them."""
    characters = st.sampled_from("x \u00e9\u00a0\u0905\u3000\U0001d49c")
    return st.builds("{}{}".format, st.builds(str.__mul__, characters, counts), st.text(_held))


def _around(bytes_: int) -> SearchStrategy[str]:
    """Texts of one character whose bytes are near a number."""
    characters = st.sampled_from("x \u00e9\u00a0\u0905\u3000\U0001d49c")
    return st.builds(
        lambda character, more: character * (bytes_ // len(character.encode()) + more),
        characters,
        st.integers(-2, 2),
    )


def edited(texts: SearchStrategy[str]) -> SearchStrategy[str]:
    """Texts with a character inserted, replaced or left out."""
    return st.builds(
        lambda text, at, length, put: text[:at] + put + text[at + length :],
        texts,
        st.integers(0, 40),
        st.integers(0, 1),
        st.one_of(st.just(""), st.sampled_from(_NEAR), _held),
    )


def integers(bits: int) -> SearchStrategy[str]:
    """What an integer column of so many bits and a sign holds."""
    every = st.integers(-(2**bits), 2**bits - 1)
    return st.one_of(every, st.integers(-2, 2), st.integers(598, 602)).map(str)


texts = st.one_of(
    st.text(_held, max_size=30),
    st.text(_NEAR, max_size=16),
    st.text([*WHITE_SPACE, "\u200b", "\x1c"], max_size=8),
)
short_texts = st.one_of(texts, _repeated(st.integers(60, 66)), _around(100))
key_texts = st.one_of(texts, _around(2_700))
choice_texts = st.one_of(texts, edited(st.sampled_from(["M", "F", "it's"])))
_aadhaar = st.text("0123456789", min_size=12, max_size=12)
aadhaar_texts = st.one_of(
    texts, _aadhaar, edited(_aadhaar), st.text("0123456789" + DEVANAGARI, min_size=4, max_size=13)
)
_ten = st.text("0123456789", min_size=10, max_size=10)
_mobile = st.one_of(_ten, _ten.map("+91{}".format))
mobile_texts = st.one_of(texts, _mobile, edited(_mobile), st.text("+91" + DEVANAGARI, max_size=13))
pincode_texts = st.one_of(
    texts,
    edited(st.text("0123456789", min_size=6, max_size=6)),
    st.text("0123456789" + DEVANAGARI, min_size=2, max_size=7),
)
_masked = st.sampled_from([*MASKED, *MASKED_EMAILS, *NEARLY_MASKED, *DOUBTFUL])
masked_texts = st.one_of(texts, _masked, edited(_masked), st.text("*@-1u\n\u0905", max_size=14))
email_texts = st.one_of(
    masked_texts,
    st.from_regex(r"[a-z+.]{1,5}@[a-z.]{1,5}", fullmatch=True),
    edited(st.sampled_from(["a@b", "asha.devi@example.com"])),
    st.text("@a. \u3000\u00e9", max_size=5),
)
uuids = st.uuids().map(str)
uuid_texts = st.one_of(
    texts, uuids, edited(uuids), uuids.map(str.upper), st.text("09af-", min_size=35, max_size=37)
)
numbers = st.one_of(
    st.decimals(-1_000, 1_000, places=6).map(str),
    st.sampled_from(NO_NUMBER),
    # Near the bounds, on either side, by as little as one likes.
    st.builds(
        lambda sign, whole, zeros, last: f"{sign}{whole}.{'0' * zeros}{last}",
        st.sampled_from(["", "-"]),
        st.sampled_from([0, 1]),
        st.integers(0, 60),
        st.integers(0, 9),
    ),
    st.integers(1, 60).map(lambda digits: f"0.{'9' * digits}"),
    st.integers(-(10**45), 10**45).map(str),
)
amounts = st.one_of(
    st.decimals(-(10**12) + 1, 10**12 - 1, places=2).map(str),
    st.integers(-20, 20).map(lambda thousandths: f"{thousandths / 1_000:.3f}"),
    st.just("NaN"),
)
ratings = st.one_of(st.integers(-1, 7), st.integers(-(2**31), 2**31 - 1)).map(str)
_years = st.one_of(
    st.integers(1, 4_700).map(lambda year: (year, " BC")),
    st.integers(1, 20_000).map(lambda year: (year, "")),
    st.integers(1_895, 2_024).map(lambda year: (year, "")),
    st.sampled_from([(1, " BC"), (1, ""), (9_999, ""), (10_000, "")]),
)
dates = st.one_of(
    st.builds(
        lambda year, month, day: f"{year[0]:04}-{month:02}-{day:02}{year[1]}",
        _years,
        st.integers(1, 12),
        st.integers(1, 28),
    ),
    st.sampled_from(["infinity", "-infinity"]),
)
moments = st.one_of(
    st.builds(
        lambda year, time, zone: f"{year[0]:04}-01-01 {time}{zone}{year[1]}",
        _years,
        st.times().map(str),
        st.sampled_from(["+00", "+05:30", "-11", "+14", "+00:00:07"]),
    ),
    st.sampled_from(["infinity", "-infinity"]),
)
days_from_today = st.one_of(st.integers(-3, 3), st.integers(-60_000, 60_000)).map(str)
distances = st.one_of(
    st.integers(299_999_990, 300_000_010).map("{} microseconds".format),
    st.integers(-(10**10), 10**10).map("{} microseconds".format),
    st.integers(-4_000, 20_000).map("{} years".format),
)
documents = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(_held, max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(_held, max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
).map(json.dumps)
