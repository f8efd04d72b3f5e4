"""A temporary directory that is removed even when its owner is killed."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from synctasks.embedded.process import guard_command

REMOVAL_SECONDS = 40.0


class LeasedDirectory:
    """A new directory that lives as long as anybody holds its lease.

    The lease is one end of a pipe; at the other end a guard waits for the end of file and then
    removes the directory. The owner holds it, and so does each guard of a program that writes
    there (`GuardedProcess.start(lease=...)`): after a kill -9 of the owner the directory goes when
    the last of these programs has gone.
    """

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="synctasks-"))
        if os.geteuid() == 0:
            self.path.chmod(0o711)  # PostgreSQL's account must get to its own directory in here
        self._guard = subprocess.Popen(
            guard_command(f"--remove={self.path}"),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            cwd="/",
            start_new_session=True,
        )

    @property
    def lease(self) -> int:
        """The descriptor to hand on to programs that write into the directory."""
        assert self._guard.stdin is not None
        return self._guard.stdin.fileno()

    def close(self) -> None:
        """Give our lease back and wait until the directory is gone.

        Raises TimeoutError after 40 s: another holder of the lease lives on.
        """
        assert self._guard.stdin is not None
        self._guard.stdin.close()
        try:
            self._guard.wait(REMOVAL_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise TimeoutError(f"{self.path} is still in use after {REMOVAL_SECONDS} s") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
