"""What the portal must hold of the warehouse's hints, decisions and alerts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import groupby

from synctasks.demo.expected.expectation import Expectation, Letters
from synctasks.demo.expected.known import Known
from synctasks.demo.streams import Row, moment, stream
from synctasks.flow import Database

_EVALUATIONS = """\
SELECT
    family_id,
    scheme_code,
    evaluation_status,
    eligibility_score::text,
    confidence_score::text,
    explanation,
    evaluation_timestamp::text,
    lpad(snapshot_id::text, 20, '0')
FROM eligibility.eligibility_snapshots
WHERE family_id IS NOT NULL
ORDER BY family_id
"""
_MOST_HINTS = 5
_HINT_DAYS = 30

_DECISIONS = """\
SELECT
    application_id::text,
    decision,
    risk_score::text,
    confidence::text,
    decision_timestamp::text,
    reasons::text
FROM decision.applications
"""
_APPLICATIONS = "SELECT id::text FROM public.service_applications"

_ALERTS = {
    "AI-PLATFORM-07": "ai.beneficiary_detection_alerts",
    "AI-PLATFORM-09": "ai.proactive_inclusion_alerts",
    "AI-PLATFORM-14": "ai.predictive_alerts",
}
_ALERT = """\
SELECT
    alert_id::text,
    family_id,
    alert_type,
    severity,
    message,
    action_url,
    created_at::text
FROM {table}
"""


def hints(known: Known, letters: Letters) -> Expectation:
    """Of each family's latest evaluations the five best of the last 30 days."""
    codes = frozenset(known.code_of.values())
    since = moment(str(datetime.now(UTC) - timedelta(days=_HINT_DAYS)))

    def rows() -> Iterator[Row]:
        with stream(Database.WAREHOUSE, _EVALUATIONS) as evaluations:
            for family, of_family in groupby(evaluations, key=lambda row: str(row[0])):
                if family not in letters.units:
                    yield from map(_hint, _best(of_family, codes, since))

    return Expectation(rows(), letters.units)


def _best(evaluations: Iterable[Row], codes: frozenset[str], since: str) -> list[Row]:
    """The latest of each scheme; of those the best, the later among equals, then by code."""
    latest: dict[str, Row] = {}
    for each in sorted(evaluations, key=lambda row: (moment(row[6]), str(row[7]))):
        latest[str(each[1])] = each
    eligible = [
        each
        for code, each in sorted(latest.items())
        if each[2] in ("RULE_ELIGIBLE", "POSSIBLE_ELIGIBLE")
        and moment(each[6]) >= since
        and code in codes
    ]
    eligible.sort(key=lambda row: moment(row[6]), reverse=True)
    eligible.sort(key=lambda row: Decimal(str(row[3])), reverse=True)
    return eligible[:_MOST_HINTS]


def _hint(row: Row) -> Row:
    family, code, status, score, confidence, explanation, time, _ = row
    return (
        family,
        code,
        status,
        _rounded(score),
        _rounded(confidence),
        explanation and explanation[:500],
        time,
    )


def _rounded(value: str | None) -> str | None:
    return value and str(Decimal(value).quantize(Decimal("0.01"), ROUND_HALF_UP))


def decisions(known: Known, letters: Letters) -> Expectation:
    """Those about applications that the portal has."""
    with stream(Database.CITIZEN, _APPLICATIONS) as found:
        applications = frozenset(application for (application,) in found)

    def rows() -> Iterator[Row]:
        with stream(Database.WAREHOUSE, _DECISIONS) as decided:
            for row in decided:
                if row[0] in applications and row[0] not in letters.units:
                    yield row

    return Expectation(rows(), letters.units)


def alerts(known: Known, letters: Letters) -> Expectation:
    """Those to families of which somebody is verified, each to the family's citizen."""

    def rows() -> Iterator[Row]:
        for use_case, table in _ALERTS.items():
            with stream(Database.WAREHOUSE, _ALERT.format(table=table)) as raised:
                for alert, family, *told in raised:
                    citizen = known.head_of.get(str(family))
                    if citizen is not None and f"{use_case}:{alert}" not in letters.units:
                        yield alert, citizen, *told

    return Expectation(rows())
