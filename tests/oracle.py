"""What the portal must hold, computed independently: in Python, from the golden records alone.

The masks are written a second time here, from the rulings and not from the package.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tests.rows import Connection, rows

Row = tuple[str | None, ...]

_SOURCE = """\
SELECT
    gr_id, family_id, jan_aadhaar, full_name, date_of_birth::text, gender, district_id::text,
    city_village, mobile_number, email
FROM public.golden_records
"""

_TARGET = """\
SELECT
    record_id, family_id, jan_aadhaar, full_name, date_of_birth::text, gender, district_id::text,
    city, mobile_number, email
FROM public.profile_data
"""


@dataclass(frozen=True)
class Difference:
    """How the target differs from what is expected, by key."""

    missing: list[str]
    extra: list[str]
    different: dict[str, tuple[Row, Row]]

    def __bool__(self) -> bool:
        return bool(self.missing or self.extra or self.different)

    def __str__(self) -> str:
        shown = dict(list(self.different.items())[:3])
        return (
            f"{len(self.missing)} missing ({self.missing[:3]}), {len(self.extra)} extra "
            f"({self.extra[:3]}), {len(self.different)} different (expected, found: {shown})"
        )


def profile_data(warehouse: Connection, citizen: Connection) -> Difference:
    """Compare the portal's profiles with what the golden records make of them."""
    return compare(expected_profiles(warehouse), profiles(citizen))


def expected_profiles(warehouse: Connection) -> dict[str, Row]:
    """The portal's rows by key, as the golden records and the rulings want them."""
    return {row[0]: _profile(row) for row in rows(warehouse, _SOURCE)}


def profiles(citizen: Connection) -> dict[str, Row]:
    """The portal's rows by key, as they are."""
    return {row[0]: row for row in rows(citizen, _TARGET)}


def compare(expected: Mapping[str, Row], found: Mapping[str, Row]) -> Difference:
    """Every difference; texts are equal only if they are the same code points."""
    return Difference(
        missing=sorted(expected.keys() - found.keys()),
        extra=sorted(found.keys() - expected.keys()),
        different={
            key: (row, found[key])
            for key, row in expected.items()
            if key in found and found[key] != row
        },
    )


def _profile(record: Row) -> Row:
    key, family, aadhaar, name, born, gender, district, city, mobile, email = record
    masked = (mask_aadhaar(aadhaar), mask_mobile(mobile), mask_email(email))
    return (key, family, masked[0], name, born, gender, district, city, *masked[1:])


def mask_aadhaar(number: str | None) -> str | None:
    """The last four of twelve digits; a blank number is a missing one."""
    if number is None or re.fullmatch(r"[^\S\x1c-\x1f]*", number):
        return None
    return f"****-****-{number[-4:]}" if re.fullmatch(r"[0-9]{12}", number) else "****"


def mask_mobile(number: str | None) -> str | None:
    """The last four of ten digits, after an optional +91."""
    if number is None:
        return None
    return f"******{number[-4:]}" if re.fullmatch(r"(\+91)?[0-9]{10}", number) else "****"


def mask_email(address: str | None) -> str | None:
    """The first character and the domain of an address with one @ and something before it."""
    if address is None:
        return None
    name, at, domain = address.partition("@")
    return f"{name[0]}***@{domain}" if name and at and "@" not in domain else "****"
