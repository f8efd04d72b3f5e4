"""Specification 2.1 with many citizens in a batch, and what verify says of them."""

from __future__ import annotations

import pytest

from synctasks.capture.change_log import lane_count
from synctasks.engine import stage
from synctasks.engine.verify import verify
from synctasks.flows.to_warehouse.golden_records import GOLDEN_RECORDS
from tests.flows.citizens import (
    ASHA,
    MEENA,
    NUMBERS,
    OTHER_NUMBER,
    RAVI,
    SECOND,
    UPDATED,
    brief,
    change,
    given_citizen,
    given_record,
    made_for,
    row_versions,
)
from tests.rows import Connection, execute, value
from tests.syncing import by_events, by_full_run

MANY = 200
_ADD = """\
INSERT INTO citizens (
    id, aadhaar_number, full_name, district, verification_status, updated_at
)
SELECT
    ('00000000-0000-4000-b000-' || lpad(number::text, 12, '0'))::uuid,
    '5' || lpad(number::text, 11, '0'), 'Citizen ' || number, ' kota', 'verified', %(updated)s
FROM generate_series(1, %(many)s) AS numbered (number)
"""


def verified() -> dict[str, int]:
    """The classes of the flow's records that are not empty."""
    *_, last = verify(GOLDEN_RECORDS, lane_count(GOLDEN_RECORDS))
    return {name: count for name, count in last.counts.items() if count}


def test_more_than_a_document_holds_are_matched_alike(
    citizen: Connection, warehouse: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They travel by COPY; whose numbers moved among them are taken one by one."""
    monkeypatch.setattr(stage, "MOST_KEYS", 10)
    asha = made_for(citizen, warehouse, ASHA, "Asha")
    ravi = made_for(citizen, warehouse, RAVI, "Ravi")
    given_record(warehouse, "GR-1", jan_aadhaar="500000000001", full_name="Old")
    execute(citizen, _ADD, {"updated": UPDATED, "many": MANY})
    steps = [(ASHA, OTHER_NUMBER), (RAVI, NUMBERS[ASHA]), (ASHA, NUMBERS[RAVI])]
    for who, number in steps:
        change(citizen, who, aadhaar_number=number, updated_at=UPDATED + SECOND)
    everybody = MANY + 2
    assert by_full_run(citizen, GOLDEN_RECORDS) == {"read": everybody, "written": everybody}
    found = brief(warehouse)
    assert len(found) == everybody
    assert found["GR-1"][1] == "Citizen 1"
    assert {found[asha][:2], found[ravi][:2]} == {
        (NUMBERS[RAVI], "Asha"),
        (NUMBERS[ASHA], "Ravi"),
    }
    assert value(warehouse, "SELECT count(DISTINCT jan_aadhaar) FROM golden_records") == everybody
    before = row_versions(warehouse)
    assert by_full_run(citizen, GOLDEN_RECORDS) == {"read": everybody, "unchanged": everybody}
    assert row_versions(warehouse) == before


def test_verify_knows_the_records_by_their_numbers(
    citizen: Connection, warehouse: Connection
) -> None:
    """What the warehouse has later is superseded; what only it has is nobody's business."""
    for who in (ASHA, RAVI, MEENA):
        given_citizen(citizen, who)
    given_record(warehouse, "GR-1")
    given_record(warehouse, "GR-2", jan_aadhaar=NUMBERS[RAVI], updated_at=UPDATED + SECOND)
    given_record(warehouse, "GR-9", jan_aadhaar=OTHER_NUMBER)
    assert verified() == {"in_flight": 2, "superseded": 1}
    execute(citizen, "DELETE FROM synctasks.change_log")
    before = row_versions(warehouse)
    assert verified() == {"missing": 1, "different": 1, "superseded": 1}
    assert row_versions(warehouse) == before
    counts = {"read": 3, "written": 2, "superseded": 1}
    assert by_full_run(citizen, GOLDEN_RECORDS) == counts
    assert verified() == {"matched": 2, "superseded": 1}


def test_verify_sees_those_that_are_refused_as_dead_letters(citizen: Connection) -> None:
    given_citizen(citizen, district="Atlantis")
    given_citizen(citizen, RAVI, gender="?")
    assert by_events(citizen, GOLDEN_RECORDS) == {"read": 2, "rejected": 2}
    assert verified() == {"dead_lettered": 2}
