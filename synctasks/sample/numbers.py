"""Numbers that identify what does not exist.

All of them are synthetic. The twelve-digit ones carry a valid check digit and the mobile numbers
look dialable, because that is what the contracts ask for, but they come out of a formula: where
one equals a real person's number, that is chance, and nothing beside it is theirs.
"""

from collections.abc import Callable
from hashlib import blake2b
from itertools import cycle
from typing import TypeAlias

#: A number from 0 up to, without, 1. Only random() itself is promised to give the same numbers in
#: every version of Python (shuffle and choice are not), so nothing else is drawn with here.
Draw: TypeAlias = Callable[[], float]

# The multiplication, the permutations and the inverses of Verhoeff's check digit.
_PRODUCT = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 2, 3, 4, 0, 6, 7, 8, 9, 5),
    (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
    (3, 4, 0, 1, 2, 8, 9, 5, 6, 7),
    (4, 0, 1, 2, 3, 9, 5, 6, 7, 8),
    (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2),
    (7, 6, 5, 9, 8, 2, 1, 0, 4, 3),
    (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)
_PERMUTATION = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 5, 7, 6, 2, 8, 3, 0, 9, 4),
    (5, 8, 0, 3, 7, 9, 6, 1, 4, 2),
    (8, 9, 1, 6, 0, 4, 3, 5, 2, 7),
    (9, 4, 5, 3, 1, 2, 6, 8, 7, 0),
    (4, 2, 8, 6, 5, 7, 3, 9, 0, 1),
    (2, 7, 9, 3, 8, 0, 6, 4, 1, 5),
    (7, 0, 4, 6, 9, 1, 3, 2, 5, 8),
)
# By digit, for the places from the last one on: the check digit itself has the first permutation.
_PERMUTED = [
    dict(zip("0123456789", permutation, strict=True))
    for permutation in (*_PERMUTATION[1:], _PERMUTATION[0])
]
_INVERSE = (0, 4, 3, 2, 1, 5, 6, 7, 8, 9)

# Numbers of 11 digits that start with neither 0 nor 1, before the check digit is added.
_FIRST_NUMBER = 20_000_000_000
NUMBERS = 80_000_000_000
# Odd and no multiple of 5, so no two people of a population share a number.
_STRIDE = 30_864_197_531


def check_digit(digits: str) -> str:
    """Return the Verhoeff check digit that makes ``digits`` + it valid."""
    check = 0
    for digit, permuted in zip(reversed(digits), cycle(_PERMUTED), strict=False):
        check = _PRODUCT[check][permuted[digit]]
    return str(_INVERSE[check])


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
