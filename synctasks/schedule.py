"""When a flow is due by the clock, and what is asked for then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum


class Duty(StrEnum):
    """What the clock asks of a flow; each has slots of its own."""

    SYNC = "sync"
    VERIFY = "verify"
    REVIEW = "review"


@dataclass(frozen=True)
class Everything:
    """All units, in a full run."""

    said = "full run"


@dataclass(frozen=True)
class Captured:
    """What was captured so far: until its slot a change rests, and nobody sends for it."""

    said = "what was captured"


@dataclass(frozen=True)
class Selected:
    """A run of the units that `units` selects at the source (as `key`, text).

    Parameters: `last`, the slot before this one (or the installation), and `due`, this one.
    """

    units: str
    said: str


@dataclass(frozen=True)
class Aged:
    """Units whom time alone has moved: their rows at the target fulfil `condition`.

    It speaks of the row as `target`. They go into the change log, as if they had changed.
    """

    condition: str
    said: str


@dataclass(frozen=True)
class Round:
    """A look at all records, step by step, that carries nothing over itself."""

    duty: Duty
    said: str


Asked = Everything | Captured | Selected | Aged | Round


@dataclass(frozen=True)
class Schedule:
    """A moment of each day, or (without an hour) of each hour; UTC."""

    minute: int
    hour: int | None = None
    asks_for: Asked = Everything()

    def latest(self, now: datetime) -> datetime:
        """The last moment at or before `now` (any time zone) at which the schedule was due."""
        slot = now.astimezone(UTC).replace(minute=self.minute, second=0, microsecond=0)
        if self.hour is not None:
            slot = slot.replace(hour=self.hour)
        period = timedelta(hours=1) if self.hour is None else timedelta(days=1)
        return slot if slot <= now else slot - period

    def __str__(self) -> str:
        if self.hour is None:
            return f"hourly, minute {self.minute}"
        return f"daily {self.hour:02}:{self.minute:02}"


#: Of every flow that is captured: what no trigger saw is found, and repaired.
NIGHTLY_VERIFY = Schedule(hour=2, minute=0, asks_for=Round(Duty.VERIFY, "verify, and repair"))
#: Of every flow whose source rows may be stale.
DAILY_REVIEW = Schedule(hour=3, minute=0, asks_for=Round(Duty.REVIEW, "flag what is stale"))


@dataclass(frozen=True)
class Stale:
    """A source row whose `column` says that nobody updated it for so long is flagged for review.

    Where it says nothing, nobody knows; such a row is not flagged.
    """

    column: str
    after: timedelta
