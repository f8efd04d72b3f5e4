"""Numbers that identify what does not exist.

All of them are synthetic. The twelve-digit ones carry a valid check digit and the mobile numbers
look dialable, because that is what the contracts ask for, but they come out of a formula: where
one equals a real person's number, that is chance, and nothing beside it is theirs.
"""

from collections.abc import Callable
from hashlib import blake2b
from typing import TypeAlias

from synctasks.verhoeff import check_digit

#: A number from 0 up to, without, 1. Only random() itself is promised to give the same numbers in
#: every version of Python (shuffle and choice are not), so nothing else is drawn with here.
Draw: TypeAlias = Callable[[], float]

# Numbers of 11 digits that start with neither 0 nor 1, before the check digit is added.
_FIRST_NUMBER = 20_000_000_000
NUMBERS = 80_000_000_000
# Odd and no multiple of 5, so no two people of a population share a number.
_STRIDE = 30_864_197_531


def aadhaar(offset: int, person: int) -> str:
    """Return twelve digits with a valid check digit, others for each of ``NUMBERS`` people."""
    digits = str(_FIRST_NUMBER + (offset + person * _STRIDE) % NUMBERS)
    return digits + check_digit(digits)


def mobile_number(draw: Draw) -> str | None:
    """Return ten digits, now and then after +91, or nothing."""
    kind = draw()
    if kind < 0.08:
        return None
    digits = str(6_000_000_000 + int(draw() * 4_000_000_000))
    return f"+91{digits}" if kind < 0.11 else digits


def uuid(seed: int, kind: str, number: int) -> str:
    """Return the UUID (version 4, canonical text) of the ``number``-th thing of a kind."""
    digest = blake2b(f"{seed}/{kind}/{number}".encode(), digest_size=16).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:]}"
