"""Running the real executables, as people and process managers do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

BIN = Path(sys.executable).parent

Outcome = subprocess.CompletedProcess[str]
Changes = Mapping[str, str | None]


def run(*command: str, env: Changes | None = None, timeout: float = 60) -> Outcome:
    """Run `synctasks …` or `celery …` to its end, without a terminal, and return all it said.

    `env` changes the environment for it; None removes a variable.
    """
    return subprocess.run(
        _command(command),
        env=_environment(env),
        cwd="/",
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
    )


@contextmanager
def running(
    *command: str, log: Path, env: Changes | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Start it in a session of its own, all output in the file `log`; it ends with the block.

    First by SIGTERM; after 20 seconds, with all its children, by SIGKILL.
    """
    with (
        log.open("ab") as output,
        subprocess.Popen(
            _command(command),
            env=_environment(env),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        ) as process,
    ):
        try:
            yield process
            process.terminate()
            process.wait(20)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def _command(command: tuple[str, ...]) -> list[str]:
    return [str(BIN / command[0]), *command[1:]]


def _environment(changes: Changes | None) -> dict[str, str]:
    merged = {**os.environ, **(changes or {})}
    return {name: value for name, value in merged.items() if value is not None}
