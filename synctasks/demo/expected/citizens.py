"""What the warehouse must hold of the portal's citizens, their documents and their feedback."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from synctasks.demo.expected.expectation import Expectation, Letters
from synctasks.demo.expected.known import Known
from synctasks.demo.streams import Row, moment, stream
from synctasks.flow import Database

# In step with what a citizen says of themselves, from the second value on.
_COLUMNS = (
    "gr_id",
    "jan_aadhaar",
    "full_name",
    "date_of_birth",
    "gender",
    "district_id",
    "city_village",
    "pincode",
    "mobile_number",
    "email",
)
_RECORDS = f"""\
SELECT updated_at::text, updated_by, {", ".join(f"{column}::text" for column in _COLUMNS)}
FROM public.golden_records
"""
_CITIZENS = """\
SELECT
    id::text,
    updated_at::text,
    aadhaar_number,
    full_name,
    date_of_birth::text,
    gender,
    district,
    city,
    pincode,
    mobile_number,
    email
FROM public.citizens
WHERE verification_status = 'verified'
"""
# The warehouse's own keys look otherwise.
_MADE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DISTRICTS = "SELECT lower(district_name), district_id::text FROM public.districts"

_DOCUMENTS = """\
SELECT
    id::text,
    citizen_id::text,
    document_type,
    file_name,
    file_size::text,
    uploaded_at::text,
    verification_status
FROM public.documents
"""
_FEEDBACK = """\
SELECT
    id::text,
    citizen_id::text,
    feedback_type,
    rating::text,
    comment,
    scheme_id::text,
    created_at::text
FROM public.feedback
"""


class _Record(NamedTuple):
    """A golden record: when it was last written and by whom, and its values."""

    updated_at: str
    updated_by: str | None
    values: Row

    def is_older(self, time: str) -> bool:
        """Whether a citizen of that time has the last word; of two equal ones it is the record."""
        same_is_theirs = self.updated_by == "citizen_portal"
        return self.updated_at < time or (self.updated_at == time and same_is_theirs)


def golden_records(known: Known, letters: Letters) -> Expectation:
    """Each verified citizen's record says what they say, but where it was updated later.

    All other records are the warehouse's own; none may be there that the portal made of nobody.
    """
    with stream(Database.WAREHOUSE, _DISTRICTS) as found:
        districts = {str(name): number for name, number in found}
    with stream(Database.WAREHOUSE, _RECORDS) as found:
        records = {str(row[2]): _Record(moment(row[0]), row[1], row[2:]) for row in found}
    rows: list[Row] = []
    with stream(Database.CITIZEN, _CITIZENS) as found:
        for citizen, updated_at, *said in found:
            if citizen in letters.units:
                continue
            said[4] = said[4] and districts.get(said[4].strip().lower())
            record = records.get(known.record_of.get(str(citizen), ""))
            if record is None:
                rows.append((f"(of citizen {citizen})", *said))
            elif record.is_older(moment(updated_at)):
                rows.append(_filled(record, said))
    ours = frozenset(known.record_of.values())
    theirs = frozenset(key for key in records if key in ours or not _MADE.fullmatch(key))
    left_out = theirs.difference(str(key) for key, *_ in rows)
    return Expectation(rows, left_out, _COLUMNS)


def _filled(record: _Record, said: list[str | None]) -> Row:
    """A null or blank of the citizen's erases nothing."""
    key, *held = record.values
    both = zip(said, held, strict=True)
    return key, *(mine if mine and mine.strip() else old for mine, old in both)


def documents(known: Known, letters: Letters) -> Expectation:
    """Those of citizens who have a golden record."""

    def rows() -> Iterator[Row]:
        with stream(Database.CITIZEN, _DOCUMENTS) as uploaded:
            for document, citizen, *said in uploaded:
                record = known.record_of.get(str(citizen))
                if record is not None and document not in letters.units:
                    yield document, record, *said

    return Expectation(rows(), letters.units)


def feedback(known: Known, letters: Letters) -> Expectation:
    """That of citizens who have a golden record, about a scheme or about none."""

    def rows() -> Iterator[Row]:
        with stream(Database.CITIZEN, _FEEDBACK) as given:
            for number, citizen, kind, rating, comment, scheme, time in given:
                record = known.record_of.get(str(citizen))
                code = known.code_of[scheme] if scheme else None
                if record is not None and number not in letters.units:
                    yield number, record, kind, rating, comment, code, time

    return Expectation(rows(), letters.units)
