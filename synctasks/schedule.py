"""When a flow runs in full."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True)
class Schedule:
    """A moment of each day, or (without an hour) of each hour; UTC."""

    minute: int
    hour: int | None = None

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
