"""One flow's target does not work: all others go on, and it comes back by itself."""

from __future__ import annotations

import json
import time
from typing import Any
from uuid import uuid4

import pytest

from synctasks.embedded.waiting import wait_until
from tests.faults.bearing import RECOVERY_SECONDS
from tests.faults.ground import CITIZEN, WAREHOUSE, Ground
from tests.faults.outcome import open_letters, verified
from tests.faults.recovery import await_markers, await_recovery
from tests.faults.troubles import FULL, SLOW, prepare_troubles, trouble
from tests.rows import execute, rows, value

DOCUMENTS = 48
# What others may have to wait for at most: every lane of the sick flow holds a worker, once, until
# its first statement has run into its limit.
OTHERS_SECONDS = 10
# Longer than the ladder's waits.
LADDER_SECONDS = 30

_REGISTER = """\
INSERT INTO citizens (
    id, aadhaar_number, full_name, verification_status, created_at, updated_at
)
VALUES (%s, '900000777777', 'Uploading Citizen', 'verified', clock_timestamp(), clock_timestamp())
"""
_UPLOAD = """\
INSERT INTO documents (id, citizen_id, document_type, file_name, file_size, uploaded_at)
SELECT gen_random_uuid(), %s, 'income', number || '.pdf', 1, clock_timestamp()
FROM generate_series(1, %s) AS numbered (number)
"""
_ARRIVED = "SELECT count(*) FROM document_metadata"


def upload(ground: Ground) -> None:
    """Documents in all lanes of their flow."""
    citizen = str(uuid4())
    with ground.at(CITIZEN) as portal:
        execute(portal, _REGISTER, [citizen])
        execute(portal, _UPLOAD, [citizen, DOCUMENTS])
        lanes = "SELECT count(DISTINCT lane) FROM synctasks.change_log WHERE flow = %s"
        assert value(portal, lanes, ["document_metadata"]) == 8


def alerts(ground: Ground) -> list[dict[str, Any]]:
    """What `synctasks status` shows for somebody to look at."""
    outcome = ground.run("synctasks", "status", "--json")
    assert outcome.returncode == 0, outcome.stderr
    found: list[dict[str, Any]] = json.loads(outcome.stdout)["alerts"]
    return found


@pytest.mark.parametrize("what", [FULL, SLOW])
def test_the_others_run_on(ground: Ground, what: str) -> None:
    prepare_troubles(ground)
    with trouble(ground, WAREHOUSE, f"{what} document_metadata"):
        upload(ground)
        until = time.monotonic() + LADDER_SECONDS
        while time.monotonic() < until:
            # In both directions, one of them into the very same database.
            await_markers(ground, OTHERS_SECONDS)
        if what == FULL:
            _it_gave_up(ground)
    await_recovery(ground, RECOVERY_SECONDS)
    ground.quiesce(RECOVERY_SECONDS)
    with ground.at(WAREHOUSE) as warehouse:
        assert value(warehouse, _ARRIVED) == DOCUMENTS
    assert open_letters(ground) == []
    assert alerts(ground) == []
    assert verified(ground) == []


def _it_gave_up(ground: Ground) -> None:
    """A notice for each lane that climbed in vain, and the breaker is open."""
    wait_until(lambda: alerts(ground), LADDER_SECONDS, "an alert")
    [alert] = alerts(ground)
    assert (alert["flow"], alert["name"]) == ("document_metadata", "breaker open")
    assert "target: warehouse: disk full [53100]" in alert["reason"]
    letters = "SELECT DISTINCT flow, kind, error FROM synctasks.dead_letter WHERE state = 'open'"

    def kept() -> bool:
        with ground.at(CITIZEN) as portal:
            found = rows(portal, letters)
        return found == [("document_metadata", "task", "warehouse: disk full [53100]")]

    wait_until(kept, 10, "the notices of failed tasks")
