"""A source's clock that is wrong by ten minutes.

No user may set a server's clock, so what was read from it is changed: what the change log gets
from now on, by a trigger; and when it is set, what else stands there of times, as it looks after a
clock was put right.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from tests.faults.fault import Fault
from tests.faults.ground import Ground
from tests.faults.servers import SIDES
from tests.faults.troubles import CLOCK, trouble
from tests.rows import execute

SHIFTS = {"fast": "10 minutes", "slow": "-10 minutes"}

# Not of any row that an application wrote: what is ahead of its server is rejected, by rule.
_SHIFT = (
    "UPDATE synctasks.lane SET started_at = started_at + %(shift)s::interval, "
    "retry_at = retry_at + %(shift)s::interval",
    "UPDATE synctasks.chunk SET claimed_at = claimed_at + %(shift)s::interval "
    "WHERE finished_at IS NULL",
    "UPDATE synctasks.change_log SET captured_at = captured_at + %(shift)s::interval, "
    "not_before = not_before + %(shift)s::interval",
    "UPDATE synctasks.breaker SET probed_at = probed_at + %(shift)s::interval",
)


@contextmanager
def clock_off(ground: Ground, _: random.Random, *, side: str, how: str) -> Iterator[None]:
    """The clock is wrong for a while; at the end it jumps back to what is right."""
    with trouble(ground, SIDES[side], CLOCK, SHIFTS[how]):
        yield
        put_right(ground, side, how)


def put_right(ground: Ground, side: str, how: str) -> None:
    """What was noted with the wrong clock and is still there, as the right one sees it."""
    with ground.at(SIDES[side]) as connection:
        for statement in _SHIFT:
            execute(connection, statement, {"shift": SHIFTS[how]})


FAULTS = tuple(
    Fault("clock off", f"{side}, {how}", (side,), partial(clock_off, side=side, how=how))
    for side in SIDES
    for how in SHIFTS
)
