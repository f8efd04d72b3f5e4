"""An application at the target gets in our way."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from synctasks.embedded.waiting import wait_until
from tests.faults import rivals
from tests.faults.bearing import Bearing
from tests.faults.ground import Ground
from tests.faults.recovery import await_markers

# Commit to commit at most, as the specification wants it, also while others are locked.
LATENCY_SECONDS = 10


@pytest.mark.parametrize("which", rivals.ROWS)
def test_locked_rows_hold_no_others_up(bearing: Bearing, which: str) -> None:
    bearing.bears(_others_arrive_beside_locks(bearing.ground, which), 2)


@pytest.mark.parametrize("which", rivals.ROWS)
def test_whoever_locks_in_the_opposite_order_wins(bearing: Bearing, which: str) -> None:
    bearing.bears(_rival_wins(bearing.ground, which), 2)


@contextmanager
def _others_arrive_beside_locks(ground: Ground, which: str) -> Iterator[None]:
    with rivals.locks_held(ground, random.Random(0), which=which):
        yield
        await_markers(ground, LATENCY_SECONDS)


@contextmanager
def _rival_wins(ground: Ground, which: str) -> Iterator[None]:
    with rivals.Rival(ground, rivals.ROWS[which]) as rival:
        yield
        wait_until(lambda: rival.locked >= 2 or rival.failed, 20, "the application to get its rows")
    assert rival.deadlocks == 0
