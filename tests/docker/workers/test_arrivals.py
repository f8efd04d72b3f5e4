"""What changes at one side arrives at the other, and so does what people ask for."""

from __future__ import annotations

import json
import re

import pytest
from pytest_celery import CeleryTestSetup, CeleryTestWorker

from synctasks.embedded.waiting import wait_until
from tests.docker.workers.arriving import all_arrives, no_letters
from tests.flows.citizens import ASHA, NUMBERS, given_citizen
from tests.flows.documents import given_document, shown
from tests.refreshing import add_records, key, run_of, unseen
from tests.rows import Connection, add_record, execute, names_at_portal, rows

pytestmark = pytest.mark.usefixtures("celery_setup", "listener")

SECONDS = 20


def test_events_arrive_in_both_directions(warehouse: Connection, citizen: Connection) -> None:
    add_record(warehouse, "GR-1", full_name="Asha Devi", jan_aadhaar=NUMBERS[ASHA])
    wait_until(lambda: names_at_portal(citizen) == {"GR-1": "Asha Devi"}, SECONDS, "the record")
    execute(warehouse, "UPDATE golden_records SET full_name = 'Asha Kumari', updated_at = now()")
    wait_until(lambda: names_at_portal(citizen) == {"GR-1": "Asha Kumari"}, SECONDS, "its change")
    given_citizen(citizen, ASHA, verification_status="pending")
    document = given_document(citizen)
    wait_until(lambda: document in shown(warehouse), SECONDS, "the document")
    assert shown(warehouse)[document]["citizen_id"] == "GR-1"
    assert no_letters(warehouse, citizen)


def test_what_celery_call_asks_for_arrives(
    warehouse: Connection, citizen: Connection, celery_setup: CeleryTestSetup
) -> None:
    with unseen(warehouse):
        add_records(warehouse, 1, 5)
    wanted = [key(2), key(4)]
    call(celery_setup.worker, "sync.profile_data", keys=wanted)
    wait_until(lambda: len(names_at_portal(citizen)) >= 2, SECONDS, "the records asked for")
    assert sorted(names_at_portal(citizen)) == wanted
    call(celery_setup.worker, "sync.profile_data")
    wait_until(lambda: len(names_at_portal(citizen)) == 5, SECONDS, "all records")
    all_arrives(warehouse, citizen, celery_setup.worker)
    [some, everything] = rows(warehouse, "SELECT id FROM synctasks.run ORDER BY id")
    assert run_of(warehouse, some)["written"] == 2
    run = run_of(warehouse, everything)
    assert (run["state"], run["read"], run["written"]) == ("succeeded", 5, 3)


def call(worker: CeleryTestWorker, task: str, **arguments: object) -> None:
    """`celery call`, typed in the worker's container."""
    command = ["celery", "-A", "synctasks", "call", task, "--kwargs", json.dumps(arguments)]
    code, said = worker.container.exec_run(command)
    assert code == 0, said
    # The number of its message.
    assert re.fullmatch(r"[0-9a-f-]{36}", said.decode().strip()), said
