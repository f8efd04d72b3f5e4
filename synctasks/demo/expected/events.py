"""What the warehouse must hold of what citizens do: their applications' events, their behavior."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from synctasks.demo.expected.expectation import Expectation, Letters
from synctasks.demo.expected.known import Known
from synctasks.demo.streams import Row, stream
from synctasks.demo.work.transitions import Transition
from synctasks.flow import Database

_EVENTS = {
    "submitted": "APPLICATION_SUBMITTED",
    "approved": "APPLICATION_APPROVED",
    "rejected": "APPLICATION_REJECTED",
    "withdrawn": "APPLICATION_WITHDRAWN",
}

# (event type, table, when, how long)
_KINDS = (
    ("PAGE_VIEW", "page_views", "occurred_at", "duration_seconds"),
    ("SCHEME_CLICK", "scheme_clicks", "occurred_at", "NULL"),
    ("ELIGIBILITY_CHECK", "eligibility_checks", "occurred_at", "duration_seconds"),
    ("SEARCH", "search_queries", "occurred_at", "NULL"),
    ("APPLICATION_START", "service_applications", "created_at", "NULL"),
    ("APPLICATION_COMPLETE", "service_applications", "submitted_at", "NULL"),
    ("DOCUMENT_UPLOAD", "documents", "uploaded_at", "NULL"),
)
_HAPPENED = """\
SELECT citizen_id::text, {time}::text, {duration}::text
FROM public.{table}
WHERE isfinite({time}) AND {time} < %(end)s
"""
_DAYS = "SELECT DISTINCT event_date::text FROM analytics.user_behavior"


def transitions(committed: Iterable[Transition], known: Known, letters: Letters) -> Expectation:
    """Each transition that was committed, once; with the latest approval, where it was approved."""
    events: dict[tuple[str, str, str], Row] = {}
    for application, status, citizen, scheme, submitted, approved in committed:
        record = known.record_of.get(str(citizen))
        event = _EVENTS.get(status)
        if event and submitted and record is not None and application not in letters.units:
            approval = approved if status == "approved" else None
            key = application, event, submitted
            events[key] = (*key, record, known.code_of[str(scheme)], approval)
    return Expectation(events.values(), letters.units)


@dataclass
class _Behavior:
    """What one citizen did of one kind on one day; times and durations as text."""

    count: int = 0
    seconds: Decimal | None = None
    first: str = "9"
    last: str = ""

    def add(self, time: str, seconds: str | None) -> None:
        self.count += 1
        self.first, self.last = min(self.first, time), max(self.last, time)
        if seconds is not None:
            self.seconds = Decimal(seconds) + (self.seconds or 0)

    @property
    def duration(self) -> str | None:
        """The sum of those that are known."""
        return None if self.seconds is None else f"{self.seconds:f}"


def behavior(end: date, known: Known, letters: Letters) -> Expectation:
    """What citizens who have a golden record did on the days before `end` (UTC).

    A day of which nothing is left at the portal is left alone.
    """
    found: dict[tuple[str | None, str, str], _Behavior] = {}
    for kind, table, time_column, duration in _KINDS:
        statement = _HAPPENED.format(table=table, time=time_column, duration=duration)
        with stream(Database.CITIZEN, statement, {"end": f"{end} 00:00+00"}) as happened:
            for citizen, time, seconds in happened:
                key = citizen, kind, str(time)[:10]
                found.setdefault(key, _Behavior()).add(str(time), seconds)
    days = frozenset(day for _, _, day in found)
    with stream(Database.WAREHOUSE, _DAYS) as carried:
        purged = frozenset(str(day) for (day,) in carried if day not in days)

    def rows() -> Iterator[Row]:
        for (citizen, kind, day), each in found.items():
            record = known.record_of.get(str(citizen))
            if record is not None and f"{citizen} {kind} {day}" not in letters.records:
                yield day, record, kind, str(each.count), each.duration, each.first, each.last

    return Expectation(rows(), purged)
