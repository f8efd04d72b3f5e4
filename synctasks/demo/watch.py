"""Watching the sync at work: figures read, shown, and judged for signs of trouble."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

from synctasks.demo.failure import DemoFailed
from synctasks.demo.figures import Figures, Meter, carried, pending
from synctasks.demo.processes import Running
from synctasks.demo.show import Scoreboard
from synctasks.demo.workload import Workload

# How long nothing may move before we say that something is wrong.
STUCK_SECONDS = 60.0
_TICK_SECONDS = 0.25


class Watch:
    """Reads and shows the figures four times a second, and sees to it that all is well.

    Its methods raise DemoFailed if a process ends or changes are pending and nothing moves for a
    minute, and SynctasksError if the application or a server fails.
    """

    def __init__(
        self, meter: Meter, workload: Workload, board: Scoreboard, processes: Running
    ) -> None:
        self._meter, self._workload, self._board = meter, workload, board
        self._processes = processes
        self._carried, self._moved = 0, time.monotonic()
        self._tick = threading.Event()

    def changing(self, seconds: int) -> None:
        """Watch for so many seconds."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._look("both sources change")
            self._tick.wait(_TICK_SECONDS)

    def catching_up(self) -> Mapping[str, Figures]:
        """Watch until nothing is pending; the figures at that moment.

        The two sources are read one after the other, and one flow's write may be another one's
        change: so nothing is pending when two looks say so, and nothing was carried between them.
        """
        seen = -1
        while True:
            figures = self._look("waiting until nothing is pending")
            if not pending(figures) and carried(figures) == seen:
                return figures
            seen = carried(figures) if not pending(figures) else -1
            self._tick.wait(_TICK_SECONDS)

    def _look(self, doing: str) -> Mapping[str, Figures]:
        self._processes.check()
        self._workload.check()
        figures = self._meter.read()
        self._board.show(doing, figures)
        if carried(figures) != self._carried or not pending(figures):
            self._carried, self._moved = carried(figures), time.monotonic()
        elif time.monotonic() - self._moved > STUCK_SECONDS:
            raise DemoFailed(
                f"{pending(figures):,} changes are pending, and none was carried "
                f"for {STUCK_SECONDS:.0f} s"
            )
        return figures
