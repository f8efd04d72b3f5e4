"""Citizens and what they apply for: the portal's statements, and the warehouse's about them."""

from __future__ import annotations

from collections.abc import Sequence

from tests.integration.machine.people import CITIZENS, FAMILIES, PortalApplication, at
from tests.integration.machine.sessions import Sessions

APPLICATIONS = tuple(f"00000000-0000-4000-b000-00000000000{place}" for place in (1, 2, 3))
FEEDBACK = tuple(f"00000000-0000-4000-9000-00000000000{place}" for place in (1, 2, 3))
ALERTS = tuple(f"20000000-0000-4000-8000-00000000000{place}" for place in (1, 2, 3))
# Each alert is of a use case of its own.
ALERT_TABLES = ("beneficiary_detection_alerts", "proactive_inclusion_alerts", "predictive_alerts")
ALERT_KEYS = tuple(
    f"AI-PLATFORM-{use_case}:{alert}"
    for use_case, alert in zip(("07", "09", "14"), ALERTS, strict=True)
)

A_SCHEME = """\
INSERT INTO schemes (id, code, status)
VALUES ('30000000-0000-4000-8000-000000000001', 'RJ-1', 'ACTIVE')
"""
_NOW = "'2025-01-01Z'::timestamptz + make_interval(secs => %(number)s)"
_APPLY = f"""\
INSERT INTO service_applications (id, citizen_id, scheme_id, status, created_at, updated_at)
SELECT
    wanted.id::uuid, applicant.id, '30000000-0000-4000-8000-000000000001', 'draft', {_NOW}, {_NOW}
FROM unnest(%(ids)s, %(applicants)s) AS wanted (id, applicant)
JOIN citizens AS applicant ON applicant.id = wanted.applicant::uuid
WHERE NOT EXISTS (SELECT FROM witness.transition WHERE transition.application = wanted.id::uuid)
ON CONFLICT DO NOTHING
"""
# An application that has ended goes on only when all of its times are known.
# `timed` says whether the statement sets the time that goes with the status; another one may.
_BECOME = f"""\
UPDATE service_applications
SET
    status = %(status)s,
    submitted_at = CASE
        WHEN %(status)s = 'submitted' AND %(timed)s THEN {_NOW} ELSE submitted_at
    END,
    approved_at = CASE
        WHEN %(status)s = 'approved' AND %(timed)s THEN {_NOW} ELSE approved_at
    END,
    updated_at = {_NOW}
WHERE id = ANY (%(ids)s::uuid[])
    AND (
        status IN ('draft', 'submitted', 'under_review')
        OR (submitted_at IS NOT NULL AND (status <> 'approved' OR approved_at IS NOT NULL))
    )
"""
_TIME = f"""\
UPDATE service_applications
SET
    submitted_at = CASE
        WHEN status <> 'draft' THEN coalesce(submitted_at, {_NOW}) ELSE submitted_at
    END,
    approved_at = CASE
        WHEN status = 'approved' THEN coalesce(approved_at, {_NOW}) ELSE approved_at
    END
WHERE id = ANY (%(ids)s::uuid[])
"""
_DELETE = "DELETE FROM service_applications WHERE id = ANY (%(ids)s::uuid[])"
_COMMENT = f"""\
INSERT INTO feedback (id, citizen_id, feedback_type, rating, created_at)
SELECT wanted.id::uuid, author.id, 'praise', 5, {_NOW}
FROM unnest(%(ids)s, %(authors)s) AS wanted (id, author)
JOIN citizens AS author ON author.id = wanted.author::uuid
ON CONFLICT DO NOTHING
"""
_DECIDE = f"""\
INSERT INTO decision.applications (application_id, decision, reasons, decision_timestamp)
SELECT id::uuid, 'MANUAL_REVIEW', jsonb_build_array(%(number)s), {_NOW}
FROM unnest(%(ids)s) AS wanted (id)
ON CONFLICT (application_id) DO UPDATE SET
    reasons = EXCLUDED.reasons,
    decision_timestamp = EXCLUDED.decision_timestamp
"""
_ALERT = f"""\
INSERT INTO ai.{{table}} (alert_id, family_id, alert_type, severity, message, created_at)
VALUES (
    %(alert)s, %(family)s, 'ELIGIBLE_UNENROLLED', 'HIGH', lpad(%(number)s::text, 6, '0'), {_NOW}
)
ON CONFLICT (alert_id) DO UPDATE SET message = EXCLUDED.message
"""


class Portal(PortalApplication):
    """An application, and a comment, of the citizen at the same place."""

    def apply(self, session: str, places: Sequence[int]) -> None:
        self.write(session, _APPLY, ids=at(APPLICATIONS, places), applicants=at(CITIZENS, places))

    def become(self, session: str, places: Sequence[int], status: str, *, timed: bool) -> None:
        """A transition, with the time that belongs to it or without."""
        ids = at(APPLICATIONS, places)
        self.write(session, _BECOME, ids=ids, status=status, timed=timed)

    def time(self, session: str, places: Sequence[int]) -> None:
        """Set the times that are missing."""
        self.write(session, _TIME, ids=at(APPLICATIONS, places))

    def delete(self, session: str, places: Sequence[int]) -> None:
        """Not an application for which the portal holds a decision."""
        self.write(session, _DELETE, ids=at(APPLICATIONS, places))

    def comment(self, session: str, places: Sequence[int]) -> None:
        self.write(session, _COMMENT, ids=at(FEEDBACK, places), authors=at(CITIZENS, places))


class Warehouse(Sessions):
    """What the models decide about applications, and alert families to."""

    def decide(self, session: str, places: Sequence[int]) -> None:
        self.write(session, _DECIDE, ids=at(APPLICATIONS, places))

    def alert(self, session: str, places: Sequence[int]) -> None:
        place = places[0]
        said = {"alert": ALERTS[place], "family": FAMILIES[place]}
        self.write(session, _ALERT.format(table=ALERT_TABLES[place]), **said)
