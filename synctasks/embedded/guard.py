"""Runs one program exactly as long as its owner lives, however the owner dies.

    python -m synctasks.embedded.guard [options] -- COMMAND [ARGUMENT ...]

The owner starts the guard in a session of its own and holds the other end of the guard's stdin.
A killed owner cannot clean up, but the kernel closes its pipes: that end of file is what the guard
waits for. Each byte that the owner writes before is the number of a signal for the program (only
the guard, which reaps the program, can send one without ever hitting a reused process id).
On stdout the guard tells the program's process id and, once it has ended, its return code as
`subprocess` counts it (-9: killed by signal 9), each on a line. Stderr is the program's log.

Without a COMMAND the guard only waits for the end of file and then removes its directory.
Nothing but the standard library is imported, so that it starts in milliseconds.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pwd
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

OWNER, REPORTS, LOG = 0, 1, 2
POLITE_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
LEFTOVER_SECONDS = 2.0
REMOVAL_SECONDS = 30.0
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


class Guard:
    """One program, its owner's pipe, and what has been seen of both."""

    def __init__(
        self, orders: argparse.Namespace, alarm: int, program: subprocess.Popen[bytes] | None
    ) -> None:
        self._orders = orders
        self._alarm = alarm
        self._program = program
        self._code: int | None = None
        self._nothing_left = False
        self._owner_gone = False
        self._told_to_stop = False

    def run(self) -> int:
        """Watch until nothing is left to watch; return the exit code for the guard itself."""
        if self._program is not None:
            _report(self._program.pid)
            self._until(lambda: self._ended or self._owner_gone or self._told_to_stop)
            self._end_program()
            self._end_leftovers()
        else:
            self._until(lambda: self._owner_gone)
        # A program that ended by itself may be started again on its data: only the end of the
        # owner's pipe is the end of the directory.
        if self._owner_gone and self._orders.remove is not None:
            _remove(self._orders.remove)
        code = self._code or 0
        return code if code >= 0 else 128 - code

    @property
    def _ended(self) -> bool:
        return self._code is not None

    def _end_program(self) -> None:
        for number in self._orders.stop_signal:
            self._signal(number)
            self._signal(signal.SIGCONT)  # a frozen program cannot obey
            if self._until(lambda: self._ended, self._orders.grace):
                return
        self._signal(signal.SIGKILL)
        self._until(lambda: self._ended)

    def _end_leftovers(self) -> None:
        """Wait for what a killed program left behind (PostgreSQL's backends), then kill it."""
        while not self._until(lambda: self._nothing_left, LEFTOVER_SECONDS):
            for pid in _children():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _until(self, condition: Callable[[], bool], seconds: float | None = None) -> bool:
        deadline = None if seconds is None else time.monotonic() + seconds
        while not condition():
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return False
            self._take_events(left)
        return True

    def _take_events(self, seconds: float | None) -> None:
        watched = [self._alarm] if self._owner_gone else [self._alarm, OWNER]
        ready, _, _ = select.select(watched, [], [], seconds)
        if OWNER in ready:
            numbers = os.read(OWNER, 64)
            self._owner_gone = not numbers
            for number in numbers:
                self._signal(number)
        if self._alarm in ready:
            self._told_to_stop |= any(
                number in POLITE_SIGNALS for number in os.read(self._alarm, 512)
            )
            self._reap()

    def _signal(self, number: int) -> None:
        if self._program is not None and not self._ended:
            os.kill(self._program.pid, number)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                self._nothing_left = True
                return
            if pid == 0:
                return
            if self._program is not None and pid == self._program.pid:
                self._code = self._program.returncode = os.waitstatus_to_exitcode(status)
                _report(self._code)


def _signal_pipe() -> int:
    """Return a descriptor that becomes readable with each signal, which `select` can wait for."""
    # The owner may have started us with signals blocked or ignored, as a background job is.
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    readable, writable = os.pipe()
    os.set_blocking(readable, False)
    os.set_blocking(writable, False)
    signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, *POLITE_SIGNALS):
        signal.signal(number, lambda *_: None)
    return readable


def _start(command: Sequence[str], user: str | None) -> subprocess.Popen[bytes]:
    guard_pid = os.getpid()
    user_id, group_id = _account(user)
    _prctl(PR_SET_CHILD_SUBREAPER, 1)  # what the program leaves behind becomes ours to end
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=LOG,
        stderr=LOG,
        # Some programs signal their whole process group, which must not be the guard's.
        start_new_session=True,
        # Runs after the change of user, which would clear the parent death signal.
        preexec_fn=lambda: _die_with(guard_pid),
        user=user_id,
        group=group_id,
        extra_groups=None if user is None else [],
    )


def _report(number: int) -> None:
    with contextlib.suppress(BrokenPipeError):  # the owner is dead: its pipe tells us next
        os.write(REPORTS, b"%d\n" % number)


def _account(name: str | None) -> tuple[int, int] | tuple[None, None]:
    if name is None:
        return None, None
    account = pwd.getpwnam(name)
    return account.pw_uid, account.pw_gid


def _prctl(option: int, value: int) -> None:
    if sys.platform != "linux":
        return
    try:
        import ctypes
    except ImportError:  # a Python built without libffi: the pipe alone must do
        return
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _die_with(guard_pid: int) -> None:
    """In the new child: ask the kernel to kill it if the guard is killed."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != guard_pid:
        os.kill(os.getpid(), signal.SIGKILL)


def _children() -> Iterator[int]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name in parentheses may contain anything; the parent is the second field after.
            parent = stat.read_text().rpartition(")")[2].split()[1]
            if int(parent) == os.getpid():
                yield int(stat.parent.name)


def _remove(directory: Path) -> None:
    deadline = time.monotonic() + REMOVAL_SECONDS
    while directory.exists() and time.monotonic() < deadline:
        shutil.rmtree(directory, ignore_errors=True)
        if directory.exists():
            time.sleep(0.1)  # somebody unknown still writes there: nothing tells us when it ends


def _read_orders(arguments: Sequence[str]) -> argparse.Namespace:
    split = arguments.index("--") if "--" in arguments else len(arguments)
    parser = argparse.ArgumentParser(prog="python -m synctasks.embedded.guard")
    parser.add_argument(
        "--stop-signal",
        action="append",
        type=lambda name: signal.Signals[name],
        help="repeatable: tried in this order, each for the grace; SIGKILL follows (SIGTERM)",
    )
    parser.add_argument("--grace", type=float, default=10.0, metavar="SECONDS")
    parser.add_argument("--remove", type=Path, metavar="DIRECTORY")
    parser.add_argument("--user", metavar="NAME")
    orders = parser.parse_args(arguments[:split])
    orders.stop_signal = orders.stop_signal or [signal.SIGTERM]
    orders.command = list(arguments[split + 1 :])
    if not orders.command and orders.remove is None:
        parser.error("neither a command to run nor a directory to remove")
    return orders


def main(arguments: Sequence[str]) -> int:
    """Run the guard; return the program's exit code, 128 and the signal, or 127: not started."""
    orders = _read_orders(arguments)
    alarm = _signal_pipe()
    try:
        program = _start(orders.command, orders.user) if orders.command else None
    except (OSError, subprocess.SubprocessError, KeyError) as error:
        os.write(LOG, f"{orders.command[0]} was not started: {error}\n".encode())
        return 127
    return Guard(orders, alarm, program).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
