"""Programs that we start and that must not outlive us."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from synctasks.embedded.errors import EmbeddedServerError

GUARD = Path(__file__).with_name("guard.py")
LOG_LINES_SHOWN = 8
LOG_BYTES_READ = 8192


def guard_command(*options: str) -> list[str]:
    """Return the command line of a guard, started by path: no installed package slows it down."""
    return [sys.executable, "-I", "-S", str(GUARD), *options]


def last_lines(log: Path) -> list[str]:
    """Return the last lines of a log, without the empty ones; none if there is no log."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - LOG_BYTES_READ))
            text = stream.read().decode(errors="replace")
    except OSError:
        return []
    return [line for line in text.splitlines() if line.strip()][-LOG_LINES_SHOWN:]


class GuardedProcess:
    """One program under a guard: it ends when `stop` or `kill` is called or this process dies.

    It runs in a session of its own, so a terminal's Ctrl-C reaches this process only. A process
    that is forked from this one without an exec holds the guard's pipe, too: the program then
    ends with the last of them. Not for use by several threads at once.
    """

    def __init__(self, guard: subprocess.Popen[bytes], name: str, log: Path, grace: float) -> None:
        assert guard.stdin is not None
        assert guard.stdout is not None
        self._guard = guard
        self._owner_pipe: IO[bytes] = guard.stdin
        self._reports: IO[bytes] = guard.stdout
        self._heard = b""
        self._guard_gone = False
        self._grace = grace
        self.log = log
        self._follow(lambda: self._guard_gone or b"\n" in self._heard, None)
        if not self._heard:
            self._release()
            raise EmbeddedServerError(
                name, "it could not be started", f"See {log}", last_lines(log)[-1:]
            )
        self.pid = int(self._heard.split(b"\n")[0])

    @classmethod
    def start(
        cls,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        user: str | None = None,
        stop_signals: Sequence[signal.Signals] = (signal.SIGTERM,),
        grace: float = 10.0,
        lease: int | None = None,
    ) -> Self:
        """Start the command; its stdout and stderr are appended to `log`.

        `env` is added to this process's environment. `user` is the account to run under (only
        root may give one). On `stop` each of `stop_signals` gets `grace` seconds, then SIGKILL
        follows. `lease` is a descriptor that stays open until the program and all that it left
        behind are gone. Raises EmbeddedServerError if the command cannot be executed, OSError if
        the log cannot be written.
        """
        options = [f"--stop-signal={each.name}" for each in stop_signals]
        options += [f"--grace={grace}", *([] if user is None else [f"--user={user}"])]
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            guard = subprocess.Popen(
                guard_command(*options, "--", *command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=descriptor,
                bufsize=0,
                env={**os.environ, **(env or {})},
                cwd=cwd,
                pass_fds=() if lease is None else (lease,),
                start_new_session=True,
            )
        finally:
            os.close(descriptor)
        return cls(guard, command[0], log, grace)

    @property
    def alive(self) -> bool:
        """Whether the program itself still runs (its orphans do not count)."""
        return not self._follow(self._has_ended, 0)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the program; nothing happens if it has ended."""
        if not self._owner_pipe.closed:
            with contextlib.suppress(BrokenPipeError):
                os.write(self._owner_pipe.fileno(), bytes([number]))

    def stop(self, number: signal.Signals | None = None) -> int:
        """End the program and all that it left behind; return its code as `wait` does.

        `number` is sent before the stop signals, which follow only where it does not help within
        the grace.
        """
        if number is not None:
            self.send(number)
            self._follow(self._has_ended, self._grace)
        self._owner_pipe.close()
        return self.wait()

    def kill(self) -> None:
        """Kill the program itself with SIGKILL and return when it has ended.

        What it left behind may live a moment longer: `wait` waits for that as well.
        """
        self.send(signal.SIGKILL)
        self._follow(self._has_ended, None)

    def wait(self, timeout: float | None = None) -> int:
        """Wait until the program and all that it left behind are gone; return its code.

        The code is as `subprocess` counts it: -9 was killed by signal 9, also where the guard
        itself was killed. Raises TimeoutError after `timeout` seconds.
        """
        if not self._follow(lambda: self._guard_gone, timeout):
            raise TimeoutError(f"process {self.pid} has not ended within {timeout} s")
        self._release()
        reports = self._heard.split()
        return int(reports[1]) if len(reports) > 1 else -signal.SIGKILL

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _has_ended(self) -> bool:
        return self._guard_gone or self._heard.count(b"\n") > 1

    def _follow(self, condition: Callable[[], bool], seconds: float | None) -> bool:
        """Read the guard's reports until the condition holds; False when the seconds are over."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while not condition():
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            if not _readable(self._reports, left):
                return False
            news = os.read(self._reports.fileno(), 64)
            self._heard += news
            self._guard_gone = not news
        return True

    def _release(self) -> None:
        self._guard.wait()
        self._owner_pipe.close()
        self._reports.close()


def _readable(stream: IO[bytes], seconds: float | None) -> bool:
    # Not select.select: it fails in a process with more than 1,024 open files.
    poll = select.poll()
    poll.register(stream, select.POLLIN)
    return bool(poll.poll(None if seconds is None else seconds * 1000))
