"""Specification 2.4: what citizens do on the portal, by day; never what they look at or search."""

from datetime import date

from synctasks.contracts import Contract, Number, Text, Timestamp, Uuid
from synctasks.flow import (
    Absent,
    Column,
    Condition,
    Database,
    Flow,
    KeyForm,
    Missing,
    Query,
    Schedule,
    Selected,
    Source,
    Table,
    Target,
    Time,
)
from synctasks.flows.people import golden_record_of

# (event type, table, when it happened, how long it took if anybody knows)
_EVENTS = (
    ("PAGE_VIEW", "public.page_views", "occurred_at", "duration_seconds"),
    ("SCHEME_CLICK", "public.scheme_clicks", "occurred_at", None),
    ("ELIGIBILITY_CHECK", "public.eligibility_checks", "occurred_at", "duration_seconds"),
    ("SEARCH", "public.search_queries", "occurred_at", None),
    ("APPLICATION_START", "public.service_applications", "created_at", None),
    ("APPLICATION_COMPLETE", "public.service_applications", "submitted_at", None),
    ("DOCUMENT_UPLOAD", "public.documents", "uploaded_at", None),
)
# An application that was not submitted is no event without a time: it is none.
_MAY_BE_MISSING = "submitted_at"


class Behavior(Contract):
    """What one citizen did of one kind on one day."""

    event_date = Text(required=True)
    citizen_id = Uuid()
    total_duration_seconds = Number(0)
    shortest_seconds = Number(0)
    first_event_at = Timestamp(required=True)
    last_event_at = Timestamp(required=True)


def _events_of_the_day(event_type: str, table: str, time: str, duration: str | None) -> str:
    timeless = f"({{unit}} = '' AND ({time} IS NULL OR NOT isfinite({time})))"
    within = (
        f"({time} >= nullif({{unit}}, '')::date::timestamp AT TIME ZONE 'UTC'"
        f" AND {time} < (nullif({{unit}}, '')::date + 1)::timestamp AT TIME ZONE 'UTC')"
    )
    condition = within if time == _MAY_BE_MISSING else f"({within} OR {timeless})"
    return (
        f"    SELECT citizen_id, '{event_type}' AS event_type, {time} AS occurred_at,"
        f" {duration or 'NULL::numeric'} AS duration_seconds\n"
        f"    FROM {table}\n"
        f"    WHERE {condition}"
    )


def _day_of(table: str, time: str) -> str:
    """The days on which something happened; the empty one where nobody knows when it did."""
    condition = f"\n    WHERE isfinite({time})" if time == _MAY_BE_MISSING else ""
    return (
        f"    SELECT CASE WHEN isfinite({time})"
        f" THEN ({time} AT TIME ZONE 'UTC')::date::text ELSE '' END AS event_date\n"
        f"    FROM {table}{condition}"
    )


_OF_THE_DAY = "\n    UNION ALL\n".join(_events_of_the_day(*each) for each in _EVENTS)
_OF_ALL_DAYS = "\n    UNION ALL\n".join(_day_of(table, time) for _, table, time, _ in _EVENTS)

_DAY = f"""\
SELECT
    {{unit}} AS event_date,
    happened.citizen_id,
    happened.event_type,
    count(*) AS event_count,
    sum(happened.duration_seconds) AS total_duration_seconds,
    min(happened.duration_seconds) AS shortest_seconds,
    min(happened.occurred_at) AS first_event_at,
    max(happened.occurred_at) AS last_event_at
FROM (
{_OF_THE_DAY}
) AS happened
GROUP BY happened.citizen_id, happened.event_type"""

_DAYS = f"""\
SELECT DISTINCT happened.event_date
FROM (
{_OF_ALL_DAYS}
) AS happened"""

# The last three complete days, for events that came late, and what earlier slots left undone;
# always what happened nobody knows when.
_LAST_DAYS = """\
    SELECT day::date::text AS key
    FROM generate_series(
        least(
            (%(last)s AT TIME ZONE 'UTC')::date + 1,
            (%(due)s AT TIME ZONE 'UTC')::date
        ) - 3,
        (%(due)s AT TIME ZONE 'UTC')::date - 1,
        interval '1 day'
    ) AS day
    UNION ALL
    SELECT ''"""


def _is_day(key: str) -> bool:
    try:
        return date.fromisoformat(key).isoformat() == key
    except ValueError:
        return False


USER_BEHAVIOR = Flow(
    name="user_behavior",
    specification="2.4",
    summary="Counts of what known citizens do, by kind and complete day (UTC).",
    source=Source(
        Database.CITIZEN,
        "public.page_views",
        key="event_date",
        key_form=KeyForm("day (2026-03-31)", _is_day),
        time=Time("event_date", sql="nullif(source.event_date, '')::date", day=True),
        query=Query(
            records=_DAY,
            units=_DAYS,
            record="concat_ws(' ', source.citizen_id, source.event_type, source.event_date)",
            # A day may be hundreds of thousands of events.
            at_once=1,
            tables=tuple(
                Table(
                    table,
                    unit="''",
                    reads=tuple(filter(None, ("citizen_id", time, duration))),
                    primary_key=("id",),
                )
                for _, table, time, duration in _EVENTS
            ),
        ),
    ),
    target=Target(
        Database.WAREHOUSE,
        "analytics.user_behavior",
        key="event_date",
        within=("citizen_id", "event_type"),
    ),
    columns=(
        Column(
            "citizen_id", "text", reference=golden_record_of("citizen_id", missing=Missing.FILTER)
        ),
        Column("event_type", "text"),
        Column("event_date", "date", lookup="nullif(source.event_date, '')", source="event_date"),
        Column("event_count", "bigint"),
        Column("total_duration_seconds", "numeric"),
        Column("first_event_at", "timestamptz"),
        Column("last_event_at", "timestamptz"),
    ),
    contract=Behavior,
    # Nobody's events, and those of a day that is not over.
    scope=Condition(
        "source.citizen_id IS NOT NULL AND ("
        "source.event_date = ''"
        " OR source.event_date::date < (statement_timestamp() AT TIME ZONE 'UTC')::date)",
        reads=("citizen_id", "event_date"),
    ),
    absent=Absent.DELETE_WITHIN,
    schedule=Schedule(
        hour=1,
        minute=0,
        asks_for=Selected(
            _LAST_DAYS, said="the last three complete days, and all that were missed"
        ),
    ),
)
