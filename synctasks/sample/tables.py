"""The tables that are filled, in an order that keeps their references."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from synctasks.sample import citizen as citizen_rows
from synctasks.sample import warehouse as warehouse_rows
from synctasks.sample.copying import Row
from synctasks.sample.plan import Plan
from synctasks.sample.schemes import scheme_master, schemes


class Table(NamedTuple):
    """A table, the columns that are filled, and what makes the clean rows."""

    name: str
    columns: tuple[str, ...]
    rows: Callable[[Plan], Iterator[Row]]


def _table(name: str, columns: str, rows: Callable[[Plan], Iterator[Row]]) -> Table:
    return Table(name, tuple(columns.split()), rows)


_ALERT_COLUMNS = "alert_id family_id alert_type severity message action_url created_at"

WAREHOUSE = (
    _table(
        "eligibility.scheme_master",
        "scheme_id scheme_code scheme_name description category department_name"
        " eligibility_criteria_json benefits_json documents_required_json status updated_at",
        scheme_master,
    ),
    _table("public.districts", "district_id district_name", warehouse_rows.districts),
    _table(
        "public.golden_records",
        "gr_id family_id jan_aadhaar full_name date_of_birth gender district_id city_village"
        " pincode mobile_number email review_status updated_by created_at updated_at",
        warehouse_rows.golden_records,
    ),
    _table(
        "public.profile_360",
        "gr_id vulnerability_level under_coverage_indicator inferred_income_band cluster_id"
        " age_encoded gender_encoded risk_features profile_data model_version updated_at",
        warehouse_rows.profile_360,
    ),
    _table(
        "eligibility.eligibility_snapshots",
        "family_id scheme_code evaluation_status eligibility_score confidence_score explanation"
        " evaluation_timestamp",
        warehouse_rows.eligibility_snapshots,
    ),
    _table(
        "forecast.benefit_forecasts",
        "forecast_id family_id horizon_months total_annual_value scheme_count projections"
        " generated_at",
        warehouse_rows.benefit_forecasts,
    ),
    _table(
        "decision.applications",
        "application_id decision risk_score confidence reasons decision_timestamp",
        warehouse_rows.decisions,
    ),
    _table(
        "ai.beneficiary_detection_alerts",
        _ALERT_COLUMNS,
        warehouse_rows.beneficiary_detection_alerts,
    ),
    _table(
        "ai.proactive_inclusion_alerts", _ALERT_COLUMNS, warehouse_rows.proactive_inclusion_alerts
    ),
    _table("ai.predictive_alerts", _ALERT_COLUMNS, warehouse_rows.predictive_alerts),
)

CITIZEN = (
    _table(
        "schemes",
        "id code name description category department eligibility_criteria benefits"
        " documents_required status last_updated",
        schemes,
    ),
    _table(
        "citizens",
        "id aadhaar_number family_id is_family_head full_name date_of_birth gender mobile_number"
        " email city district pincode verification_status created_at updated_at",
        citizen_rows.citizens,
    ),
    _table(
        "service_applications",
        "id citizen_id scheme_id status submitted_at approved_at created_at updated_at",
        citizen_rows.service_applications,
    ),
    _table(
        "documents",
        "id citizen_id document_type file_name file_size storage_key uploaded_at"
        " verification_status",
        citizen_rows.documents,
    ),
    _table(
        "feedback",
        "id citizen_id feedback_type rating comment scheme_id created_at",
        citizen_rows.feedback,
    ),
    _table("page_views", "citizen_id path duration_seconds occurred_at", citizen_rows.page_views),
    _table("scheme_clicks", "citizen_id scheme_id occurred_at", citizen_rows.scheme_clicks),
    _table(
        "eligibility_checks",
        "citizen_id scheme_id duration_seconds occurred_at",
        citizen_rows.eligibility_checks,
    ),
    _table("search_queries", "citizen_id query occurred_at", citizen_rows.search_queries),
)
