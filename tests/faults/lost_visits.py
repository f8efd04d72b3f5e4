"""What visitors did on the complete days, counted once more, and what they had to say."""

from __future__ import annotations

from tests.faults.compared import Row, compared, owners
from tests.rows import Connection, rows

_HAPPENED = """\
WITH happened AS (
    SELECT citizen_id, 'PAGE_VIEW' AS event_type, occurred_at, duration_seconds FROM page_views
    UNION ALL
    SELECT citizen_id, 'SCHEME_CLICK', occurred_at, NULL FROM scheme_clicks
    UNION ALL
    SELECT citizen_id, 'ELIGIBILITY_CHECK', occurred_at, duration_seconds FROM eligibility_checks
    UNION ALL
    SELECT citizen_id, 'SEARCH', occurred_at, NULL FROM search_queries
)
SELECT
    citizens.aadhaar_number, event_type, (occurred_at AT TIME ZONE 'UTC')::date, count(*),
    sum(duration_seconds), min(occurred_at), max(occurred_at)
FROM happened
JOIN citizens ON citizens.id = happened.citizen_id
GROUP BY 1, 2, 3
"""
_COUNTED = """\
SELECT
    citizen_id, event_type, event_date, event_count, total_duration_seconds, first_event_at,
    last_event_at
FROM analytics.user_behavior
WHERE event_date < current_date - 1
"""
_COMMENTS = """\
SELECT
    feedback.id::text, citizens.aadhaar_number, feedback.created_at, feedback_type, rating,
    comment, schemes.code
FROM feedback
JOIN citizens ON citizens.id = feedback.citizen_id
LEFT JOIN schemes ON schemes.id = feedback.scheme_id
"""
_FEEDBACK = """\
SELECT feedback_id::text, created_at, citizen_id, feedback_type, rating, comment, scheme_code
FROM public.feedback_analytics
"""


def lost_visits(warehouse: Connection, portal: Connection) -> list[str]:
    """Days of citizens that are not counted as they were."""
    records = owners(warehouse)
    said: dict[object, Row] = {
        (records.get(number), event_type, day): tuple(counted)
        for number, event_type, day, *counted in rows(portal, _HAPPENED)
    }
    there: dict[object, Row] = {row[:3]: row[3:] for row in rows(warehouse, _COUNTED)}
    return compared("user_behavior", said, there)


def lost_feedback(warehouse: Connection, portal: Connection) -> list[str]:
    records = owners(warehouse)
    said: dict[object, Row] = {
        each: (created_at, records.get(number), *rest)
        for each, number, created_at, *rest in rows(portal, _COMMENTS)
    }
    there: dict[object, Row] = {row[0]: row[1:] for row in rows(warehouse, _FEEDBACK)}
    return compared("feedback_analytics", said, there)
