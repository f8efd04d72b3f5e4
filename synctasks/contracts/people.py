"""Strict fields for what identifies people and how they are reached."""

from __future__ import annotations

import re

from synctasks.characters import (
    DIGITS,
    consists_of,
    consists_of_sql,
    holds_blank,
    holds_blank_sql,
)
from synctasks.contracts.complaint import refuse
from synctasks.contracts.fields import Field
from synctasks.contracts.masked import MASKED, looks_masked, looks_masked_sql


class Aadhaar(Field):
    """An Aadhaar-like number: twelve ASCII digits. A blank one is a missing one."""

    blank_is_missing = True
    said = "12 digits"

    def read(self, text: str) -> str:
        if len(text) != 12 or not consists_of(text, DIGITS):
            raise refuse("is no number of 12 digits")
        return text

    def sql(self, value: str) -> str:
        return f"octet_length({value}) = 12 AND {consists_of_sql(value, DIGITS)}"


class Mobile(Field):
    """A mobile number: ten ASCII digits, after an optional +91. A blank one is a missing one."""

    blank_is_missing = True
    said = "10 digits after an optional +91"

    def read(self, text: str) -> str:
        digits = text.removeprefix("+91") if len(text) == 13 else text
        if len(digits) != 10 or not consists_of(digits, DIGITS):
            raise refuse("is no mobile number of 10 digits")
        return text

    def sql(self, value: str) -> str:
        return (
            f"CASE octet_length({value})"
            f" WHEN 10 THEN {consists_of_sql(value, DIGITS)}"
            f" WHEN 13 THEN left({value}, 3) = '+91'"
            f" AND {consists_of_sql(f'substr({value}, 4)', DIGITS)}"
            " ELSE false END"
        )


class Email(Field):
    """An e-mail address: one @ with something on either side, no white space, and no mask.

    A blank one is a missing one.
    """

    blank_is_missing = True
    said = "an address with one @, and no mask"

    _FORM = re.compile(r"[^@]+@[^@]+")

    def read(self, text: str) -> str:
        if not self._FORM.fullmatch(text) or holds_blank(text):
            raise refuse("is no e-mail address")
        if looks_masked(text):
            raise refuse(MASKED)
        return text

    def sql(self, value: str) -> str:
        return (
            f"position('@' IN {value}) > 1 AND right({value}, 1) <> '@'"
            f" AND octet_length({value}) - octet_length(replace({value}, '@', '')) = 1"
            f" AND NOT {holds_blank_sql(value)} AND NOT {looks_masked_sql(value)}"
        )


class Digits(Field):
    """A number of so many ASCII digits, such as a pincode. A blank one is a missing one."""

    blank_is_missing = True

    def __init__(self, count: int, *, required: bool = False) -> None:
        super().__init__(required=required)
        self._count = count

    @property
    def said(self) -> str:
        return f"{self._count} digits"

    def read(self, text: str) -> str:
        if len(text) != self._count or not consists_of(text, DIGITS):
            raise refuse(f"is no number of {self._count} digits")
        return text

    def sql(self, value: str) -> str:
        return f"octet_length({value}) = {self._count} AND {consists_of_sql(value, DIGITS)}"
