"""One server program's life: start and wait for its answer, stop, kill, start again."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from types import MappingProxyType

from synctasks.embedded.errors import EmbeddedServerError
from synctasks.embedded.ports import require_free
from synctasks.embedded.process import GuardedProcess, last_lines
from synctasks.embedded.waiting import wait_until

START_SECONDS = 60.0
LEFTOVER_SECONDS = 30.0
ENVIRONMENT = MappingProxyType({"LC_ALL": "C"})  # we read their messages


class ServerRuns:
    """The runs of one server, one after the other, on the same port."""

    def __init__(
        self,
        name: str,
        port: int,
        log: Path,
        *,
        stop_signals: Sequence[signal.Signals],
        account: str | None = None,
        lease: int | None = None,
    ) -> None:
        self.name = name
        self.port = port
        self.log = log
        self._stop_signals = stop_signals
        self._account = account
        self._lease = lease
        self._process: GuardedProcess | None = None

    @property
    def alive(self) -> bool:
        """Whether the server's process runs."""
        return self._process is not None and self._process.alive

    @property
    def process(self) -> GuardedProcess:
        """The present or last process. Raises EmbeddedServerError before the first start."""
        if self._process is None:
            raise EmbeddedServerError(self.name, "it was not started", "Start it first")
        return self._process

    def start(self, command: Sequence[str], answers: Callable[[], bool]) -> None:
        """Start the server and return when it answers; nothing happens if it runs already.

        Raises EmbeddedServerError: the port is taken, or the server ended or gave no answer
        within 60 s (with the last lines of its log).
        """
        if self.alive:
            return
        if self._process is not None:
            # A killed PostgreSQL leaves backends that hold its shared memory for a moment.
            self._await_end(self._process, LEFTOVER_SECONDS)
        require_free(self.port, self.name)
        self._process = GuardedProcess.start(
            command,
            log=self.log,
            env=ENVIRONMENT,
            cwd=Path("/"),
            user=self._account,
            stop_signals=self._stop_signals,
            lease=self._lease,
        )
        self._await_answer(self._process, answers)

    def run_to_end(self, command: Sequence[str], timeout: float) -> int:
        """Run a preparing program under the same account, log and lease; return its code.

        Raises EmbeddedServerError after `timeout` seconds; the program is ended then, too.
        """
        with GuardedProcess.start(
            command,
            log=self.log,
            env=ENVIRONMENT,
            cwd=Path("/"),
            user=self._account,
            lease=self._lease,
        ) as process:
            return self._await_end(process, timeout)

    def stop(self, number: signal.Signals | None = None) -> None:
        """Stop the server, by this signal if given, and wait until all of it is gone."""
        if self._process is not None:
            self._process.stop(number)

    def kill(self) -> None:
        """Kill the server's process with SIGKILL and wait for its end."""
        self.process.kill()

    def _await_end(self, process: GuardedProcess, timeout: float) -> int:
        try:
            return process.wait(timeout)
        except TimeoutError as error:
            raise EmbeddedServerError(self.name, str(error), f"See {self.log}") from error

    def _await_answer(self, process: GuardedProcess, answers: Callable[[], bool]) -> None:
        try:
            wait_until(lambda: answers() or not process.alive, START_SECONDS, self.name)
        except TimeoutError:
            process.stop()
            cause = f"it gave no answer within {START_SECONDS:g} s"
        else:
            if process.alive:
                return
            cause = f"it ended at once with code {process.stop()}"
        raise EmbeddedServerError(
            self.name, cause, f"See the end of its log {self.log}", last_lines(self.log)
        )
