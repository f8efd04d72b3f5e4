"""Strict marshmallow fields: they read a value as PostgreSQL shows it, and coerce nothing.

Each has a second form: a SQL condition on the value where it stands, not null. The condition is
true only where the field certainly accepts; where it is not, the field is asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import marshmallow

from synctasks import sql
from synctasks.characters import (
    DIGITS,
    HEX_DIGITS,
    blank_sql,
    consists_of,
    consists_of_sql,
    is_blank,
)
from synctasks.contracts.complaint import MISSING, refuse

# Clocks differ a little; what lies further ahead is wrong.
_AHEAD = timedelta(minutes=5)
# No index holds a longer text, so no longer key can be looked up.
MOST_KEY_BYTES = 2_700


class Field(marshmallow.fields.Field[Any]):
    """What all fields share: a null (or, as text, a blank) is missing, which `required` forbids."""

    blank_is_missing = False

    def __init__(self, *, required: bool = False) -> None:
        super().__init__(required=required, allow_none=True)

    def deserialize(
        self,
        value: Any,
        attr: str | None = None,
        data: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        if not isinstance(value, str):
            missing = value is None or value is marshmallow.missing
            if not missing:
                raise refuse("is not read as text")
        else:
            missing = is_blank(value) and (self.required or self.blank_is_missing)
        if not missing:
            return self.read(value)
        if self.required:
            raise refuse(MISSING)
        return None

    def read(self, text: str) -> Any:
        """The value. Raises ValidationError with a Complaint that does not repeat it."""
        raise NotImplementedError

    def sql(self, value: str) -> str:
        """A condition on a SQL expression that is not null; true only where `read` accepts."""
        raise NotImplementedError

    def gate(self, value: str) -> str:
        """The condition with its nulls: not true where a required value is missing."""
        if self.required:
            return f"{value} IS NOT NULL AND {self.sql(value)}"
        blank = f" OR {blank_sql(value)}" if self.blank_is_missing else ""
        return f"({value} IS NULL OR {self.sql(value)}{blank})"

    @property
    def now(self) -> datetime:
        """The source server's time at which the record was read."""
        moment: datetime = self.root.now  # type: ignore[union-attr]
        return moment


class Text(Field):
    """Any text, not longer than so many characters or bytes; not blank where it is required."""

    def __init__(
        self, *, required: bool = False, most: int | None = None, most_bytes: int | None = None
    ) -> None:
        super().__init__(required=required)
        self._most = most
        self._most_bytes = most_bytes

    def read(self, text: str) -> str:
        if self._most is not None and len(text) > self._most:
            raise refuse(f"is longer than {self._most:,} characters")
        if self._most_bytes is not None and len(text.encode(errors="replace")) > self._most_bytes:
            raise refuse(f"is longer than {self._most_bytes:,} bytes")
        return text

    def sql(self, value: str) -> str:
        conditions = []
        if self.required:
            conditions.append(f"NOT {blank_sql(value)}")
        if self._most is not None:
            conditions.append(f"char_length({value}) <= {self._most}")
        if self._most_bytes is not None:
            conditions.append(f"octet_length({value}) <= {self._most_bytes}")
        return " AND ".join(conditions) or "true"


class Key(Text):
    """A text that identifies a unit."""

    def __init__(self) -> None:
        super().__init__(required=True, most_bytes=MOST_KEY_BYTES)


class Word(Text):
    """A word of an open vocabulary: text that is not blank, of at most 64 characters."""

    def __init__(self, *, required: bool = False) -> None:
        super().__init__(required=required, most=64)

    def read(self, text: str) -> str:
        if is_blank(text):
            raise refuse("is blank")
        return super().read(text)

    def sql(self, value: str) -> str:
        return f"char_length({value}) <= 64 AND NOT {blank_sql(value)}"


class Choice(Field):
    """One of some words, exactly as they are written."""

    def __init__(self, *words: str, required: bool = False) -> None:
        super().__init__(required=required)
        self._words = words

    def read(self, text: str) -> str:
        if text not in self._words:
            raise refuse(f"is none of {', '.join(self._words)}")
        return text

    def sql(self, value: str) -> str:
        return f"{value} IN ({', '.join(map(sql.literal, self._words))})"


class Aadhaar(Field):
    """An Aadhaar-like number: twelve ASCII digits. A blank one is a missing one."""

    blank_is_missing = True

    def read(self, text: str) -> str:
        if len(text) != 12 or not consists_of(text, DIGITS):
            raise refuse("is no number of 12 digits")
        return text

    def sql(self, value: str) -> str:
        return f"octet_length({value}) = 12 AND {consists_of_sql(value, DIGITS)}"


class Uuid(Field):
    """A UUID in its canonical form: lower case, with dashes, without braces."""

    _FORM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

    def read(self, text: str) -> str:
        if not self._FORM.fullmatch(text):
            raise refuse("is no UUID in its canonical form")
        return text

    def sql(self, value: str) -> str:
        text = f"{value}::text"
        # 36 bytes, of which four are dashes, in their places; the others are hexadecimal digits.
        return (
            f"octet_length({text}) = 36"
            f" AND {text} LIKE '________-____-____-____-____________'"
            f" AND octet_length(replace({text}, '-', '')) = 32"
            f" AND {consists_of_sql(text, '-' + HEX_DIGITS)}"
        )


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

    def _range(self) -> str:
        if self._most is None:
            return f"{self._least} or more"
        return f"between {self._least} and {self._most:,}"


class Integer(Field):
    """Any whole number that its column can hold."""

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


class Json(Field):
    """A JSON object or array (its column holds valid JSON of any kind)."""

    def read(self, text: str) -> str:
        if not text.startswith(("{", "[")):
            raise refuse("is no JSON object or array")
        return text

    def sql(self, value: str) -> str:
        return f"jsonb_typeof({value}) IN ('object', 'array')"
