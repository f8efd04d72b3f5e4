"""Specification 1.2: who a person is, masked, from the golden records to the portal."""

from synctasks.flow import (
    Absent,
    Column,
    Condition,
    Database,
    Flow,
    Operation,
    Schedule,
    Source,
    Target,
)
from synctasks.masks import AADHAAR, EMAIL, MOBILE

PROFILE_DATA = Flow(
    name="profile_data",
    specification="1.2",
    summary="Golden records to the portal's profiles, Aadhaar, mobile and e-mail masked.",
    source=Source(Database.WAREHOUSE, "public.golden_records", key="gr_id"),
    target=Target(Database.CITIZEN, "public.profile_data", key="record_id"),
    columns=(
        Column("record_id", "text", source="gr_id"),
        Column("family_id", "text"),
        Column("jan_aadhaar", "text", mask=AADHAAR),
        Column("full_name", "text"),
        Column("date_of_birth", "date"),
        Column("gender", "text"),
        Column("district_id", "integer"),
        Column("city", "text", source="city_village"),
        Column("mobile_number", "text", mask=MOBILE, optional=True),
        Column("email", "text", mask=EMAIL, optional=True),
    ),
    event_filter=Condition(
        "source.updated_at >= statement_timestamp() - interval '30 days'",
        reads=("updated_at",),
    ),
    absent=Absent.DELETE,
    capture=(Operation.INSERT, Operation.UPDATE, Operation.DELETE),
    schedule=Schedule(hour=0, minute=30),
)
