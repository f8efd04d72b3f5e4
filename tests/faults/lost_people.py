"""The sides compared by the tables alone: schemes, people, their documents."""

from __future__ import annotations

from collections import defaultdict

from tests.rows import Connection, rows

_SCHEMES = """\
SELECT scheme_code, scheme_id::text, description, status
FROM eligibility.scheme_master
"""
_VERIFIED = """\
SELECT aadhaar_number, full_name, city, updated_at, 'citizen_portal'
FROM citizens
WHERE verification_status = 'verified'
"""
_RECORDS = """\
SELECT jan_aadhaar, full_name, city_village, updated_at, updated_by
FROM golden_records
WHERE updated_by = 'citizen_portal'
"""
_UPLOADED = """\
SELECT documents.id::text, aadhaar_number, document_type, file_name, file_size, uploaded_at
FROM documents
JOIN citizens ON citizens.id = documents.citizen_id
WHERE citizens.verification_status = 'verified'
"""
_KNOWN = """\
SELECT document_id::text, citizen_id, document_type, file_name, file_size, uploaded_at
FROM public.document_metadata
"""
_SHOWN = "SELECT code, id::text, description, status FROM public.schemes"


def lost_schemes(warehouse: Connection, citizen: Connection) -> list[str]:
    """Schemes that are not shown as they are. One out of use keeps what it said last."""
    kept = {row[0]: row[1:] for row in rows(warehouse, _SCHEMES)}
    shown = {row[0]: row[1:] for row in rows(citizen, _SHOWN)}
    found = [f"schemes: only the portal has {code}" for code in shown.keys() - kept.keys()]
    for code, scheme in kept.items():
        there = shown.get(code)
        if scheme[2] == "ACTIVE" and there != scheme:
            found.append(f"schemes: {code} is {there}, not {scheme}")
        if scheme[2] != "ACTIVE" and there is not None and there[2] != "INACTIVE":
            found.append(f"schemes: {code} is still {there}")
    return found


def lost_citizens(warehouse: Connection, portal: Connection) -> list[str]:
    """Verified citizens without exactly one golden record that says what they say."""
    records: dict[str, list[object]] = defaultdict(list)
    for number, *record in rows(warehouse, _RECORDS):
        records[number].append(tuple(record))
    return [
        f"golden_records: {number} is {records[number]}, not {said}"
        for number, *said in rows(portal, _VERIFIED)
        if records[number] != [tuple(said)]
    ]


def lost_documents(warehouse: Connection, portal: Connection) -> list[str]:
    """Documents of verified citizens that did not arrive, or not as they are."""
    owners = dict(rows(warehouse, "SELECT jan_aadhaar, gr_id FROM golden_records"))
    uploaded = {row[0]: (owners.get(row[1]), *row[2:]) for row in rows(portal, _UPLOADED)}
    known = {row[0]: row[1:] for row in rows(warehouse, _KNOWN)}
    return [
        f"document_metadata: {each} is {known.get(each)}, not {uploaded.get(each)}"
        for each in known.keys() | uploaded.keys()
        if known.get(each) != uploaded.get(each)
    ]
