"""What a value looks like that broke its mask, and what a masked one looks like.

Digits are ASCII ones. What stands within a longer number, a UUID or a decimal is no finding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from synctasks.flow import Mask
from synctasks.masks import AADHAAR, EMAIL, MOBILE
from synctasks.verhoeff import is_valid

AADHAAR_NUMBER = "Aadhaar number"
MOBILE_NUMBER = "mobile number"
ADDRESS = "e-mail address"
UNMASKED = "value that is not masked"

#: What a column holds that a flow masks, as PostgreSQL and Python both read it.
MASKED: Mapping[Mask, str] = {
    AADHAAR: r"\*{4}(-\*{4}-[0-9]{4})?",
    MOBILE: r"\*{4}|\*{6}[0-9]{4}",
    EMAIL: r"\*{4}|.\*{3}@[^@]*",
}

#: What SQL looks for in a text before Python does: what it lets pass is no finding.
SUSPICIOUS = r"[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}|[6-9][0-9]{4}[ -]?[0-9]{5}|@"

_UUID = re.compile(r"\b[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\b")
# Not within a word, a longer number or a decimal; groups of four may be a card's.
_BEFORE = r"(?<![0-9A-Za-z_*])(?<![0-9][.,-])"
_AFTER = r"(?![0-9A-Za-z_])(?![.,-][0-9])"
_TWELVE = re.compile(
    rf"{_BEFORE}(?<![0-9] )[0-9]{{4}}([ -]?)[0-9]{{4}}\1[0-9]{{4}}{_AFTER}(?! [0-9])"
)
_TEN = re.compile(rf"{_BEFORE}(?:\+?91[ -]?|0)?[6-9][0-9]{{4}}[ -]?[0-9]{{5}}{_AFTER}")
_ADDRESS = re.compile(r"[^\s@*,;:<>()\[\]{}\"'|\\/]+@[\w-]+(?:\.[\w-]+)+")


def in_text(text: str) -> Iterator[str]:
    """The kinds of values that a text holds and should not, each once."""
    rest = _UUID.sub(" ", text)
    if any(map(_is_aadhaar, _TWELVE.finditer(rest))):
        yield AADHAAR_NUMBER
    if _TEN.search(rest):
        yield MOBILE_NUMBER
    if _ADDRESS.search(text):
        yield ADDRESS


def in_number(number: int | float) -> Iterator[str]:
    """The same of a number in a JSON document: a sum of money may well have ten digits."""
    if isinstance(number, int) and _TWELVE.fullmatch(str(number)) and is_valid(str(number)):
        yield AADHAAR_NUMBER


def in_key(text: str) -> Iterator[str]:
    """The same of a key: opaque, so only a key that is such a value as a whole is a finding."""
    for pattern, kind in ((_TEN, MOBILE_NUMBER), (_ADDRESS, ADDRESS)):
        if pattern.fullmatch(text):
            yield kind
    found = _TWELVE.fullmatch(text)
    if found and _is_aadhaar(found):
        yield AADHAAR_NUMBER


def in_document(value: object) -> Iterator[str]:
    """The same of a JSON document: of its texts, its names and its numbers."""
    match value:
        case str():
            yield from in_text(value)
        case bool() | None:
            return
        case int() | float():
            yield from in_number(value)
        case list():
            for each in value:
                yield from in_document(each)
        case dict():
            for name, each in value.items():
                yield from in_text(name)
                yield from in_document(each)


def in_masked(mask: Mask, text: str) -> Iterator[str]:
    """Whether the value of a masked column is not masked."""
    if not re.fullmatch(MASKED[mask], text, re.DOTALL):
        yield UNMASKED


def _is_aadhaar(found: re.Match[str]) -> bool:
    digits = re.sub("[ -]", "", found[0])
    return digits[0] > "1" and is_valid(digits)
