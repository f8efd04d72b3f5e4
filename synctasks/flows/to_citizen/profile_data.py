"""Specification 1.2: who a person is, masked, from the golden records to the portal."""

from datetime import date, timedelta

from synctasks.contracts import (
    Aadhaar,
    Choice,
    Contract,
    Date,
    Integer,
    Key,
    Known,
    NotBefore,
    Text,
    Timestamp,
    Uuid,
)
from synctasks.flow import (
    Absent,
    Column,
    Condition,
    Database,
    Flow,
    Operation,
    Schedule,
    Source,
    Stale,
    Target,
    Time,
)
from synctasks.flows.people import golden_record_known
from synctasks.masks import AADHAAR, EMAIL, MOBILE


class GoldenRecord(Contract):
    """A malformed mobile number or e-mail is no reject: it is masked whole."""

    gr_id = Key()
    family_id = Uuid()
    jan_aadhaar = Aadhaar()
    full_name = Text(required=True)
    date_of_birth = Date(date(1900, 1, 1))
    gender = Choice("M", "F", "O")
    district_id = Integer()
    created_at = Timestamp()
    updated_at = Timestamp(required=True)

    rules = (
        Known("district_id", "public.districts", key="district_id"),
        NotBefore("updated_at", earlier="created_at"),
    )


PROFILE_DATA = Flow(
    name="profile_data",
    specification="1.2",
    summary="Golden records to the portal's profiles, Aadhaar, mobile and e-mail masked.",
    source=Source(
        Database.WAREHOUSE, "public.golden_records", key="gr_id", time=Time("updated_at")
    ),
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
    contract=GoldenRecord,
    event_filter=Condition(
        "source.updated_at >= statement_timestamp() - interval '30 days'",
        reads=("updated_at",),
    ),
    absent=Absent.DELETE,
    capture=(Operation.INSERT, Operation.UPDATE, Operation.DELETE),
    schedule=Schedule(hour=0, minute=30),
    wakes=(golden_record_known("jan_aadhaar"),),
    stale=Stale("updated_at", after=timedelta(days=180)),
)
