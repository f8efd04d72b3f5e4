"""A Redis-compatible server of our own."""

from __future__ import annotations

import os
import secrets
import signal
from pathlib import Path

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from synctasks.embedded.binaries import valkey_server
from synctasks.embedded.errors import EmbeddedServerError
from synctasks.embedded.ports import HOST, free_ports
from synctasks.embedded.runs import ServerRuns

ANSWER_SECONDS = 2.0


class RedisServer:
    """One server on 127.0.0.1 with a password, in memory only: a restart empties it.

    It never evicts: a broker that drops messages under pressure would be a broken one.
    """

    def __init__(
        self, directory: Path, *, port: int | None = None, lease: int | None = None
    ) -> None:
        """Choose the port; nothing is started or written yet. `lease`: see GuardedProcess.start.

        The parent of `directory` must exist. Raises EmbeddedServerError if no port is free.
        """
        self.directory = directory.absolute()
        self.port = free_ports(1)[0] if port is None else port
        self._password = secrets.token_urlsafe(24)
        self._runs = ServerRuns(
            f"Redis in {self.directory}",
            self.port,
            self.directory / "server.log",
            stop_signals=(signal.SIGTERM,),
            lease=lease,
        )

    @property
    def alive(self) -> bool:
        """Whether the server's process runs."""
        return self._runs.alive

    @property
    def pid(self) -> int:
        """The server's process id. Raises EmbeddedServerError before the first start."""
        return self._runs.process.pid

    @property
    def log(self) -> Path:
        """The file with all that the server has logged."""
        return self._runs.log

    @property
    def url(self) -> str:
        """The address of database 0, password included."""
        return f"redis://:{self._password}@{HOST}:{self.port}/0"

    def start(self) -> None:
        """Start the server and return when it answers; nothing happens if it runs already.

        Raises EmbeddedServerError: wheel not installed, port taken, no rights on the directory,
        no answer within 60 s.
        """
        if self.alive:
            return
        try:
            self.directory.mkdir(mode=0o700, exist_ok=True)
            self._runs.start([str(valkey_server()), str(self._write_settings())], self._answers)
        except OSError as error:
            raise EmbeddedServerError(
                self._runs.name,
                f"{error.filename or self.directory}: {error.strerror or error}",
                "Use a directory that this account may write to",
            ) from error

    def stop(self) -> None:
        """Stop the server and wait for its end. Nothing happens if it does not run."""
        self._runs.stop()

    def kill(self) -> None:
        """Kill the server with SIGKILL and wait for its end."""
        self._runs.kill()

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the server: SIGSTOP freezes it until SIGCONT."""
        self._runs.process.send(number)

    def _write_settings(self) -> Path:
        """Write the settings into a file: on the command line everybody could read the password."""
        path = self.directory / "server.conf"
        lines = [
            f"bind {HOST}",
            f"port {self.port}",
            f"requirepass {self._password}",
            "protected-mode yes",
            f'dir "{self.directory}"',
            'save ""',
            "appendonly no",
            "maxmemory-policy noeviction",
        ]
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write("\n".join([*lines, ""]))
        return path

    def _answers(self) -> bool:
        # The client's own retries, with pauses of seconds, would only hide when it is ready.
        once = Retry(NoBackoff(), 0)
        with Redis.from_url(self.url, socket_timeout=ANSWER_SECONDS, retry=once) as client:
            try:
                return bool(client.ping())
            except RedisError:
                return False
