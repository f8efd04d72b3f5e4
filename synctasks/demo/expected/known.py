"""How the two systems know each other's people, families and schemes: dictionaries, by hand."""

from __future__ import annotations

from typing import NamedTuple

from synctasks.demo.streams import stream
from synctasks.flow import Database

_CITIZENS = """\
SELECT
    id::text,
    aadhaar_number,
    family_id,
    CASE WHEN is_family_head THEN 'head' END,
    verification_status,
    created_at::text
FROM public.citizens
"""
_NUMBERS = "SELECT jan_aadhaar, gr_id FROM public.golden_records WHERE jan_aadhaar IS NOT NULL"
_SCHEMES = "SELECT id::text, code FROM public.schemes"


class Known(NamedTuple):
    """By citizen the golden record; by family the citizen who hears of alerts; by scheme its code.

    A citizen whose number several golden records have comes to none.
    """

    record_of: dict[str, str]
    head_of: dict[str, str]
    code_of: dict[str, str]


def known() -> Known:
    """Both databases as they are now. Raises SynctasksError."""
    records: dict[str, list[str]] = {}
    with stream(Database.WAREHOUSE, _NUMBERS) as rows:
        for number, record in rows:
            records.setdefault(str(number), []).append(str(record))
    record_of: dict[str, str] = {}
    families: dict[str, list[tuple[bool, bool, str, str]]] = {}
    with stream(Database.CITIZEN, _CITIZENS) as rows:
        for citizen, number, family, head, status, registered in rows:
            found = records.get(str(number), [])
            if len(found) == 1:
                record_of[str(citizen)] = found[0]
            if family is not None and status == "verified":
                order = (head is None, registered is None, str(registered), str(citizen))
                families.setdefault(family, []).append(order)
    head_of = {family: min(members)[-1] for family, members in families.items()}
    with stream(Database.CITIZEN, _SCHEMES) as rows:
        code_of = {str(scheme): str(code) for scheme, code in rows}
    return Known(record_of, head_of, code_of)
