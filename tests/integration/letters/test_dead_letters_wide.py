"""Letters of units with many records: what the target refuses, nobody knows of which of them."""

from __future__ import annotations

from typing import Any

import pytest

from synctasks.capture import change_log
from synctasks.flow import Flow
from synctasks.flows.to_citizen.eligibility_hints import ELIGIBILITY_HINTS
from tests.letters import letters
from tests.refreshing import carry, full_run
from tests.rows import Connection, execute, rows

FAMILY = "10000000-0000-4000-8000-000000000001"
FLOW: Flow = ELIGIBILITY_HINTS

_SCHEMES = """\
INSERT INTO schemes (id, code, status)
SELECT gen_random_uuid(), 'RJ-' || number, 'ACTIVE' FROM generate_series(1, 9) AS numbered (number)
"""
# Of nine seven are eligible: two are out of scope, and two of the others are outranked.
_EVALUATE = """\
INSERT INTO eligibility.eligibility_snapshots (
    family_id, scheme_code, evaluation_status, eligibility_score, evaluation_timestamp
)
SELECT
    %s, 'RJ-' || number, CASE WHEN number < 8 THEN 'RULE_ELIGIBLE' ELSE 'NOT_ELIGIBLE' END,
    number / 10.0, statement_timestamp()
FROM generate_series(1, 9) AS numbered (number)
"""
_REFUSE = """\
ALTER TABLE eligibility_hints ADD CONSTRAINT refused CHECK (scheme_code <> 'RJ-5')
"""
_ALLOW = "ALTER TABLE eligibility_hints DROP CONSTRAINT IF EXISTS refused"


@pytest.fixture
def refused(warehouse: Connection, citizen: Connection) -> Any:
    """A family of which one hint was refused, and that may be written now."""
    execute(citizen, _SCHEMES)
    execute(citizen, _REFUSE)
    try:
        execute(warehouse, _EVALUATE, [FAMILY])
        carry(FLOW)
        [letter] = letters(warehouse)
        assert (letter["unit"], letter["record"], letter["state"]) == (FAMILY, FAMILY, "open")
        assert rows(citizen, "SELECT FROM eligibility_hints") == []
    finally:
        execute(citizen, _ALLOW)
    return letter


def test_a_replay_closes_the_letter_of_a_unit_some_of_whose_records_are_filtered(
    refused: Any, warehouse: Connection, citizen: Connection
) -> None:
    change_log.request(FLOW, [FAMILY], "replay")
    carry(FLOW)
    assert len(rows(citizen, "SELECT scheme_code FROM eligibility_hints")) == 5
    assert [letter["state"] for letter in letters(warehouse)] == ["resolved"]


def test_so_does_a_full_run(refused: Any, warehouse: Connection, citizen: Connection) -> None:
    full_run(warehouse, FLOW)
    assert len(rows(citizen, "SELECT scheme_code FROM eligibility_hints")) == 5
    assert [letter["state"] for letter in letters(warehouse)] == ["resolved"]
