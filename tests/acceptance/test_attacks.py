"""Input that attacks: messages of all kinds in all queues, keys of all kinds in the tables.

One system for all of it; it stays at work, loses nothing silently, and says no value.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from itertools import cycle

import pytest

from synctasks.dispatch import QUEUES
from synctasks.embedded.waiting import wait_until
from tests.acceptance.system import Program, System
from tests.attacks import INJECTION, SECRET, attacks
from tests.messages import call, item, message
from tests.rows import add_record, execute

ATTACKS = list(attacks())
# Legal, however they look: text is text.
STRANGE_KEYS = [
    "'; DROP TABLE golden_records; --",
    "\"quoted\" 'twice' \\'",
    "\\x00 \\N {NULL,1} %s %(key)s $1",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \u202eGR",
    "line\nbreak\ttab\x01\x7f",
    "\u0928" * 900,  # 2,700 bytes: the longest
]

_ALL = "SELECT letter::text FROM synctasks.dead_letter AS letter"
_LETTERS = """\
SELECT flow, error, sum(count)::int
FROM synctasks.dead_letter
WHERE state = 'open' AND kind = 'task'
GROUP BY flow, error
"""


@pytest.fixture
def attacked(system: System) -> Iterator[System]:
    """A system that is the same, worker for worker, when the test is over."""
    system.quiesce()
    family = _family(system.worker)
    before = _words(system)
    yield system
    assert _family(system.worker) == family, "no worker process ended, none had to be started"
    settle(system)
    _a_change_arrives(system)
    said = _words(system).removeprefix(before)
    assert SECRET not in said, "the logs hold a value"
    assert "Traceback" not in said
    assert SECRET not in str([*system.at_warehouse(_ALL), *system.at_citizen(_ALL)])


def test_every_attack_leaves_its_letter_and_a_worker_that_works(attacked: System) -> None:
    with attacked.broker() as broker:
        for attack, queue in zip(ATTACKS, cycle(QUEUES)):
            broker.lpush(queue, attack.item)
    wanted = Counter((attack.flow, attack.error) for attack in ATTACKS)
    wait_until(lambda: letters(attacked).total() >= len(ATTACKS), 20, "all letters")
    found = Counter(
        next(each for each in wanted if flow == each[0] and error.startswith(each[1]))
        for flow, error in letters(attacked).elements()
    )
    assert found == wanted


def test_what_a_person_mistypes_is_found(attacked: System) -> None:
    outcome = attacked.run(*CALL, "sync.profile_data", "--kwargs", '{"keys": "GR-1"}')
    assert outcome.returncode == 0, outcome.stderr
    wait_until(lambda: bool(letters(attacked)), 10, "the letter")
    (told,) = json.loads(attacked.run("synctasks", "dead-letters", "list", "--json").stdout)
    assert (told["flow"], told["unit"]) == ("profile_data", "message for sync.profile_data")
    assert told["error"] == "argument keys: it is no list of keys"


CALL = ("celery", "-A", "synctasks", "call")


def letters(system: System) -> Counter[tuple[str, str]]:
    """The open letters of tasks: how often, by flow and error."""
    found = [*system.at_warehouse(_LETTERS), *system.at_citizen(_LETTERS)]
    return Counter({(flow, error): count for flow, error, count in found})


def test_strange_keys_in_messages_are_unknown_keys(attacked: System) -> None:
    keys = [*STRANGE_KEYS, INJECTION]
    with attacked.broker() as broker:
        broker.lpush("control", call("sync.profile_data", keys=keys))
        broker.lpush("events", *(call("drain.profile_data", lane=lane) for lane in (0, 7, 63)))
    ended = "SELECT done, written FROM synctasks.run WHERE kind = 'keys' AND state = 'succeeded'"
    wait_until(lambda: attacked.at_warehouse(ended) == [(len(keys), 0)], 10, "the run to end")
    assert not letters(attacked)


def test_strange_keys_in_the_tables_travel_unharmed(attacked: System) -> None:
    with attacked.warehouse() as warehouse:
        for key in STRANGE_KEYS:
            add_record(warehouse, key)
    attacked.quiesce()
    attacked.agree()
    assert set(attacked.at_citizen("SELECT record_id FROM profile_data")) == set(STRANGE_KEYS)
    with attacked.citizen() as citizen:
        execute(citizen, "UPDATE profile_data SET full_name = 'Somebody'")
    with attacked.broker() as broker:
        broker.lpush("control", call("sync.profile_data", keys=STRANGE_KEYS))
    wait_until(
        lambda: "Somebody" not in attacked.at_citizen("SELECT full_name FROM profile_data"),
        10,
        "the rows to be right again",
    )
    with attacked.warehouse() as warehouse:
        execute(warehouse, "DELETE FROM golden_records WHERE gr_id = ANY (%s)", [STRANGE_KEYS[:3]])
    attacked.quiesce()
    attacked.agree()


def test_the_same_message_twice_is_worked_on_twice(attacked: System) -> None:
    twice = item(message("sync.profile_data", keys=["GR-none"]))
    with attacked.broker() as broker:
        broker.lpush("control", *[twice] * 10)
    ended = "SELECT count(*) FROM synctasks.run WHERE kind = 'keys' AND state = 'succeeded'"
    wait_until(lambda: attacked.at_warehouse(ended) == [10], 10, "the runs to end")


def settle(system: System) -> None:
    """Nothing is left in any queue, nor in a worker's hands."""

    def empty() -> bool:
        with system.broker() as broker:
            return not any((*map(broker.llen, QUEUES), broker.hlen("unacked")))

    wait_until(empty, 10, "the queues to be empty")


def _a_change_arrives(system: System) -> None:
    with system.warehouse() as warehouse:
        add_record(warehouse, "GR-afterwards")
    there = "SELECT count(*) FROM profile_data WHERE record_id = 'GR-afterwards'"
    wait_until(lambda: system.at_citizen(there) == [1], 5, "a change to arrive")


def _words(system: System) -> str:
    return system.worker.words()


def _family(worker: Program) -> set[int]:
    return {worker.pid, *(child.pid for child in worker.children())}
