"""The warehouse's sources as tables to try their contracts on."""

from __future__ import annotations

from functools import partial

from synctasks.contracts import Choice
from synctasks.flows.to_citizen.application_decisions import APPLICATION_DECISIONS
from synctasks.flows.to_citizen.benefit_forecasts import BENEFIT_FORECASTS
from synctasks.flows.to_citizen.eligibility_hints import ELIGIBILITY_HINTS
from synctasks.flows.to_citizen.ml_alerts import ML_ALERTS
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.flows.to_citizen.profile_summary import PROFILE_SUMMARY
from synctasks.flows.to_citizen.schemes import SCHEMES
from tests import contract_cases as field_cases
from tests import contract_numbers as numbers
from tests import contract_values as values
from tests.contract_case import cases
from tests.contract_table import OPTIONAL, REQUIRED, Table

FAMILY = values.CANONICAL
MOMENT = "2025-06-01 12:00:00+00"

RECORDS = Table(
    PROFILE_DATA,
    "gr_id",
    {
        "family_id": FAMILY,
        "jan_aadhaar": "123456781234",
        "full_name": "Asha Devi",
        "date_of_birth": "1980-02-03",
        "gender": "F",
        "district_id": "8",
        "created_at": None,
        "updated_at": MOMENT,
    },
    {
        "gr_id": field_cases.KEY[0],
        "family_id": field_cases.UUID_TEXT[OPTIONAL],
        "jan_aadhaar": field_cases.AADHAAR[OPTIONAL],
        "full_name": field_cases.TEXT[REQUIRED],
        "date_of_birth": numbers.DATE[OPTIONAL],
        "gender": field_cases.CHOICE[OPTIONAL],
        "district_id": numbers.INTEGER[OPTIONAL],
        "created_at": numbers.TIMESTAMP[OPTIONAL],
        "updated_at": numbers.TIMESTAMP[REQUIRED],
    },
    ruled=frozenset({"district_id", "gender"}),
)
CATALOGUE = Table(
    SCHEMES,
    "scheme_id",
    {
        "scheme_code": "PENSION",
        "scheme_name": "Old age pension",
        "category": "pension",
        "eligibility_criteria_json": '{"age": {"least": 60}}',
        "benefits_json": "[]",
        "documents_required_json": None,
        "updated_at": MOMENT,
    },
    {
        "scheme_code": field_cases.KEY[0],
        "scheme_name": field_cases.TEXT[REQUIRED],
        "category": field_cases.WORD[OPTIONAL],
        "eligibility_criteria_json": field_cases.JSON[OPTIONAL],
        "benefits_json": field_cases.JSON[OPTIONAL],
        "documents_required_json": field_cases.JSON[OPTIONAL],
        "updated_at": numbers.TIMESTAMP[REQUIRED],
    },
    {"scheme_code": "CODE {}"},
)
PROFILES = Table(
    PROFILE_SUMMARY,
    "gr_id",
    {"vulnerability_level": "HIGH"},
    {"gr_id": field_cases.KEY[0], "vulnerability_level": field_cases.WORD[REQUIRED]},
)
EVALUATIONS = Table(
    ELIGIBILITY_HINTS,
    "family_id",
    {
        "scheme_code": "PENSION",
        "eligibility_score": "0.875",
        "confidence_score": "0.5",
        "evaluation_timestamp": MOMENT,
    },
    {
        "family_id": field_cases.UUID_TEXT[REQUIRED],
        "scheme_code": field_cases.TEXT[REQUIRED],
        "eligibility_score": numbers.SHARE[REQUIRED],
        "confidence_score": numbers.SHARE[OPTIONAL],
        "evaluation_timestamp": numbers.TIMESTAMP[REQUIRED],
    },
)
FORECASTS = Table(
    BENEFIT_FORECASTS,
    "forecast_id",
    {
        "family_id": FAMILY,
        "horizon_months": "12",
        "total_annual_value": "24000.50",
        "scheme_count": "3",
        "generated_at": MOMENT,
    },
    {
        "family_id": field_cases.UUID_TEXT[REQUIRED],
        "horizon_months": numbers.MONTHS[REQUIRED],
        "total_annual_value": numbers.MONEY[REQUIRED],
        "scheme_count": numbers.COUNT[REQUIRED],
        "generated_at": numbers.TIMESTAMP[REQUIRED],
    },
)
_DECISIONS = ("AUTO_APPROVED", "AUTO_REJECTED", "ROUTE_TO_OFFICER", "MANUAL_REVIEW")
DECISIONS = Table(
    APPLICATION_DECISIONS,
    "application_id",
    {
        "decision": "AUTO_APPROVED",
        "risk_score": "0.1",
        "confidence": "0.9",
        "reasons": '["income"]',
        "decision_timestamp": MOMENT,
    },
    {
        "decision": cases(
            partial(Choice, *_DECISIONS),
            "text",
            good=_DECISIONS,
            bad=["APPROVED", "auto_approved", "AUTO_APPROVED ", "AUTO_APPROVED\n"],
            more=values.choice_texts,
            blank=False,
        )[REQUIRED],
        "risk_score": numbers.SHARE[OPTIONAL],
        "confidence": numbers.SHARE[OPTIONAL],
        "reasons": field_cases.JSON_ARRAY[OPTIONAL],
        "decision_timestamp": numbers.TIMESTAMP[REQUIRED],
    },
)
_SEVERITIES = ("LOW", "MEDIUM", "HIGH", "CRITICAL")
ALERTS = Table(
    ML_ALERTS,
    "alert",
    {
        "alert_id": values.CANONICAL,
        "family_id": FAMILY,
        "alert_type": "benefit_gap",
        "severity": "HIGH",
        "message": "Apply for the widow pension",
        "action_url": "/apply",
        "created_at": MOMENT,
    },
    {
        "alert": field_cases.KEY[0],
        "alert_id": field_cases.UUID[REQUIRED],
        "family_id": field_cases.UUID_TEXT[REQUIRED],
        "alert_type": field_cases.WORD[REQUIRED],
        "severity": cases(
            partial(Choice, *_SEVERITIES),
            "text",
            good=_SEVERITIES,
            bad=["high", "HIGH ", "URGENT", "LOW\n"],
            more=values.choice_texts,
            blank=False,
        )[REQUIRED],
        "message": field_cases.TEXT[REQUIRED],
        "action_url": field_cases.LINK[OPTIONAL],
        "created_at": numbers.TIMESTAMP[REQUIRED],
    },
)
FROM_WAREHOUSE = [RECORDS, CATALOGUE, PROFILES, EVALUATIONS, FORECASTS, DECISIONS, ALERTS]
