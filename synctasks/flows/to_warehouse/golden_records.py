"""Specification 2.1: what verified citizens say of themselves, into the golden records."""

from datetime import date

from synctasks.characters import blank_sql, trimmed_sql
from synctasks.contracts import (
    Aadhaar,
    Choice,
    Contract,
    Date,
    Digits,
    Email,
    Mobile,
    NotBefore,
    Text,
    Timestamp,
    Uuid,
)
from synctasks.flow import (
    Column,
    Condition,
    Database,
    Flow,
    Match,
    Missing,
    OnUpdate,
    Operation,
    Reference,
    Source,
    Target,
    Time,
)
from synctasks.flows.people import CITIZEN_KNOWN, FAMILY_KNOWN


class Citizen(Contract):
    """A value shaped like one of our own masks came from us: it is never written back."""

    id = Uuid(required=True)
    aadhaar_number = Aadhaar(required=True)
    family_id = Uuid()
    full_name = Text(required=True, unmasked=True)
    date_of_birth = Date(date(1900, 1, 1))
    gender = Choice("M", "F", "O")
    mobile_number = Mobile()
    email = Email()
    city = Text(unmasked=True)
    district = Text(unmasked=True)
    pincode = Digits(6)
    created_at = Timestamp()
    updated_at = Timestamp(required=True)

    rules = (NotBefore("updated_at", earlier="created_at"),)


_DISTRICT = Reference(
    table="public.districts",
    key="district_id",
    meant=f"lower({trimmed_sql('known.district_name')}) = lower({trimmed_sql('{value}')})",
    value=f"CASE WHEN NOT {blank_sql('source.district')} THEN source.district END",
    reads=("district",),
    missing=Missing.REJECT,
    optional=True,
)

GOLDEN_RECORDS = Flow(
    name="golden_records",
    specification="2.1",
    summary="Verified citizens to their golden records; new records are flagged for review.",
    source=Source(
        Database.CITIZEN, "public.citizens", key="id", key_type="uuid", time=Time("updated_at")
    ),
    target=Target(
        Database.WAREHOUSE,
        "public.golden_records",
        key="gr_id",
        match=Match("jan_aadhaar", review="review_status"),
        newest="updated_at",
    ),
    columns=(
        Column("gr_id", "text", source="id"),
        Column("family_id", "text", on_update=OnUpdate.KEEP),
        Column("jan_aadhaar", "text", source="aadhaar_number"),
        Column("full_name", "text"),
        Column("date_of_birth", "date", on_update=OnUpdate.FILL),
        Column("gender", "text", on_update=OnUpdate.FILL),
        Column(
            "district_id",
            "integer",
            source="district",
            reference=_DISTRICT,
            on_update=OnUpdate.FILL,
        ),
        Column("city_village", "text", source="city", on_update=OnUpdate.FILL),
        Column("pincode", "text", on_update=OnUpdate.FILL),
        Column("mobile_number", "text", optional=True, on_update=OnUpdate.FILL),
        Column("email", "text", optional=True, on_update=OnUpdate.FILL),
        Column("review_status", "text", constant="PENDING_REVIEW"),
        Column("updated_by", "text", constant="citizen_portal", on_update=OnUpdate.STAMP),
        Column("created_at", "timestamptz", source="updated_at", on_update=OnUpdate.KEEP),
        Column("updated_at", "timestamptz"),
    ),
    contract=Citizen,
    scope=Condition("source.verification_status = 'verified'", reads=("verification_status",)),
    capture=(Operation.INSERT, Operation.UPDATE),
    # A golden record has a key of its own: two citizens may come to the same one.
    lanes=1,
    wakes=(CITIZEN_KNOWN, FAMILY_KNOWN),
)
