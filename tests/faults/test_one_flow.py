"""One flow's target does not work: all others go on, and it comes back by itself."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from synctasks.embedded.waiting import wait_until
from tests.faults.bearing import RECOVERY_SECONDS
from tests.faults.ground import CITIZEN, WAREHOUSE, Ground
from tests.faults.outcome import open_letters, verified
from tests.faults.recovery import await_markers, await_recovery
from tests.faults.troubles import FULL, SLOW, prepare_troubles, trouble
from tests.rows import Connection, execute, rows, value

UNITS = 48
# What others may have to wait for at most: every lane of the sick flow holds a worker, once, until
# its first statement has run into its limit.
OTHERS_SECONDS = 10
# Longer than the ladder's waits.
LADDER_SECONDS = 30

_SCHEME = """\
INSERT INTO schemes (id, code, name, status, last_updated)
VALUES (
    '00000000-0000-4000-8000-000000000001', 'RJ-001', 'A scheme', 'ACTIVE', '2025-01-01 00:00+00'
)
"""
_SCHEME_MASTER = """\
INSERT INTO eligibility.scheme_master (scheme_id, scheme_code, scheme_name, status, updated_at)
VALUES (
    '00000000-0000-4000-8000-000000000001', 'RJ-001', 'A scheme', 'ACTIVE', '2025-01-01 00:00+00'
)
"""
_REGISTER = """\
INSERT INTO citizens (
    id, aadhaar_number, full_name, verification_status, created_at, updated_at
)
VALUES (%s, '900000777777', 'Busy Citizen', 'verified', clock_timestamp(), clock_timestamp())
"""
_UPLOAD = """\
INSERT INTO documents (id, citizen_id, document_type, file_name, file_size, uploaded_at)
SELECT gen_random_uuid(), %s, 'income', number || '.pdf', 1, clock_timestamp()
FROM generate_series(1, %s) AS numbered (number)
"""
_SUBMIT = """\
INSERT INTO service_applications (
    id, citizen_id, scheme_id, status, submitted_at, created_at, updated_at
)
SELECT
    gen_random_uuid(), %s, '00000000-0000-4000-8000-000000000001', 'submitted', now, now, now
FROM generate_series(1, %s), clock_timestamp() AS now;
UPDATE service_applications SET status = 'withdrawn';
DELETE FROM service_applications
"""
_EVALUATE = """\
INSERT INTO eligibility.eligibility_snapshots (
    family_id, scheme_code, evaluation_status, eligibility_score, evaluation_timestamp
)
SELECT gen_random_uuid(), 'RJ-001', 'RULE_ELIGIBLE', 0.5, clock_timestamp()
FROM generate_series(1, %s)
"""


@dataclass(frozen=True)
class Sick:
    """A flow whose target does not work, what fills all its lanes, and what arrives of it."""

    flow: str
    source: str
    target: str
    fill: Callable[[Connection], None]
    arrived: str
    rows: int


def _upload(portal: Connection) -> None:
    citizen = str(uuid4())
    execute(portal, _REGISTER, [citizen])
    execute(portal, _UPLOAD, [citizen, UNITS])


def _submit(portal: Connection) -> None:
    """Two transitions each, and of the applications nothing is left."""
    citizen = str(uuid4())
    execute(portal, _REGISTER, [citizen])
    execute(portal, _SUBMIT, [citizen, UNITS])


def _evaluate(warehouse: Connection) -> None:
    execute(warehouse, _EVALUATE, [UNITS])


DOCUMENTS = Sick(
    "document_metadata", CITIZEN, WAREHOUSE, _upload, "public.document_metadata", UNITS
)
EVENTS = Sick(
    "application_events", CITIZEN, WAREHOUSE, _submit, "decision.application_events", 2 * UNITS
)
HINTS = Sick("eligibility_hints", WAREHOUSE, CITIZEN, _evaluate, "public.eligibility_hints", UNITS)


def alerts(ground: Ground) -> list[dict[str, Any]]:
    """What `synctasks status` shows for somebody to look at in a flow.

    That changes were late during the trouble stays true for five minutes more.
    """
    outcome = ground.run("synctasks", "status", "--json")
    assert outcome.returncode == 0, outcome.stderr
    found: list[dict[str, Any]] = json.loads(outcome.stdout)["alerts"]
    return [each for each in found if each["flow"] and each["name"] != "latency"]


@pytest.mark.parametrize(
    ("sick", "what"),
    [(EVENTS, FULL), (HINTS, FULL), (DOCUMENTS, SLOW)],
    ids=lambda each: getattr(each, "flow", each),
)
def test_the_others_run_on(ground: Ground, sick: Sick, what: str) -> None:
    prepare_troubles(ground)
    _give_a_scheme(ground)
    with trouble(ground, sick.target, f"{what} {sick.flow}"):
        _fill(ground, sick)
        until = time.monotonic() + LADDER_SECONDS
        while time.monotonic() < until:
            # In both directions, one of them into the very same database.
            await_markers(ground, OTHERS_SECONDS)
        if what == FULL:
            _it_gave_up(ground, sick)
    await_recovery(ground, RECOVERY_SECONDS)
    ground.quiesce(RECOVERY_SECONDS)
    with ground.at(sick.target) as target:
        assert value(target, f"SELECT count(*) FROM {sick.arrived}") == sick.rows
    assert open_letters(ground) == []
    assert alerts(ground) == []
    assert verified(ground) == []


def _give_a_scheme(ground: Ground) -> None:
    """Both sides know it."""
    with ground.citizen() as portal, ground.warehouse() as warehouse:
        execute(portal, _SCHEME)
        execute(warehouse, _SCHEME_MASTER)


def _fill(ground: Ground, sick: Sick) -> None:
    """Changes in all lanes of its flow."""
    with ground.at(sick.source) as source:
        sick.fill(source)
        lanes = "SELECT count(DISTINCT lane) FROM synctasks.change_log WHERE flow = %s"
        assert value(source, lanes, [sick.flow]) == 8


def _it_gave_up(ground: Ground, sick: Sick) -> None:
    """A notice for each lane that climbed in vain, and the breaker is open."""
    wait_until(lambda: alerts(ground), LADDER_SECONDS, "an alert")
    [alert] = alerts(ground)
    said = f"{'warehouse' if sick.target == WAREHOUSE else 'citizen'}: disk full [53100]"
    assert (alert["flow"], alert["name"]) == (sick.flow, "breaker open")
    assert f"target: {said}" in alert["reason"]
    letters = "SELECT DISTINCT flow, kind, error FROM synctasks.dead_letter WHERE state = 'open'"

    def kept() -> bool:
        with ground.at(sick.source) as source:
            return rows(source, letters) == [(sick.flow, "task", said)]

    wait_until(kept, 10, "the notices of failed tasks")
