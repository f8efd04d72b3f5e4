"""What the warehouse's models say, row by row: summaries, forecasts, decisions, alerts."""

from __future__ import annotations

from tests.faults.compared import compared, keyed
from tests.rows import Connection

_PROFILES = """\
SELECT gr_id, cluster_id, vulnerability_level, under_coverage_indicator, 'CONFIDENTIAL'
FROM profile_360
"""
_SUMMARIES = """\
SELECT family_id, region, vulnerability, under_coverage, income_category
FROM public.profile_summary
"""
_FORECASTS = """\
SELECT
    forecast_id::text, projections ->> 'version', family_id, total_annual_value, scheme_count,
    horizon_months, generated_at
FROM {schema}.benefit_forecasts
"""
_DECIDED = """\
SELECT
    application_id::text, reasons ->> 0, decision, risk_score, confidence, decision_timestamp
FROM decision.applications
"""
_DECISIONS = """\
SELECT
    application_id::text, decision_reasons ->> 0, decision_status, risk_score, confidence,
    decision_date
FROM public.application_decisions
"""
_RAISED = "\nUNION ALL\n".join(
    f"SELECT alert_id::text, message, severity, action_url, created_at, family_id FROM ai.{table}"
    for table in (
        "beneficiary_detection_alerts",
        "proactive_inclusion_alerts",
        "predictive_alerts",
    )
)
_ALERTS = """\
SELECT
    alert_id::text, message, severity, action_url, alerts.created_at, citizens.family_id
FROM public.ml_alerts AS alerts
LEFT JOIN citizens ON citizens.id = alerts.citizen_id
"""


def lost_summaries(warehouse: Connection, portal: Connection) -> list[str]:
    return compared("profile_summary", keyed(warehouse, _PROFILES), keyed(portal, _SUMMARIES))


def lost_forecasts(warehouse: Connection, portal: Connection) -> list[str]:
    said = keyed(warehouse, _FORECASTS.format(schema="forecast"))
    return compared("benefit_forecasts", said, keyed(portal, _FORECASTS.format(schema="public")))


def lost_decisions(warehouse: Connection, portal: Connection) -> list[str]:
    return compared("application_decisions", keyed(warehouse, _DECIDED), keyed(portal, _DECISIONS))


def lost_alerts(warehouse: Connection, portal: Connection) -> list[str]:
    """An alert is somebody's of its family: whose, is settled by who was there first."""
    return compared("ml_alerts", keyed(warehouse, _RAISED), keyed(portal, _ALERTS))
