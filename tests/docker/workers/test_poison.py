"""Messages and records that are poison become dead letters, and the worker works on."""

from __future__ import annotations

import pytest
from pytest_celery import CeleryTestSetup
from redis import Redis

from synctasks.embedded.waiting import wait_until
from tests.attacks import SECRET
from tests.docker.workers.arriving import all_arrives, the_same
from tests.letters import letter, states
from tests.messages import call
from tests.rows import Connection, add_record, execute, names_at_portal, rows

pytestmark = pytest.mark.usefixtures("listener")

POISON = [
    ("events", b"\x80\x04" + SECRET.encode()),
    ("control", call("sync.nothing", keys=[SECRET])),
    ("batch", call("refresh.profile_data", slot=SECRET)),
    ("dlq", call("sync.profile_data", keys=SECRET)),
]
LETTERS = {
    ("unknown", "message in queue events", "it is no JSON"),
    ("unknown", "message for sync.nothing", "it is for a task that does not exist"),
    (
        "profile_data",
        "message for refresh.profile_data",
        "argument slot: it is no slot's number",
    ),
    ("profile_data", "message for sync.profile_data", "argument keys: it is no list of keys"),
}

_LETTERS = """\
SELECT flow, unit, error FROM synctasks.dead_letter WHERE kind = 'task' AND state = 'open'
"""


def test_a_poison_message_becomes_a_dead_letter(
    warehouse: Connection, citizen: Connection, broker: Redis, celery_setup: CeleryTestSetup
) -> None:
    worker = celery_setup.worker
    with the_same(worker):
        for queue, item in POISON:
            broker.lpush(queue, item)
        wait_until(lambda: len(rows(warehouse, _LETTERS)) >= len(POISON), 20, "the letters")
        assert set(rows(warehouse, _LETTERS)) == LETTERS
        add_record(warehouse, "GR-1")
        wait_until(lambda: "GR-1" in names_at_portal(citizen), 20, "a record")
        all_arrives(warehouse, citizen, worker)
    # A heartbeat may be on its way at any one moment.
    wait_until(lambda: not broker.hlen("unacked"), 20, "nothing to be in anybody's hands")
    assert SECRET not in worker.logs()


def test_a_poison_record_becomes_a_dead_letter_until_it_is_put_right(
    warehouse: Connection, citizen: Connection, celery_setup: CeleryTestSetup
) -> None:
    worker = celery_setup.worker
    with the_same(worker):
        add_record(warehouse, "GR-bad", gender=SECRET)
        add_record(warehouse, "GR-good")
        wait_until(lambda: "GR-bad" in states(warehouse), 20, "the letter")
        wait_until(lambda: "GR-good" in names_at_portal(citizen), 20, "the other record")
        assert set(names_at_portal(citizen)) == {"GR-good"}
        told = letter(warehouse, "GR-bad")
        assert (told["flow"], told["kind"], told["category"], told["state"]) == (
            "profile_data",
            "record",
            "accuracy",
            "open",
        )
        execute(warehouse, "UPDATE golden_records SET gender = 'F', updated_at = now()")
        all_arrives(warehouse, citizen, worker)
    assert states(warehouse) == {"GR-bad": "resolved"}
    assert SECRET not in worker.logs()
