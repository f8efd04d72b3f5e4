"""Faults of the servers: Redis and both PostgreSQL."""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from tests.faults.fault import Fault
from tests.faults.ground import CITIZEN, WAREHOUSE, Ground
from tests.rows import execute

SIDES = {"warehouse": WAREHOUSE, "portal": CITIZEN}

_TERMINATE = """\
SELECT pg_terminate_backend(pid)
FROM pg_stat_activity
WHERE application_name LIKE 'synctasks%%' AND pid <> pg_backend_pid()
"""


@contextmanager
def redis_killed(ground: Ground, _: random.Random) -> Iterator[None]:
    """kill -9; it comes back empty."""
    ground.servers.broker.kill()
    try:
        yield
    finally:
        ground.servers.broker.start()


@contextmanager
def redis_restarted(ground: Ground, _: random.Random) -> Iterator[None]:
    """Stopped politely; it comes back empty all the same."""
    ground.servers.broker.stop()
    try:
        yield
    finally:
        ground.servers.broker.start()


@contextmanager
def redis_emptied(ground: Ground, _: random.Random) -> Iterator[None]:
    """FLUSHALL, at the beginning and at the end."""
    for pause in (True, False):
        with ground.broker() as broker:
            broker.flushall()
        if pause:
            yield


@contextmanager
def redis_frozen(ground: Ground, _: random.Random) -> Iterator[None]:
    ground.servers.broker.send(signal.SIGSTOP)
    try:
        yield
    finally:
        ground.servers.broker.send(signal.SIGCONT)


@contextmanager
def postgres_stopped(ground: Ground, _: random.Random, *, side: str, how: str) -> Iterator[None]:
    """`fast` is SIGINT, as a planned restart is; `immediate` SIGQUIT: it recovers from its log."""
    server = ground.servers.warehouse if side == "warehouse" else ground.servers.citizen
    server.stop(how)  # type: ignore[arg-type]
    try:
        yield
    finally:
        server.start()


@contextmanager
def sessions_terminated(ground: Ground, _: random.Random, *, side: str) -> Iterator[None]:
    """pg_terminate_backend for all sessions of ours, at the beginning and at the end."""
    for pause in (True, False):
        with ground.at(SIDES[side]) as connection:
            execute(connection, _TERMINATE)
        if pause:
            yield


FAULTS = (
    Fault("Redis", "killed", ("redis",), redis_killed),
    Fault("Redis", "restarted", ("redis",), redis_restarted),
    Fault("Redis", "emptied", ("redis",), redis_emptied),
    Fault("Redis", "frozen", ("redis",), redis_frozen, seconds=5.0),
    *(
        Fault(
            "PostgreSQL restart",
            f"{side}, {how}",
            (side,),
            partial(postgres_stopped, side=side, how=how),
            seconds=2.0,
        )
        for side in SIDES
        for how in ("fast", "immediate")
    ),
    *(
        Fault("sessions terminated", side, (side,), partial(sessions_terminated, side=side))
        for side in SIDES
    ),
)
