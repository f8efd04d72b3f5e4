"""Worker, listener and beat that run already, on whatever machine: the demo only looks for them."""

from __future__ import annotations

import math
import time
from types import TracebackType
from typing import Self

from synctasks.database import transaction
from synctasks.demo.failure import DemoFailed
from synctasks.demo.processes import READY_SECONDS
from synctasks.embedded.waiting import wait_until
from synctasks.flow import Database
from synctasks.monitoring.figures.signs import PROCESSES, presence, silence

# Each says that it is there every 10 s; a worker that is busy a little later.
_FRESH_SECONDS = 20.0
_GONE_SECONDS = 120.0
_LOOK_SECONDS = 5.0


class Joined:
    """What runs already; `with Joined() as processes:` waits at most a minute until all is there.

    Raises DemoFailed, naming what is missing, then and in `check`.
    """

    def __init__(self) -> None:
        self._looked = -math.inf

    def check(self) -> None:
        """Raise DemoFailed, naming the processes, if nothing was heard of some for two minutes."""
        if time.monotonic() - self._looked < _LOOK_SECONDS:
            return
        self._looked = time.monotonic()
        if gone := _unheard_of(_GONE_SECONDS):
            raise DemoFailed(f"nothing was heard of {', '.join(gone)} for {_GONE_SECONDS:.0f} s")

    def __enter__(self) -> Self:
        try:
            wait_until(lambda: not _unheard_of(_FRESH_SECONDS), READY_SECONDS, "the processes")
        except TimeoutError:
            missing = ", ".join(_unheard_of(_FRESH_SECONDS))
            raise DemoFailed(
                f"nothing was heard of {missing} for {READY_SECONDS:.0f} s; start what is missing "
                "(see Procfile), or leave out --join: the demo then starts its own"
            ) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """They go on as they did."""


def _unheard_of(seconds: float) -> list[str]:
    """The processes that nobody has heard of for so long."""
    heard = []
    for database in Database:
        with transaction(database) as tx:
            heard.append({**dict.fromkeys(PROCESSES, math.inf), **presence(tx)})
    return [
        process
        for process in PROCESSES
        if silence(process, [ages[process] for ages in heard]) > seconds
    ]
