"""Quiet: once a flow is paused, what was begun before has come to its end."""

from __future__ import annotations

from synctasks.database import DRAIN, transaction
from synctasks.engine import lock
from synctasks.flow import Flow


def wait_until_quiet(flow: Flow, lanes: int) -> None:
    """Wait until nobody writes to the paused flow's target any more. Raises LaneBusy.

    Whoever holds a lane has read what is due before, and writes under the lane's lock.
    """
    for lane in range(lanes):
        with transaction(flow.target.database, DRAIN) as target:
            lock.wait_long_for(target, flow, lane)
