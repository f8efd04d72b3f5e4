"""The flows' sources as tables to try their contracts on: a good row, a case for each column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from synctasks.contracts import Contract
from synctasks.flow import Flow
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.flows.to_citizen.schemes import SCHEMES
from synctasks.flows.to_warehouse.document_metadata import DOCUMENT_METADATA
from synctasks.flows.to_warehouse.golden_records import GOLDEN_RECORDS
from tests import contract_cases as field_cases
from tests.contract_case import Case

Row = Mapping[str, str | None]
OPTIONAL, REQUIRED = 0, 1
# Larger values are tried one by one (test_gate.py).
MOST = 20_000


@dataclass(frozen=True)
class Table:
    """A flow's source: a good row (without its primary key), and a case for each column."""

    flow: Flow
    key: str
    good: Row
    cases: Mapping[str, Case]
    # A unique column, and how a row's number becomes its value.
    unique: Row = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.flow.source.table

    @property
    def contract(self) -> type[Contract]:
        return self.flow.contract

    def row(self, number: int, changes: Row) -> Row:
        """A row, good but for the changes, with a primary key of its own."""
        key = f"00000000-0000-4000-8000-{number:012}"
        own = {column: form and form.format(number) for column, form in self.unique.items()}
        return {**self.good, self.key: key, **own, **changes}

    def examples(self, column: str) -> dict[str | None, bool]:
        """The values to try in a column, and whether each is acceptable."""
        found = self.cases[column].examples.items()
        return {text: good for text, good in found if text is None or len(text) <= MOST}


RECORDS = Table(
    PROFILE_DATA,
    "gr_id",
    {
        "family_id": "7d444840-9dc0-41e0-9a5b-30d4c2f5c8a1",
        "jan_aadhaar": "123456781234",
        "full_name": "Asha Devi",
        "date_of_birth": "1980-02-03",
        "gender": "F",
        "district_id": "8",
        "created_at": None,
        "updated_at": "2025-06-01 12:00:00+00",
    },
    {
        "gr_id": field_cases.KEY[0],
        "family_id": field_cases.UUID_TEXT[OPTIONAL],
        "jan_aadhaar": field_cases.AADHAAR[OPTIONAL],
        "full_name": field_cases.TEXT[REQUIRED],
        "date_of_birth": field_cases.DATE[OPTIONAL],
        "gender": field_cases.CHOICE[OPTIONAL],
        "district_id": field_cases.INTEGER[OPTIONAL],
        "created_at": field_cases.TIMESTAMP[OPTIONAL],
        "updated_at": field_cases.TIMESTAMP[REQUIRED],
    },
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
        "updated_at": "2025-06-01 12:00:00+00",
    },
    {
        "scheme_code": field_cases.KEY[0],
        "scheme_name": field_cases.TEXT[REQUIRED],
        "category": field_cases.WORD[OPTIONAL],
        "eligibility_criteria_json": field_cases.JSON[OPTIONAL],
        "benefits_json": field_cases.JSON[OPTIONAL],
        "documents_required_json": field_cases.JSON[OPTIONAL],
        "updated_at": field_cases.TIMESTAMP[REQUIRED],
    },
    {"scheme_code": "CODE {}"},
)
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
        "updated_at": "2025-06-01 12:00:00+00",
    },
    {
        "aadhaar_number": field_cases.AADHAAR[REQUIRED],
        "family_id": field_cases.UUID_TEXT[OPTIONAL],
        "full_name": field_cases.UNMASKED[REQUIRED],
        "date_of_birth": field_cases.DATE[OPTIONAL],
        "gender": field_cases.CHOICE[OPTIONAL],
        "mobile_number": field_cases.MOBILE[OPTIONAL],
        "email": field_cases.EMAIL[OPTIONAL],
        "city": field_cases.UNMASKED[OPTIONAL],
        "district": field_cases.UNMASKED[OPTIONAL],
        "pincode": field_cases.PINCODE[OPTIONAL],
        "created_at": field_cases.TIMESTAMP[OPTIONAL],
        "updated_at": field_cases.TIMESTAMP[REQUIRED],
    },
    {"aadhaar_number": "9{:011}"},
)
DOCUMENTS = Table(
    DOCUMENT_METADATA,
    "id",
    {
        "citizen_id": "7d444840-9dc0-41e0-9a5b-30d4c2f5c8a1",
        "document_type": "income_certificate",
        "file_name": "income.pdf",
        "file_size": "1024",
        "uploaded_at": "2025-06-01 12:00:00+00",
        "verification_status": "pending",
    },
    {
        "citizen_id": field_cases.UUID[REQUIRED],
        "document_type": field_cases.WORD[REQUIRED],
        "file_name": field_cases.TEXT[REQUIRED],
        "file_size": field_cases.SIZE[REQUIRED],
        "uploaded_at": field_cases.TIMESTAMP[REQUIRED],
        "verification_status": field_cases.WORD[OPTIONAL],
    },
)
TABLES = [RECORDS, CATALOGUE, CITIZENS, DOCUMENTS]
