"""Spans of time, and the time that a record is of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from synctasks import sql


@dataclass(frozen=True)
class Time:
    """The time that a record is of: a `column` of it, or what `sql` makes of that.

    Where it is a whole `day`, that lies in each period that touches it.
    """

    column: str
    sql: str = ""
    day: bool = False

    @property
    def expression(self) -> str:
        """As SQL on the record `source`."""
        return self.sql or sql.name(f"source.{self.column}")


@dataclass(frozen=True)
class Period:
    """From `since` on, and before `until`; None is unbounded."""

    since: datetime | None
    until: datetime | None

    def contains(self, time: Time) -> str:
        """The condition that the time lies in it; parameters `since` and `until`."""
        bounds = []
        if self.since:
            first = "(%(since)s::timestamptz)::date" if time.day else "%(since)s::timestamptz"
            bounds.append(f"{time.expression} >= {first}")
        if self.until:
            bounds.append(f"{time.expression} < %(until)s::timestamptz")
        return " AND ".join(bounds) or "true"

    def __str__(self) -> str:
        bounds = (("since", self.since), ("until", self.until))
        return " ".join(f"{name} {_minute(moment)}" for name, moment in bounds if moment)


def _minute(moment: datetime) -> str:
    """As it was typed, or nearly: UTC, without seconds that are 0."""
    text = moment.replace(tzinfo=None).isoformat(timespec="auto")
    return text.removesuffix("T00:00:00").removesuffix(":00")
