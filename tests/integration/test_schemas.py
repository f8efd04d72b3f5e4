"""The DDL creates exactly the tables of the contract between the two databases."""

import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg2
import pytest
from psycopg2 import sql

from synctasks.schemas import ddl

# One line a table: columns in order, "name type", then what the column is:
# pk, uq (unique), nn (not null, beside the primary key), id (identity), > table (foreign key).
ALERTS = (
    "alert_id uuid pk · family_id text · alert_type text · severity text · message text"
    " · action_url text · created_at timestamptz"
)
FORECASTS = (
    "forecast_id uuid pk · family_id text · horizon_months int · total_annual_value numeric(14,2)"
    " · scheme_count int · projections jsonb · generated_at timestamptz"
)
TABLES = {
    "warehouse": {
        "eligibility.scheme_master": "scheme_id uuid pk · scheme_code text uq · scheme_name text"
        " · description text · category text · department_name text"
        " · eligibility_criteria_json jsonb · benefits_json jsonb"
        " · documents_required_json jsonb · status text · updated_at timestamptz",
        "public.districts": "district_id int pk · district_name text nn uq",
        "public.golden_records": "gr_id text pk · family_id text · jan_aadhaar text"
        " · full_name text · date_of_birth date · gender text · district_id int"
        " · city_village text · pincode text · mobile_number text · email text"
        " · review_status text · updated_by text · created_at timestamptz"
        " · updated_at timestamptz",
        "public.profile_360": "gr_id text pk · vulnerability_level text"
        " · under_coverage_indicator boolean · inferred_income_band text · cluster_id text"
        " · age_encoded real · gender_encoded real · risk_features jsonb · profile_data jsonb"
        " · model_version text · updated_at timestamptz",
        "eligibility.eligibility_snapshots": "snapshot_id bigint id pk · family_id text"
        " · scheme_code text · evaluation_status text · eligibility_score numeric"
        " · confidence_score numeric · explanation text · evaluation_timestamp timestamptz",
        "forecast.benefit_forecasts": FORECASTS,
        "decision.applications": "application_id uuid pk · decision text · risk_score numeric"
        " · confidence numeric · reasons jsonb · decision_timestamp timestamptz",
        "ai.beneficiary_detection_alerts": ALERTS,
        "ai.proactive_inclusion_alerts": ALERTS,
        "ai.predictive_alerts": ALERTS,
        "decision.application_events": "application_id uuid pk · event_type text pk"
        " · citizen_id text · scheme_code text · event_timestamp timestamptz pk"
        " · approval_timestamp timestamptz",
        "public.document_metadata": "document_id uuid pk · citizen_id text · document_type text"
        " · file_name text · file_size bigint · uploaded_at timestamptz"
        " · verification_status text",
        "analytics.user_behavior": "citizen_id text pk · event_type text pk · event_date date pk"
        " · event_count bigint · total_duration_seconds numeric · first_event_at timestamptz"
        " · last_event_at timestamptz",
        "public.feedback_analytics": "feedback_id uuid pk · citizen_id text · feedback_type text"
        " · rating int · comment text · scheme_code text · created_at timestamptz",
    },
    "citizen": {
        "public.schemes": "id uuid pk · code text nn uq · name text · description text"
        " · category text · department text · eligibility_criteria jsonb · benefits jsonb"
        " · documents_required jsonb · status text · last_updated timestamptz",
        "public.profile_data": "record_id text pk · family_id text · jan_aadhaar text"
        " · full_name text · date_of_birth date · gender text · district_id int · city text"
        " · mobile_number text · email text",
        "public.profile_summary": "family_id text pk · vulnerability text"
        " · under_coverage boolean · income_category text · region text",
        "public.eligibility_hints": "family_id text pk · scheme_code text pk"
        " · eligibility_status text · eligibility_score numeric(5,2) · confidence numeric(5,2)"
        " · explanation varchar(500) · updated_at timestamptz",
        "public.benefit_forecasts": FORECASTS,
        "public.citizens": "id uuid pk · aadhaar_number text uq · family_id text"
        " · is_family_head boolean · full_name text · date_of_birth date · gender text"
        " · mobile_number text · email text · city text · district text · pincode text"
        " · verification_status text · created_at timestamptz · updated_at timestamptz",
        "public.service_applications": "id uuid pk · citizen_id uuid > citizens"
        " · scheme_id uuid > schemes · status text · submitted_at timestamptz"
        " · approved_at timestamptz · created_at timestamptz · updated_at timestamptz",
        "public.application_decisions": "application_id uuid pk > service_applications"
        " · decision_status text · risk_score numeric · confidence numeric"
        " · decision_date timestamptz · decision_reasons jsonb",
        "public.ml_alerts": "alert_id uuid pk · citizen_id uuid > citizens · alert_type text"
        " · severity text · message text · action_url text · created_at timestamptz",
        "public.documents": "id uuid pk · citizen_id uuid > citizens · document_type text"
        " · file_name text · file_size bigint · storage_key text · uploaded_at timestamptz"
        " · verification_status text",
        "public.feedback": "id uuid pk · citizen_id uuid > citizens · feedback_type text"
        " · rating int · comment text · scheme_id uuid > schemes · created_at timestamptz",
        "public.page_views": "id bigint id pk · citizen_id uuid · path text"
        " · duration_seconds numeric · occurred_at timestamptz",
        "public.scheme_clicks": "id bigint id pk · citizen_id uuid · scheme_id uuid"
        " · occurred_at timestamptz",
        "public.eligibility_checks": "id bigint id pk · citizen_id uuid · scheme_id uuid"
        " · duration_seconds numeric · occurred_at timestamptz",
        "public.search_queries": "id bigint id pk · citizen_id uuid · query text"
        " · occurred_at timestamptz",
    },
}
# Beside those of primary keys and uniques.
INDEXES = {
    "warehouse": {
        ("public.golden_records", "(jan_aadhaar)"),
        (
            "eligibility.eligibility_snapshots",
            "(family_id, scheme_code, evaluation_timestamp)",
        ),
    },
    "citizen": set(),
}
SHORT_TYPES = {
    "timestamp with time zone": "timestamptz",
    "integer": "int",
    "character varying(500)": "varchar(500)",
}

SELECT_COLUMNS = """
SELECT c.relnamespace::regnamespace || '.' || c.relname, a.attname,
       format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity <> ''
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
  AND c.relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema')
ORDER BY 1, a.attnum
"""
SELECT_CONSTRAINTS = """
SELECT c.relnamespace::regnamespace || '.' || c.relname, a.attname, n.contype,
       array_length(n.conkey, 1), r.relname
FROM pg_constraint n
JOIN pg_class c ON c.oid = n.conrelid
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (n.conkey)
LEFT JOIN pg_class r ON r.oid = n.confrelid
WHERE n.contype <> 'n' AND c.relnamespace <> 'pg_catalog'::regnamespace
  AND c.relnamespace <> 'information_schema'::regnamespace
"""
SELECT_INDEXES = """
SELECT schemaname || '.' || tablename, substring(indexdef from '\\(.*')
FROM pg_indexes i
WHERE schemaname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND NOT EXISTS (SELECT FROM pg_constraint n JOIN pg_class x ON x.oid = n.conindid
                  WHERE x.relname = i.indexname AND x.relnamespace::regnamespace::text = schemaname)
"""


@contextmanager
def fresh_database(url: str) -> Iterator[Any]:
    """A connection to an empty database of the same server, dropped at the end."""
    name = sql.Identifier(f"schemas_{secrets.token_hex(6)}")
    with closing(psycopg2.connect(url)) as server:
        server.autocommit = True
        server.cursor().execute(sql.SQL("CREATE DATABASE {}").format(name))
        try:
            with closing(psycopg2.connect(url, dbname=name.string)) as connection:
                yield connection
        finally:
            server.cursor().execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def described(cursor: Any) -> dict[str, str]:
    """The tables of the database in the words of ``TABLES``."""
    cursor.execute(SELECT_CONSTRAINTS)
    marks: dict[tuple[str, str], list[str]] = {}
    for table, column, kind, width, referred in cursor.fetchall():
        mark = {"p": "pk", "f": f"> {referred}", "u": "uq" if width == 1 else "uq?"}[kind]
        marks.setdefault((table, column), []).append(mark)
    cursor.execute(SELECT_COLUMNS)
    tables: dict[str, list[str]] = {}
    for table, column, type_, not_null, identity in cursor.fetchall():
        own = sorted(marks.get((table, column), []), key=lambda mark: "pu>".index(mark[0]))
        words = [column, SHORT_TYPES.get(type_, type_), *(["id"] if identity else [])]
        words += ["nn"] if not_null and "pk" not in own else []
        tables.setdefault(table, []).append(" ".join(words + own))
    return {table: " · ".join(columns) for table, columns in tables.items()}


@pytest.mark.parametrize("database", ["warehouse", "citizen"])
def test_ddl_creates_exactly_the_tables_of_the_contract_and_repeats(
    database: str, warehouse_url: str
) -> None:
    with fresh_database(warehouse_url) as connection, connection.cursor() as cursor:
        cursor.execute(ddl(database))
        cursor.execute(ddl(database))
        assert described(cursor) == TABLES[database]
        cursor.execute(SELECT_INDEXES)
        assert set(cursor.fetchall()) == INDEXES[database]


def test_an_unknown_database_is_refused() -> None:
    with pytest.raises(ValueError, match="no such database: 'mars'"):
        ddl("mars")
