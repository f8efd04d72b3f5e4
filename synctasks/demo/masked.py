"""What the masks must make of a value, said a second time and in Python.

The sync masks in SQL, inside the source's query. Whoever compares the two sides with the very
same SQL would agree with any mistake in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from synctasks.flow import Mask
from synctasks.masks import AADHAAR, EMAIL, MOBILE

_HIDDEN = "****"
# White space as Unicode has it; Python also takes four control characters for such.
_BLANK = re.compile(r"[^\S\x1c-\x1f]*")
_TWELVE_DIGITS = re.compile(r"[0-9]{8}([0-9]{4})")
_MOBILE = re.compile(r"(?:\+91)?[0-9]{6}([0-9]{4})")
_ADDRESS = re.compile(r"([^@])[^@]*@([^@]*)", re.DOTALL)


def _aadhaar(value: str) -> str | None:
    if _BLANK.fullmatch(value):
        return None
    found = _TWELVE_DIGITS.fullmatch(value)
    return f"****-****-{found[1]}" if found else _HIDDEN


def _mobile(value: str) -> str | None:
    found = _MOBILE.fullmatch(value)
    return f"******{found[1]}" if found else _HIDDEN


def _email(value: str) -> str | None:
    found = _ADDRESS.fullmatch(value)
    return f"{found[1]}***@{found[2]}" if found else _HIDDEN


_MASKS: Mapping[Mask, Callable[[str], str | None]] = {
    AADHAAR: _aadhaar,
    MOBILE: _mobile,
    EMAIL: _email,
}


def masked(mask: Mask | None, value: str | None) -> str | None:
    """The value as it must look at the target; as it is without a mask.

    Raises KeyError for a mask that nobody has written down here yet.
    """
    if mask is None or value is None:
        return value
    return _MASKS[mask](value)
