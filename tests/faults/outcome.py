"""What must hold when everything is quiet again: nothing lost, doubled, gone back, left open."""

from __future__ import annotations

import json
from collections import defaultdict

from tests import oracle
from tests.faults.ground import CITIZEN, WAREHOUSE, Ground
from tests.faults.witness import Witness
from tests.rows import Connection, rows

_OPEN = """\
SELECT format('%s %s %s: %s', flow, kind, unit, error)
FROM synctasks.dead_letter
WHERE state = 'open'
"""
# What was captured has been taken once, or waits in a guard's hands.
_TAKEN = """\
SELECT
    (SELECT coalesce(sum(taken), 0) FROM synctasks.history)::bigint
    + (SELECT count(*) FROM synctasks.held)
"""
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
_TWICE = """\
SELECT jan_aadhaar
FROM golden_records
WHERE updated_by = 'citizen_portal'
GROUP BY jan_aadhaar
HAVING count(*) > 1
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


def lost(ground: Ground) -> list[str]:
    """Where the sides differ, computed from the tables alone."""
    with ground.warehouse() as warehouse, ground.citizen() as citizen:
        difference = oracle.profile_data(warehouse, citizen)
        found = [f"profile_data: {difference}"] if difference else []
        found += _lost_schemes(warehouse, citizen)
        found += _lost_citizens(warehouse, citizen)
        return found + _lost_documents(warehouse, citizen)


def _lost_schemes(warehouse: Connection, citizen: Connection) -> list[str]:
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


def _lost_citizens(warehouse: Connection, portal: Connection) -> list[str]:
    """Verified citizens without exactly one golden record that says what they say."""
    records: dict[str, list[object]] = defaultdict(list)
    for number, *record in rows(warehouse, _RECORDS):
        records[number].append(tuple(record))
    return [
        f"golden_records: {number} is {records[number]}, not {said}"
        for number, *said in rows(portal, _VERIFIED)
        if records[number] != [tuple(said)]
    ]


def _lost_documents(warehouse: Connection, portal: Connection) -> list[str]:
    """Documents of verified citizens that did not arrive, or not as they are."""
    owners = dict(rows(warehouse, "SELECT jan_aadhaar, gr_id FROM golden_records"))
    uploaded = {row[0]: (owners.get(row[1]), *row[2:]) for row in rows(portal, _UPLOADED)}
    known = {row[0]: row[1:] for row in rows(warehouse, _KNOWN)}
    return [
        f"document_metadata: {each} is {known.get(each)}, not {uploaded.get(each)}"
        for each in known.keys() | uploaded.keys()
        if known.get(each) != uploaded.get(each)
    ]


def doubled(ground: Ground) -> list[str]:
    """Citizens with more than one golden record."""
    return [f"golden_records: {each} twice" for each in _at(ground, WAREHOUSE, _TWICE)]


def open_letters(ground: Ground) -> list[str]:
    """The dead letters that are open at either side."""
    return [each for side in (WAREHOUSE, CITIZEN) for each in _at(ground, side, _OPEN)]


def unbalanced(ground: Ground, witness: Witness) -> list[str]:
    """The sides where other than all captured changes were taken, once each."""
    found = []
    for side in (WAREHOUSE, CITIZEN):
        captured, taken = witness.captured(side), _at(ground, side, _TAKEN)[0]
        if captured != taken:
            found.append(f"{side}: {captured} changes captured, {taken} taken")
    return found


def verified(ground: Ground) -> list[str]:
    """What `synctasks verify` finds wrong: its whole answer, if there is anything."""
    outcome = ground.run("synctasks", "verify", "--json", timeout=60)
    if outcome.returncode == 0 and json.loads(outcome.stdout):
        return []
    return [f"verify exits with {outcome.returncode}: {outcome.stdout} {outcome.stderr}"]


def agree(ground: Ground, witness: Witness) -> None:
    """Assert all of it, once everything has arrived."""
    found = {
        "lost": lost(ground),
        "verify": verified(ground),
        "dead letters open": open_letters(ground),
        "books": unbalanced(ground, witness),
        "gone back": witness.gone_back(),
        "doubled": doubled(ground) + witness.twice(),
    }
    wrong = {what: each[:5] for what, each in found.items() if each}
    assert not wrong, wrong


def _at(ground: Ground, side: str, statement: str) -> list[str]:
    with ground.at(side) as connection:
        return [
            str(each) if isinstance(each, str) else each for each in rows(connection, statement)
        ]
