"""Sends for what was recorded, behind the answer's back: it must not wait for the broker."""

from __future__ import annotations

from collections.abc import Iterable

import structlog
from anyio import to_thread

from synctasks import dispatch
from synctasks.errors import TransientError

log = structlog.get_logger("serve")

Lane = tuple[str, int]


class Courier:
    """One send at a time; what comes meanwhile goes together with the next.

    So a broker that does not answer holds one thread, and what is to be sent stays small. What is
    not sent at all is found by the listener within a second.
    """

    def __init__(self) -> None:
        self._lanes: set[Lane] = set()
        self._under_way = False

    async def send(self, lanes: Iterable[Lane]) -> None:
        """Let workers look at these lanes, soon."""
        self._lanes.update(lanes)
        if self._under_way:
            return
        self._under_way = True
        try:
            while self._lanes:
                wanted, self._lanes = self._lanes, set()
                await to_thread.run_sync(_send, wanted, abandon_on_cancel=True)
        finally:
            self._under_way = False


def _send(lanes: set[Lane]) -> None:
    try:
        dispatch.send_drains(lanes)
    except TransientError as error:
        log.warning("callback.not_sent", cause=str(error), remedy="the listener sends for it")
