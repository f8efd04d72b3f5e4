"""The lane lock: everything for a share of a flow's keys happens under it.

The lock lives in the target, in the transaction that writes there, so that lock and write live
and die together. Two ways to ask for it: wait a little (a drain), or take whichever is free (a
chunk of a refresh).
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from zlib import crc32

from synctasks.database import Limits, Transaction
from synctasks.errors import LaneBusy, LockTimeout
from synctasks.flow import Flow

LOCK_WAIT_MS = 300
# Workers hold a lane for 200 ms at a time; nobody queues behind an onlooker.
_TRIES = 200
_PAUSE_SECONDS = 0.05

_WAIT = """\
SET LOCAL lock_timeout = {wait_ms};
SELECT pg_advisory_xact_lock(%(space)s, %(lane)s);
SET LOCAL lock_timeout = {lock_ms}
"""

_TRY = "SELECT pg_try_advisory_xact_lock(%(space)s, %(lane)s)"


def wait_for(target: Transaction, flow: Flow, lane: int, limits: Limits) -> None:
    """Take the lane, waiting at most 300 ms. Raises LaneBusy."""
    statement = _WAIT.format(wait_ms=LOCK_WAIT_MS, lock_ms=limits.lock_ms)
    try:
        target.execute(statement, {"space": _space(flow), "lane": lane})
    except LockTimeout:
        raise LaneBusy(f"{flow.name}: lane {lane} is held by another worker") from None


def wait_long_for(target: Transaction, flow: Flow, lane: int) -> None:
    """Take the lane for somebody who looks on, and can wait his turn. Raises LaneBusy."""
    for _ in range(_TRIES):
        if take_any(target, flow, [lane]) is not None:
            return
        time.sleep(_PAUSE_SECONDS)
    raise LaneBusy(f"{flow.name}: lane {lane} is held by another worker all the time")


def take_any(target: Transaction, flow: Flow, lanes: Iterable[int]) -> int | None:
    """Take the first of the lanes that is free, without waiting; None if none is."""
    for lane in lanes:
        if target.value(_TRY, {"space": _space(flow), "lane": lane}):
            return lane
    return None


def _space(flow: Flow) -> int:
    """The flow's number space among the target's advisory locks, a signed 32-bit integer."""
    number = crc32(f"synctasks:{flow.name}".encode())
    return number - 2**32 if number >= 2**31 else number
