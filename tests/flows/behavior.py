"""Given what people do on the portal, what the warehouse counts of it by day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from synctasks import slots
from synctasks.capture import change_log
from synctasks.capture.change_log import lane_count
from synctasks.engine.verify import verify
from synctasks.flow import Duty
from synctasks.flows.to_warehouse.user_behavior import USER_BEHAVIOR
from tests.flows.citizens import ASHA
from tests.refreshing import finish, run_of
from tests.rows import Connection, execute, insert, rows, value
from tests.syncing import by_events

DAY = timedelta(days=1)
#: Noon of a day long ago.
NOON = datetime(2025, 6, 10, 12, 0, tzinfo=UTC)
THEN = NOON.date()
COUNTED = ("event_count", "total_duration_seconds", "first_event_at", "last_event_at")

_HOW = {
    "PAGE_VIEW": ("page_views", "occurred_at"),
    "SCHEME_CLICK": ("scheme_clicks", "occurred_at"),
    "ELIGIBILITY_CHECK": ("eligibility_checks", "occurred_at"),
    "SEARCH": ("search_queries", "occurred_at"),
    "APPLICATION_START": ("service_applications", "created_at"),
    "APPLICATION_COMPLETE": ("service_applications", "submitted_at"),
    "DOCUMENT_UPLOAD": ("documents", "uploaded_at"),
}
EVENT_TYPES = tuple(_HOW)
_WITH_KEYS = ("service_applications", "documents")


def does(
    citizen: Connection, event_type: str, *moments: Any, who: str | None = ASHA, **columns: Any
) -> None:
    """Somebody does something at these moments."""
    table, time = _HOW[event_type]
    for moment in moments:
        row = {"citizen_id": who, time: moment, **columns}
        if table == "service_applications":
            row.setdefault("created_at", moment)
        if table in _WITH_KEYS:
            row["id"] = value(citizen, "SELECT gen_random_uuid()::text")
        insert(citizen, table, row)


def views(citizen: Connection, *moments: Any, who: str | None = ASHA, seconds: Any = None) -> None:
    """Somebody looks at pages."""
    does(citizen, "PAGE_VIEW", *moments, who=who, duration_seconds=seconds)


def purge(citizen: Connection, table: str = "page_views") -> None:
    """The portal forgets raw events."""
    execute(citizen, f"DELETE FROM {table}")


def counted(warehouse: Connection) -> dict[tuple[str, str, date], tuple[Any, ...]]:
    """What the warehouse holds, by citizen, type and day."""
    found = rows(
        warehouse,
        f"SELECT citizen_id, event_type, event_date, {', '.join(COUNTED)} "
        "FROM analytics.user_behavior",
    )
    return {(who, what, day): tuple(counts) for who, what, day, *counts in found}


def days(warehouse: Connection) -> list[date]:
    """The days of which the warehouse holds anything."""
    return rows(warehouse, "SELECT DISTINCT event_date FROM analytics.user_behavior ORDER BY 1")


def given_count(warehouse: Connection, day: date = THEN, **columns: Any) -> None:
    """A row of the warehouse's, however it came there."""
    row = {"citizen_id": "GR-1", "event_type": "PAGE_VIEW", "event_date": day, "event_count": 7}
    insert(warehouse, "analytics.user_behavior", {**row, **columns})


def asked_for(citizen: Connection, *keys: date | str) -> dict[str, int]:
    """Somebody asks for days, and they are worked off: the counts."""
    change_log.request(USER_BEHAVIOR, [str(key) for key in keys], origin="key")
    return by_events(citizen, USER_BEHAVIOR)


def installed(citizen: Connection, at: datetime) -> None:
    """As if the portal had been captured since then, with no slot taken."""
    execute(citizen, "UPDATE synctasks.installation SET installed_at = %s", [at])


def slot(citizen: Connection, now: datetime) -> dict[str, Any]:
    """The slot that is due now is taken, and its run worked to its end; the run."""
    taken = slots.take(USER_BEHAVIOR, Duty.SYNC, now)
    assert taken is not None, "nothing is due"
    assert taken.in_chunks
    finish(USER_BEHAVIOR)
    return run_of(citizen, taken.run)


def units(run: dict[str, Any]) -> list[str]:
    """The days that a slot's run was about; the empty one are events of no day."""
    found: Sequence[str] = run["units"]
    return sorted(found)


def today(citizen: Connection) -> date:
    """The portal's day, by its server's clock."""
    found: date = value(citizen, "SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date")
    return found


def at_one(day: date) -> datetime:
    """When the slot of a day is due."""
    return datetime(day.year, day.month, day.day, 1, 0, tzinfo=UTC)


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, 0, tzinfo=UTC)


def versions(warehouse: Connection) -> list[str]:
    """The versions of the warehouse's rows: one that was written has another."""
    return rows(
        warehouse, "SELECT xmin || ' ' || ctid::text FROM analytics.user_behavior ORDER BY 1"
    )


def letters(citizen: Connection) -> list[tuple[str, str, str]]:
    """The open dead letters: record, category and error."""
    return rows(
        citizen,
        "SELECT record, category, error FROM synctasks.dead_letter WHERE state = 'open' ORDER BY 1",
    )


def verified() -> tuple[dict[str, int], list[str]]:
    """The classes of the flow's records that are not empty, and the keys of what is wrong."""
    wrong: list[str] = []
    *_, last = verify(USER_BEHAVIOR, lane_count(USER_BEHAVIOR), found=wrong.extend)
    return {name: count for name, count in last.counts.items() if count}, wrong
