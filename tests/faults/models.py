"""The warehouse's models at work: they profile, evaluate, forecast, decide and alert.

What they write carries a version that only grows, or a time that does.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from uuid import UUID, uuid5

from psycopg2.extensions import cursor as Cursor

from tests.acceptance.traffic import Writers
from tests.faults.applicants import APPLICATIONS, PASSING, SCHEMES, TURN, application_id
from tests.faults.portal import FAMILIES, family_id

PROFILES, FORECASTS, ALERTS = 40, 12, 12
EVALUATED_FAMILIES = 8
TABLES = ("beneficiary_detection_alerts", "proactive_inclusion_alerts", "predictive_alerts")
_SPACE = UUID("7e1d2a50-6c1f-4d61-8c39-6a2f0d9b4c03")

_PROFILE = """\
INSERT INTO profile_360 (
    gr_id, vulnerability_level, under_coverage_indicator, inferred_income_band, cluster_id,
    model_version, updated_at
)
VALUES (%(key)s, 'HIGH', %(covered)s, 'BELOW_1L', %(version)s, %(version)s, clock_timestamp())
ON CONFLICT (gr_id) DO UPDATE SET
    under_coverage_indicator = EXCLUDED.under_coverage_indicator,
    cluster_id = EXCLUDED.cluster_id,
    updated_at = EXCLUDED.updated_at
"""
_LEARN = "UPDATE profile_360 SET age_encoded = random(), model_version = %(version)s"
_ERASE = "DELETE FROM profile_360 WHERE gr_id = %(key)s"
_EVALUATE = """\
INSERT INTO eligibility.eligibility_snapshots (
    family_id, scheme_code, evaluation_status, eligibility_score, confidence_score, explanation,
    evaluation_timestamp
)
SELECT
    %(family)s, scheme, status, score, 0.875, %(version)s, clock_timestamp()
FROM unnest(%(schemes)s, %(statuses)s, %(scores)s) AS chosen (scheme, status, score)
"""
_FORECAST = """\
INSERT INTO forecast.benefit_forecasts (
    forecast_id, family_id, horizon_months, total_annual_value, scheme_count, projections,
    generated_at
)
VALUES (
    %(key)s, %(family)s, 12, %(value)s, 3, jsonb_build_object('version', %(version)s),
    clock_timestamp()
)
ON CONFLICT (forecast_id) DO UPDATE SET
    total_annual_value = EXCLUDED.total_annual_value,
    projections = EXCLUDED.projections,
    generated_at = EXCLUDED.generated_at
"""
_DECIDE = """\
INSERT INTO decision.applications (
    application_id, decision, risk_score, confidence, reasons, decision_timestamp
)
VALUES (
    %(key)s, %(decision)s, %(score)s, 0.5, jsonb_build_array(%(version)s), clock_timestamp()
)
ON CONFLICT (application_id) DO UPDATE SET
    decision = EXCLUDED.decision,
    risk_score = EXCLUDED.risk_score,
    reasons = EXCLUDED.reasons,
    decision_timestamp = EXCLUDED.decision_timestamp
"""
_ALERT = """\
INSERT INTO ai.{table} (
    alert_id, family_id, alert_type, severity, message, action_url, created_at
)
VALUES (
    %(key)s, %(family)s, 'ELIGIBLE_UNENROLLED', %(severity)s, %(version)s, '/schemes',
    clock_timestamp()
)
ON CONFLICT (alert_id) DO UPDATE SET severity = EXCLUDED.severity, message = EXCLUDED.message
"""


class Models(Writers):
    """One session; each statement is of one of the models."""

    def write(self, cursor: Cursor, draw: random.Random, number: int, version: int) -> None:
        draw.choices(_MODELS, _WEIGHTS)[0](cursor, draw, version)


def _profile(cursor: Cursor, draw: random.Random, version: int) -> None:
    """Most of what is learned concerns nobody's summary."""
    values = {
        "key": f"GR-P-{draw.randrange(PROFILES):05}",
        "covered": draw.random() < 0.5,
        "version": _said(version),
    }
    cursor.execute(draw.choices((_PROFILE, _LEARN, _ERASE), (6, 2, 1))[0], values)


def _evaluate(cursor: Cursor, draw: random.Random, version: int) -> None:
    """Some schemes for one family, among which the best five change all the time."""
    schemes = draw.sample(SCHEMES, draw.randint(1, 4))
    statuses = ("RULE_ELIGIBLE", "POSSIBLE_ELIGIBLE", "NOT_ELIGIBLE")
    values = {
        "family": family_id(draw.randrange(EVALUATED_FAMILIES)),
        "schemes": schemes,
        "statuses": draw.choices(statuses, (5, 3, 1), k=len(schemes)),
        # So close to each other that some are equal once they are rounded.
        "scores": [round(SCHEMES.index(each) / 100 + draw.uniform(0, 0.03), 4) for each in schemes],
        "version": _said(version),
    }
    cursor.execute(_EVALUATE, values)


def _forecast(cursor: Cursor, draw: random.Random, version: int) -> None:
    forecast = draw.randrange(FORECASTS)
    values = {
        "key": str(uuid5(_SPACE, f"forecast {forecast}")),
        "family": family_id(forecast),
        "value": round(draw.uniform(0, 90_000), 2),
        "version": _said(version),
    }
    cursor.execute(_FORECAST, values)


def _decide(cursor: Cursor, draw: random.Random, version: int) -> None:
    """The portal may not have it yet: it is about as far as we are."""
    turn = max(0, version // TURN - draw.randrange(3))
    values = {
        "key": application_id(0, turn, draw.randrange(PASSING, APPLICATIONS)),
        "decision": draw.choice(("AUTO_APPROVED", "ROUTE_TO_OFFICER", "MANUAL_REVIEW")),
        "score": round(draw.random(), 4),
        "version": _said(version),
    }
    cursor.execute(_DECIDE, values)


def _alert(cursor: Cursor, draw: random.Random, version: int) -> None:
    table, alert = draw.choice(TABLES), draw.randrange(ALERTS)
    values = {
        "key": str(uuid5(_SPACE, f"{table} {alert}")),
        # An alert stays with its family.
        "family": family_id(alert % FAMILIES),
        "severity": draw.choice(("LOW", "MEDIUM", "HIGH", "CRITICAL")),
        "version": _said(version),
    }
    cursor.execute(_ALERT.format(table=table), values)


def _said(version: int) -> str:
    return f"v{version:09}"


_MODELS: tuple[Callable[[Cursor, random.Random, int], None], ...] = (
    _profile,
    _evaluate,
    _forecast,
    _decide,
    _alert,
)
_WEIGHTS = (4, 3, 2, 2, 2)
