"""The portal's sources as tables to try their contracts on."""

from __future__ import annotations

from functools import partial

from synctasks.contracts import Choice, Text
from synctasks.flows.to_warehouse.application_events import APPLICATION_EVENTS
from synctasks.flows.to_warehouse.document_metadata import DOCUMENT_METADATA
from synctasks.flows.to_warehouse.feedback_analytics import FEEDBACK_ANALYTICS
from synctasks.flows.to_warehouse.golden_records import GOLDEN_RECORDS
from synctasks.flows.to_warehouse.user_behavior import USER_BEHAVIOR
from tests import contract_cases as field_cases
from tests import contract_numbers as numbers
from tests import contract_values as values
from tests.contract_case import cases
from tests.contract_table import KNOWN_SCHEME, OPTIONAL, REQUIRED, Table

CITIZEN = "7d444840-9dc0-41e0-9a5b-30d4c2f5c8a1"
MOMENT = "2025-06-01 12:00:00+00"

CITIZENS = Table(
    GOLDEN_RECORDS,
    "id",
    {
        "aadhaar_number": "123456781234",
        "family_id": "7d444840-9dc0-41e0-9a5b-30d4c2f5c8a1",
        "full_name": "Asha Devi",
        "date_of_birth": "1980-02-03",
        "gender": "F",
        "mobile_number": "+919876543210",
        "email": "asha@example.com",
        "city": "Sanganer",
        "district": "Jaipur",
        "pincode": "302001",
        "created_at": None,
        "updated_at": MOMENT,
    },
    {
        "aadhaar_number": field_cases.AADHAAR[REQUIRED],
        "family_id": field_cases.UUID_TEXT[OPTIONAL],
        "full_name": field_cases.UNMASKED[REQUIRED],
        "date_of_birth": numbers.DATE[OPTIONAL],
        "gender": field_cases.CHOICE[OPTIONAL],
        "mobile_number": field_cases.MOBILE[OPTIONAL],
        "email": field_cases.EMAIL[OPTIONAL],
        "city": field_cases.UNMASKED[OPTIONAL],
        "district": field_cases.UNMASKED[OPTIONAL],
        "pincode": field_cases.PINCODE[OPTIONAL],
        "created_at": numbers.TIMESTAMP[OPTIONAL],
        "updated_at": numbers.TIMESTAMP[REQUIRED],
    },
    {"aadhaar_number": "9{:011}"},
    frozenset({"gender"}),
)
DOCUMENTS = Table(
    DOCUMENT_METADATA,
    "id",
    {
        "citizen_id": CITIZEN,
        "document_type": "income_certificate",
        "file_name": "income.pdf",
        "file_size": "1024",
        "uploaded_at": MOMENT,
        "verification_status": "pending",
    },
    {
        "citizen_id": field_cases.UUID[REQUIRED],
        "document_type": field_cases.WORD[REQUIRED],
        "file_name": field_cases.TEXT[REQUIRED],
        "file_size": numbers.SIZE[REQUIRED],
        "uploaded_at": numbers.TIMESTAMP[REQUIRED],
        "verification_status": field_cases.WORD[OPTIONAL],
    },
)
_STATUSES = ("draft", "submitted", "under_review", "approved", "rejected", "withdrawn")
TRANSITIONS = Table(
    APPLICATION_EVENTS,
    "id",
    {
        "citizen_id": CITIZEN,
        "scheme_id": KNOWN_SCHEME,
        "status": "approved",
        "submitted_at": MOMENT,
        "approved_at": MOMENT,
        "created_at": None,
        "updated_at": MOMENT,
    },
    {
        "citizen_id": field_cases.UUID[REQUIRED],
        "scheme_id": field_cases.UUID[REQUIRED],
        "status": cases(
            partial(Choice, *_STATUSES),
            "text",
            good=_STATUSES,
            bad=["Approved", "approved ", "cancelled", "draft\n"],
            more=values.choice_texts,
            blank=False,
        )[REQUIRED],
        "submitted_at": numbers.TIMESTAMP[REQUIRED],
        "approved_at": numbers.TIMESTAMP[OPTIONAL],
        "created_at": numbers.TIMESTAMP[OPTIONAL],
        "updated_at": numbers.TIMESTAMP[OPTIONAL],
    },
    ruled=frozenset({"scheme_id", "approved_at"}),
)
BEHAVIOR = Table(
    USER_BEHAVIOR,
    "event_date",
    {
        "citizen_id": CITIZEN,
        "total_duration_seconds": "12.5",
        "shortest_seconds": "0.5",
        "first_event_at": MOMENT,
        "last_event_at": MOMENT,
    },
    {
        "event_date": field_cases.TEXT[REQUIRED],
        "citizen_id": field_cases.UUID[OPTIONAL],
        "total_duration_seconds": numbers.AMOUNT[OPTIONAL],
        "shortest_seconds": numbers.AMOUNT[OPTIONAL],
        "first_event_at": numbers.TIMESTAMP[REQUIRED],
        "last_event_at": numbers.TIMESTAMP[REQUIRED],
    },
)
COMMENT = cases(
    partial(Text, most=10_000),
    "text",
    about="of 10,000 characters",
    good=["x" * 10_000, "\u0905" * 10_000, *values.INVISIBLE],
    bad=["x" * 10_001, "\u0905" * 10_001, " " * 10_001],
    more=values.texts,
    blank=True,
)
FEEDBACK = Table(
    FEEDBACK_ANALYTICS,
    "id",
    {
        "citizen_id": CITIZEN,
        "feedback_type": "praise",
        "rating": "5",
        "comment": "Quick and kind",
        "scheme_id": KNOWN_SCHEME,
        "created_at": MOMENT,
    },
    {
        "citizen_id": field_cases.UUID[REQUIRED],
        "feedback_type": field_cases.WORD[REQUIRED],
        "rating": numbers.RATING[OPTIONAL],
        "comment": COMMENT[OPTIONAL],
        "scheme_id": field_cases.UUID[OPTIONAL],
        "created_at": numbers.TIMESTAMP[REQUIRED],
    },
    ruled=frozenset({"scheme_id"}),
)
FROM_PORTAL = [CITIZENS, DOCUMENTS, TRANSITIONS, BEHAVIOR, FEEDBACK]
