"""Specification 1.1: the schemes that citizens may apply for, unmasked, replaced as a whole."""

from datetime import timedelta

from synctasks.contracts import Contract, Json, Key, Text, Timestamp, Uuid, Word
from synctasks.flow import (
    Absent,
    Column,
    Condition,
    Database,
    Deactivation,
    Flow,
    Schedule,
    Source,
    Stale,
    Target,
    Time,
    Wake,
)


class Scheme(Contract):
    """The three JSON columns hold an object or an array."""

    scheme_id = Uuid(required=True)
    scheme_code = Key()
    scheme_name = Text(required=True)
    category = Word()
    eligibility_criteria_json = Json()
    benefits_json = Json()
    documents_required_json = Json()
    updated_at = Timestamp(required=True)


SCHEMES = Flow(
    name="schemes",
    specification="1.1",
    summary="Active schemes to the portal; those no longer active there become INACTIVE.",
    source=Source(
        Database.WAREHOUSE,
        "eligibility.scheme_master",
        key="scheme_code",
        primary_key=("scheme_id",),
        key_nullable=True,
        time=Time("updated_at"),
    ),
    target=Target(Database.CITIZEN, "public.schemes", key="code", identity="id"),
    columns=(
        Column("id", "uuid", source="scheme_id"),
        Column("code", "text", source="scheme_code"),
        Column("name", "text", source="scheme_name"),
        Column("description", "text"),
        Column("category", "text"),
        Column("department", "text", source="department_name"),
        Column("eligibility_criteria", "jsonb", source="eligibility_criteria_json"),
        Column("benefits", "jsonb", source="benefits_json"),
        Column("documents_required", "jsonb", source="documents_required_json"),
        Column("status", "text"),
        Column("last_updated", "timestamptz", source="updated_at"),
    ),
    contract=Scheme,
    scope=Condition("source.status = 'ACTIVE'", reads=("status",)),
    absent=Absent.DEACTIVATE,
    deactivation=Deactivation("status", "INACTIVE", stamp="last_updated"),
    schedule=Schedule(hour=0, minute=0),
    wakes=(Wake("scheme"),),
    stale=Stale("updated_at", after=timedelta(days=180)),
)
