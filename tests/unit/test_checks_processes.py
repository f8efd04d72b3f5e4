"""What the doctor makes of processes, the broker and passwords, without a server."""

from __future__ import annotations

from typing import Any

import pytest

from synctasks.checks import State, alive, broker, credentials
from synctasks.flow import Database
from synctasks.presence import LISTENER

OK, WARNING, PROBLEM, COULD_NOT_RUN = State

LIMITS = dict.fromkeys(alive.START, 60.0)
SEEN = dict.fromkeys(alive.START, 1.0)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, {}),
        ({"beat": 61.0}, {"beat": PROBLEM}),
        ({"worker dlq": 61.0}, {"worker dlq": PROBLEM}),
        ({LISTENER: 61.0}, {LISTENER: PROBLEM}),
        (
            {LISTENER: 61.0, "worker dlq": 99.0, "worker events": 99.0},
            {LISTENER: PROBLEM, "worker events, worker dlq": COULD_NOT_RUN},
        ),
    ],
)
def test_of_silent_workers_nothing_is_known_where_nobody_asks_them(
    changes: dict[str, float], found: dict[str, State]
) -> None:
    judged = alive.judged(Database.CITIZEN, {**SEEN, **changes}, LIMITS)
    told = {each.thing.partition(", as the citizen")[0]: each.state for each in judged}
    assert {thing: state for thing, state in told.items() if state is not OK} == found


def test_each_process_has_a_limit() -> None:
    assert alive.limits().keys() == alive.START.keys()


@pytest.mark.parametrize(
    ("info", "state"),
    [
        ({"redis_version": "6.0.1"}, OK),
        ({"redis_version": "10.2"}, OK),
        ({"redis_version": "5.0.14"}, PROBLEM),
    ],
)
def test_the_broker_is_new_enough_or_not(info: dict[str, Any], state: State) -> None:
    assert broker.judged_version(info).state is state


@pytest.mark.parametrize(
    ("info", "state"),
    [
        ({"maxmemory_policy": "noeviction"}, OK),
        ({}, OK),
        ({"maxmemory_policy": "allkeys-lru"}, PROBLEM),
        ({"maxmemory_policy": "volatile-ttl"}, PROBLEM),
    ],
)
def test_the_broker_must_not_drop_messages(info: dict[str, Any], state: State) -> None:
    found = broker.judged_policy(info)
    assert found.state is state
    assert state is OK or "CONFIG SET maxmemory-policy noeviction" in found.remedy


@pytest.mark.parametrize(
    ("info", "saves", "state"),
    [
        ({"aof_enabled": 1}, False, OK),
        ({"aof_enabled": 0}, True, OK),
        ({"aof_enabled": 0}, False, WARNING),
        ({"aof_enabled": 1, "aof_last_write_status": "err"}, True, PROBLEM),
        ({"aof_enabled": 0, "rdb_last_bgsave_status": "err"}, True, PROBLEM),
    ],
)
def test_the_broker_keeps_what_it_has_or_not(
    info: dict[str, Any], saves: bool, state: State
) -> None:
    assert broker.judged_persistence(info, saves=saves).state is state


@pytest.mark.parametrize(
    ("value", "state"),
    [
        ("admin:correct horse battery", OK),
        ("admin:correct horse battery,clerk:3f9c2a7be01d", OK),
        ("", WARNING),
        ("correct horse battery", PROBLEM),
        (":correct horse battery", PROBLEM),
        ("admin:", PROBLEM),
        ("admin:short", PROBLEM),
        ("admin:aaaaaaaaaaaaaaaa", PROBLEM),
        ("admin:adminadminadmin", PROBLEM),
        ("admin:correct horse battery,clerk:1234", PROBLEM),
    ],
)
def test_flowers_password_is_there_and_hard_to_guess(value: str, state: State) -> None:
    found = credentials.judged_flower(value)
    assert found.state is state
    password = value.partition(":")[2]
    assert len(password) < 6 or password not in f"{found.cause} {found.remedy}"


@pytest.mark.parametrize(
    ("value", "state"), [("x" * 32, OK), ("", WARNING), (" ", WARNING), ("x" * 31, PROBLEM)]
)
def test_the_secret_of_the_callbacks_is_long_enough(value: str, state: State) -> None:
    assert credentials.judged_secret(value).state is state
