"""Faults of a target that lives: read-only, full, slow."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from synctasks.embedded.waiting import wait_until
from tests.faults.fault import Fault
from tests.faults.ground import Ground
from tests.faults.servers import SIDES
from tests.faults.troubles import FULL, SLOW, trouble
from tests.rows import execute, value

_RELOAD_SECONDS = 10


@contextmanager
def read_only(ground: Ground, _: random.Random, *, side: str) -> Iterator[None]:
    """As after a failover to a standby: each transaction that begins, in old sessions, too."""
    _set_read_only(ground, side, "on")
    try:
        yield
    finally:
        _set_read_only(ground, side, "off")


def _set_read_only(ground: Ground, side: str, state: str) -> None:
    with ground.at(SIDES[side]) as connection:
        execute(connection, f"ALTER SYSTEM SET default_transaction_read_only = {state}")
        execute(connection, "SELECT pg_reload_conf()")
    wait_until(lambda: _is_read_only(ground, side) == state, _RELOAD_SECONDS, "the new setting")


def _is_read_only(ground: Ground, side: str) -> str:
    with ground.at(SIDES[side]) as connection:
        return str(value(connection, "SHOW default_transaction_read_only"))


@contextmanager
def full(ground: Ground, _: random.Random, *, side: str) -> Iterator[None]:
    """No room for any row: SQLSTATE 53100, raised by a trigger, since no user may fill a disk."""
    with trouble(ground, SIDES[side], FULL):
        yield


@contextmanager
def slow(ground: Ground, _: random.Random, *, side: str) -> Iterator[None]:
    """Each row that we write takes longer than our statements may."""
    with trouble(ground, SIDES[side], SLOW):
        yield


FAULTS = (
    *(Fault("read-only", side, (side,), partial(read_only, side=side)) for side in SIDES),
    *(Fault("disk full", side, (side,), partial(full, side=side)) for side in SIDES),
    *(Fault("too slow", side, (side,), partial(slow, side=side), seconds=7.0) for side in SIDES),
)
