"""Strict marshmallow fields: they read a value as PostgreSQL shows it, and coerce nothing.

Each has a second form: a SQL condition on the value where it stands, not null. The condition is
true only where the field certainly accepts; where it is not, the field is asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import marshmallow

from synctasks import sql
from synctasks.characters import HEX_DIGITS, blank_sql, consists_of_sql, is_blank
from synctasks.contracts.complaint import MISSING, refuse
from synctasks.contracts.masked import MASKED, looks_masked, looks_masked_sql

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

    @property
    def said(self) -> str:
        """What a value must be, in words; "" for anything."""
        raise NotImplementedError

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
    """Any text, not longer than so many characters or bytes; not blank where it is required.

    `unmasked` refuses what is shaped like one of our own masks.
    """

    def __init__(
        self,
        *,
        required: bool = False,
        most: int | None = None,
        most_bytes: int | None = None,
        unmasked: bool = False,
    ) -> None:
        super().__init__(required=required)
        self._most = most
        self._most_bytes = most_bytes
        self._unmasked = unmasked

    @property
    def said(self) -> str:
        parts = []
        if self._most is not None:
            parts.append(f"at most {self._most:,} characters")
        if self._most_bytes is not None:
            parts.append(f"at most {self._most_bytes:,} bytes")
        if self._unmasked:
            parts.append("not shaped like one of our masks")
        return ", ".join(parts)

    def read(self, text: str) -> str:
        if self._most is not None and len(text) > self._most:
            raise refuse(f"is longer than {self._most:,} characters")
        if self._most_bytes is not None and len(text.encode(errors="replace")) > self._most_bytes:
            raise refuse(f"is longer than {self._most_bytes:,} bytes")
        if self._unmasked and looks_masked(text):
            raise refuse(MASKED)
        return text

    def sql(self, value: str) -> str:
        conditions = []
        if self.required:
            conditions.append(f"NOT {blank_sql(value)}")
        if self._most is not None:
            conditions.append(f"char_length({value}) <= {self._most}")
        if self._most_bytes is not None:
            conditions.append(f"octet_length({value}) <= {self._most_bytes}")
        if self._unmasked:
            conditions.append(f"NOT {looks_masked_sql(value)}")
        return " AND ".join(conditions) or "true"


class Key(Text):
    """A text that identifies a unit."""

    def __init__(self) -> None:
        super().__init__(required=True, most_bytes=MOST_KEY_BYTES)


class Word(Text):
    """A word of an open vocabulary: text that is not blank, of at most 64 characters."""

    said = "at most 64 characters, not blank"

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

    @property
    def said(self) -> str:
        return f"one of {', '.join(self._words)}"

    def read(self, text: str) -> str:
        if text not in self._words:
            raise refuse(f"is none of {', '.join(self._words)}")
        return text

    def sql(self, value: str) -> str:
        return f"{value} IN ({', '.join(map(sql.literal, self._words))})"


class Uuid(Field):
    """A UUID in its canonical form: lower case, with dashes, without braces."""

    said = "a UUID in its canonical form"

    FORM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

    def read(self, text: str) -> str:
        if not self.FORM.fullmatch(text):
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


class Json(Field):
    """A JSON object or array (its column holds valid JSON of any kind)."""

    _BEGINNINGS: tuple[str, ...] = ("{", "[")
    said = "a JSON object or array"
    _SAID = "is no JSON object or array"
    _TYPES = "'object', 'array'"

    def read(self, text: str) -> str:
        if not text.startswith(self._BEGINNINGS):
            raise refuse(self._SAID)
        return text

    def sql(self, value: str) -> str:
        return f"jsonb_typeof({value}) IN ({self._TYPES})"


class JsonArray(Json):
    """A JSON array."""

    said = "a JSON array"
    _BEGINNINGS = ("[",)
    _SAID = "is no JSON array"
    _TYPES = "'array'"
