"""Worker, listener and beat as children of the demo: gone when it is, however it ends."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from synctasks import dispatch
from synctasks.demo.failure import DemoFailed
from synctasks.embedded.directory import LeasedDirectory
from synctasks.embedded.process import GuardedProcess, last_lines
from synctasks.embedded.waiting import wait_until
from synctasks.flows import FLOWS
from synctasks.settings import LEVEL_VARIABLE, LOGS_VARIABLE

READY_SECONDS = 60.0
# After a kill -9 of the demo the broker may go before the worker, which then would wait for it.
GRACE_SECONDS = 5.0

# Not the console script: it may lie anywhere, our interpreter does not.
_SYNCTASKS = ("-c", "from synctasks.cli import main; main()")
_CELERY = ("-m", "celery", "-A", "synctasks")


class _Program(NamedTuple):
    """How a program is started by our Python, and how its log shows that it is ready."""

    name: str
    arguments: Sequence[str]
    is_ready: Callable[[Path], bool]


class Running(Protocol):
    """The processes that the sync consists of, as long as the block runs."""

    def check(self) -> None:
        """Raise DemoFailed, naming what has ended."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Processes:
    """The three processes that the sync consists of, and their logs in a temporary directory.

    `with Processes() as processes:` starts them and returns when each of them is at work; raises
    DemoFailed, with the end of its log, if one of them ends or takes longer than a minute.
    """

    def __init__(self) -> None:
        self._directory = LeasedDirectory()
        self._running: dict[str, GuardedProcess] = {}

    def check(self) -> None:
        """Raise DemoFailed, naming the process and the end of its log, if one has ended."""
        for name, process in self._running.items():
            if not process.alive:
                raise _failed(name, "it has ended", process.log)

    def log(self, name: str) -> Path:
        """Where `worker`, `listener` or `beat` writes its log, as long as the processes run."""
        return self._directory.path / f"{name}.log"

    def __enter__(self) -> Self:
        try:
            for program in _programs(self._directory.path):
                self._start(program)
            for program in _programs(self._directory.path):
                self._await(program)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def _start(self, program: _Program) -> None:
        self._running[program.name] = GuardedProcess.start(
            [sys.executable, *program.arguments],
            log=self.log(program.name),
            # A killed worker leaves a temporary directory behind. People see the end of the logs.
            env={
                "TMPDIR": str(self._directory.path),
                LOGS_VARIABLE: "console",
                LEVEL_VARIABLE: "info",
            },
            grace=GRACE_SECONDS,
            lease=self._directory.lease,
        )

    def _await(self, program: _Program) -> None:
        log = self.log(program.name)

        def is_ready() -> bool:
            self.check()
            return program.is_ready(log)

        try:
            wait_until(is_ready, READY_SECONDS, program.name)
        except TimeoutError:
            raise _failed(program.name, f"not ready within {READY_SECONDS:.0f} s", log) from None

    def _stop(self) -> None:
        for process in self._running.values():
            process.send(signal.SIGTERM)  # to all before waiting for each
        for process in self._running.values():
            process.stop()
        self._directory.close()


def _programs(directory: Path) -> tuple[_Program, ...]:
    schedule = str(directory / "schedule")
    quiet = ("--without-gossip", "--without-mingle")
    return (
        _Program("worker", (*_CELERY, "worker", *quiet), _answers),
        _Program("listener", (*_SYNCTASKS, "listen"), _listens),
        _Program("beat", (*_CELERY, "beat", "-s", schedule), _beats),
    )


def _answers(_log: Path) -> bool:
    return dispatch.worker_answers(within_seconds=0.3)


def _listens(log: Path) -> bool:
    sources = {flow.source.database for flow in FLOWS if flow.capture}
    text = log.read_text(errors="replace")
    return all(re.search(rf"listener\.connected .*database={each}\b", text) for each in sources)


def _beats(log: Path) -> bool:
    return "beat: Starting" in log.read_text(errors="replace")


def _failed(name: str, what: str, log: Path) -> DemoFailed:
    lines = [f"    {line}" for line in last_lines(log)] or ["    (nothing)"]
    return DemoFailed("\n".join([f"the {name}: {what}. The end of its log:", *lines]))
