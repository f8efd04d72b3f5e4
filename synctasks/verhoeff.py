"""Verhoeff's check digit, the last one of every Aadhaar number."""

from __future__ import annotations

from itertools import cycle

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


def check_digit(digits: str) -> str:
    """Return the Verhoeff check digit that makes ``digits`` + it valid."""
    check = 0
    for digit, permuted in zip(reversed(digits), cycle(_PERMUTED), strict=False):
        check = _PRODUCT[check][permuted[digit]]
    return str(_INVERSE[check])


def is_valid(digits: str) -> bool:
    """Whether the last of these ASCII digits is the check digit of the others."""
    return check_digit(digits[:-1]) == digits[-1]
