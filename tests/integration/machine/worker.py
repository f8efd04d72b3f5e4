"""A worker that runs from point to point: a thread, but only while the machine waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import psycopg2

# A step takes milliseconds; a worker that is away for longer hangs.
_PATIENCE_SECONDS = 60

Connection = psycopg2.extensions.connection


class Killed(BaseException):
    """Unwinds a worker through its transactions, as the connections of a dead process end.

    No Exception: nothing in the package may take it for a failure that it can do something about.
    """


class Worker(threading.Thread):
    """Works until it reaches the point where it is to stop, and from there on when told to.

    `at` is the point where it stands, None once it has ended; `source` is the database that its
    flow starts in. `seen` is called at each target commit, since another one may follow before
    the worker stops.
    """

    def __init__(
        self, name: str, work: Callable[[], Any], source: str, seen: Callable[[], None]
    ) -> None:
        super().__init__(name=name, daemon=True)
        self.source = source
        self.at: str | None = None
        self.settling = False
        self.failure: BaseException | None = None
        self._work, self._seen = work, seen
        self._stop: str | None = None
        self._dies = False
        self._turn, self._ours = threading.Semaphore(0), threading.Semaphore(0)
        self._used: dict[tuple[str, int], Connection] = {}

    def __repr__(self) -> str:
        return f"<{self.name} at {self.at!r}>"

    def go(self, stop: str | None) -> None:
        """Let it run until it reaches the point `stop`, or ends."""
        self._stop = stop
        if self.ident is None:
            self.start()
        else:
            self._turn.release()
        if not self._ours.acquire(timeout=_PATIENCE_SECONDS):
            raise TimeoutError(f"{self!r} does not come back")

    def kill(self) -> None:
        """Let it die where it stands."""
        self._dies = True
        self.go(None)

    def lost(self, place: str) -> list[int]:
        """The server processes at a database whose connections it left behind open."""
        return [pid for (at, pid), used in self._used.items() if at == place and used.closed]

    def run(self) -> None:
        try:
            self._work()
        except BaseException as failure:  # noqa: BLE001 - the machine judges it
            self.failure = failure
        self.at = None
        self._ours.release()

    def reach(self, point: str) -> None:
        """Stand at a point, if this is where to stop. Raises Killed where the worker dies there."""
        if point == "target committed":
            self._seen()
        if point != self._stop:
            return
        self.at = point
        self._ours.release()
        self._turn.acquire()
        if self._dies:
            raise Killed

    def use(self, place: str, connection: Connection) -> None:
        """Note a connection: if the worker dies, its server process must be gone, too."""
        self._used[place, connection.info.backend_pid] = connection


def current() -> Worker | None:
    """The worker that this thread is."""
    thread = threading.current_thread()
    return thread if isinstance(thread, Worker) else None
