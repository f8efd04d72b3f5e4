"""The workers of a life: those who are paused, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from synctasks.errors import LaneBusy, TransientError
from tests.integration.machine.ground import Ground
from tests.integration.machine.worker import Killed, Worker

MOST_WORKERS = 3


class Crew:
    """Workers that run one at a time; `seen` is called at each of their target commits."""

    def __init__(self, ground: Ground, source: str, seen: Callable[[], None]) -> None:
        self.paused: list[Worker] = []
        self._ground, self._source, self._seen = ground, source, seen

    @property
    def has_room(self) -> bool:
        return len(self.paused) < MOST_WORKERS

    def begin(
        self, what: str, work: Callable[[], Any], stop: str | None, source: str | None = None
    ) -> None:
        """A new worker, until it reaches the point where it is to stop, or ends.

        `source` is where its flow starts, if that is not where those of all others do.
        """
        self._run(Worker(what, work, source or self._source, self._seen), stop)

    def go_on(self, which: int, stop: str | None) -> None:
        self._run(self._take_out(which), stop)

    def kill(self, which: int) -> None:
        worker = self._take_out(which)
        worker.kill()
        self._ground.await_end(worker)
        _judge(worker)

    def end(self) -> None:
        """Let everybody finish."""
        while self.paused:
            self.go_on(0, None)

    def leave(self) -> None:
        """Whoever is paused dies where it stands."""
        while self.paused:
            worker = self._take_out(0)
            worker.kill()
            self._ground.await_end(worker)

    def _take_out(self, which: int) -> Worker:
        return self.paused.pop(which % len(self.paused))

    def _run(self, worker: Worker, stop: str | None) -> None:
        worker.go(stop)
        if worker.at is not None:
            self.paused.append(worker)
        else:
            _judge(worker)


def _judge(worker: Worker) -> None:
    """Raise what a worker raised, but for what it may: another one was in its way."""
    if not isinstance(worker.failure, (LaneBusy, TransientError, Killed, type(None))):
        raise worker.failure
