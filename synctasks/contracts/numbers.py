"""Strict fields for numbers and times."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from synctasks.contracts.complaint import refuse
from synctasks.contracts.fields import Field

# Clocks differ a little; what lies further ahead is wrong.
_AHEAD = timedelta(minutes=5)


class Number(Field):
    """A decimal number between two bounds; NaN and infinity lie between none."""

    # With an exponent where its column is no numeric.
    _FORM = re.compile(r"-?[0-9]+(\.[0-9]+)?(e[+-][0-9]+)?")

    def __init__(self, least: int, most: int | None = None, *, required: bool = False) -> None:
        super().__init__(required=required)
        self._least, self._most = least, most

    def read(self, text: str) -> Decimal:
        if not self._FORM.fullmatch(text):
            raise refuse("is no number")
        number = Decimal(text)
        if number < self._least or (self._most is not None and number > self._most):
            raise refuse(f"is not {self._range()}")
        return number

    def sql(self, value: str) -> str:
        # PostgreSQL takes NaN for larger than all numbers, infinity included.
        most = "'Infinity'::numeric" if self._most is None else str(self._most)
        comparison = "<" if self._most is None else "<="
        return f"{value} >= {self._least} AND {value} {comparison} {most}"

    @property
    def said(self) -> str:
        return self._range()

    def _range(self) -> str:
        if self._most is None:
            return f"{self._least} or more"
        return f"between {self._least} and {self._most:,}"


class Integer(Field):
    """Any whole number that its column can hold."""

    said = "a whole number"

    _FORM = re.compile(r"-?[0-9]+")

    def read(self, text: str) -> int:
        # PostgreSQL's widest integer has 19 digits; Python would work long on a million of them.
        if len(text) > 20 or not self._FORM.fullmatch(text):
            raise refuse("is no whole number")
        return int(text)

    def sql(self, value: str) -> str:
        return "true"


class Date(Field):
    """A date from `first` to today (UTC)."""

    _FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

    def __init__(self, first: date, *, required: bool = False) -> None:
        super().__init__(required=required)
        self._first = first

    @property
    def said(self) -> str:
        return f"a date from {self._first} to today"

    def read(self, text: str) -> date:
        try:
            day = date.fromisoformat(text) if self._FORM.fullmatch(text) else None
        except ValueError:
            day = None
        if day is None or not self._first <= day <= self.now.astimezone(UTC).date():
            raise refuse(f"is no date between {self._first} and today")
        return day

    def sql(self, value: str) -> str:
        # As a query of its own it is worked out once, not for each row.
        today = "(SELECT (statement_timestamp() AT TIME ZONE 'UTC')::date)"
        return f"{value} >= '{self._first}'::date AND {value} <= {today}"


class Timestamp(Field):
    """A moment of our era, no more than five minutes ahead of the source server's clock."""

    said = "no more than 5 minutes ahead"

    _FORM = re.compile(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
        r"[+-][0-9]{2}(:[0-9]{2}(:[0-9]{2})?)?"
    )

    def read(self, text: str) -> datetime:
        try:
            moment = datetime.fromisoformat(text) if self._FORM.fullmatch(text) else None
        except ValueError:
            moment = None
        if moment is None:
            raise refuse("is no moment of our era")
        if moment > self.now + _AHEAD:
            raise refuse("lies more than 5 minutes ahead")
        return moment

    def sql(self, value: str) -> str:
        return (
            f"{value} <= (SELECT statement_timestamp() + interval '5 minutes')"
            f" AND {value} >= '0001-01-01 00:00:00+00'::timestamptz"
        )
