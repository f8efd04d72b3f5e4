"""Waiting for a condition, always with an end."""

from __future__ import annotations

import time
from collections.abc import Callable

POLL_SECONDS = 0.02


def wait_until(condition: Callable[[], bool], timeout: float, what: str) -> None:
    """Return as soon as the condition holds; it is asked every 20 ms.

    `timeout` is in seconds. Raises TimeoutError, naming `what` was awaited, when it has passed.
    """
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() >= deadline:
            raise TimeoutError(f"waited {timeout:g} s in vain for {what}")
        time.sleep(POLL_SECONDS)
