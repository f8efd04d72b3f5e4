"""A PostgreSQL server of our own."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import psycopg2
from psycopg2 import sql

from synctasks.embedded.accounts import give, server_account
from synctasks.embedded.binaries import postgres_binaries, runnable_by
from synctasks.embedded.errors import EmbeddedServerError
from synctasks.embedded.ports import HOST, free_ports
from synctasks.embedded.process import last_lines
from synctasks.embedded.runs import ServerRuns

# Not our schema's name: "$user" comes first in the default search path.
USER = "developer"
CONNECT_SECONDS = 5
INITDB_SECONDS = 120.0
LOCALES = ("C.UTF-8", "C")
SETTINGS = MappingProxyType(
    {
        "listen_addresses": HOST,
        "unix_socket_directories": "",
        "track_commit_timestamp": "on",
        "max_connections": "100",
        "shared_buffers": "128MB",
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
)
# Without these a killed server still loses nothing; only a crash of the machine may.
NOT_DURABLE = MappingProxyType({"fsync": "off", "full_page_writes": "off"})
STOP_SIGNALS = MappingProxyType({"fast": signal.SIGINT, "immediate": signal.SIGQUIT})


class PostgresServer:
    """One PostgreSQL on 127.0.0.1, with its data, log and password in a directory of its own.

    Its superuser `developer` logs in by password (SCRAM). If we are root, the server runs as the
    account postgres, or else nobody. A directory that a server has used before is used again,
    data and password; `start` after `stop` or `kill` restarts on the same port and data.
    """

    def __init__(
        self,
        directory: Path,
        *,
        port: int | None = None,
        durable: bool = False,
        settings: Mapping[str, str] = MappingProxyType({}),
        bin_directory: Path | None = None,
        lease: int | None = None,
    ) -> None:
        """Choose port and programs; nothing is started or written yet.

        The parent of `directory` must exist and let the server's account through. `settings` go
        before ours; `bin_directory` holds another PostgreSQL than the wheel's; `lease`: see
        GuardedProcess.start. Raises EmbeddedServerError if the wheel is not installed or no port
        is free.
        """
        self.directory = directory.absolute()
        self.port = free_ports(1)[0] if port is None else port
        self.settings = {**SETTINGS, **({} if durable else NOT_DURABLE), **settings}
        self._durable = durable
        self._binaries = postgres_binaries() if bin_directory is None else bin_directory.absolute()
        self._account = server_account()
        self._data = self.directory / "data"
        self._password = ""
        self._runs = ServerRuns(
            f"PostgreSQL in {self.directory}",
            self.port,
            self.directory / "server.log",
            stop_signals=tuple(STOP_SIGNALS.values()),
            account=self._account,
            lease=lease,
        )

    @property
    def alive(self) -> bool:
        """Whether the postmaster runs."""
        return self._runs.alive

    @property
    def pid(self) -> int:
        """The postmaster's process id. Raises EmbeddedServerError before the first start."""
        return self._runs.process.pid

    @property
    def log(self) -> Path:
        """The file with all that the server has logged."""
        return self._runs.log

    def start(self) -> None:
        """Start (the first time: create) the server; return when it takes connections.

        Nothing happens if it runs already. Raises EmbeddedServerError: port taken, no rights on
        the directory, programs that do not run, no answer within 60 s.
        """
        if self.alive:
            return
        with self._rights_needed():
            _make_directory(self.directory, 0o700 if self._account is None else 0o711)
            self._binaries = runnable_by(self._account, self._binaries, self.directory.parent)
            self._password = self._keep_password()
            if not (self._data / "PG_VERSION").exists():
                self._create_data()
            options = [f"--{name}={value}" for name, value in self.settings.items()]
            postgres = str(self._binaries / "postgres")
            self._runs.start(
                [postgres, "-D", str(self._data), f"--port={self.port}", *options], self._answers
            )

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop the server: fast rolls back and writes a checkpoint, immediate just ends.

        Returns when all of its processes are gone. Nothing happens if it does not run.
        """
        self._runs.stop(STOP_SIGNALS[mode])

    def kill(self) -> None:
        """Kill the postmaster with SIGKILL; its backends notice and end by themselves."""
        self._runs.kill()

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the postmaster: SIGHUP makes it read its files again."""
        self._runs.process.send(number)

    def url(self, database: str = "postgres") -> str:
        """Return the database's address, password included, once the server was started."""
        return f"postgresql://{USER}:{self._password}@{HOST}:{self.port}/{database}"

    def create_database(self, name: str) -> None:
        """Create an empty database. Raises psycopg2.Error if it exists or the server is down."""
        with closing(self._connect()) as connection, connection.cursor() as cursor:
            cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def _connect(self) -> psycopg2.extensions.connection:
        connection = psycopg2.connect(self.url(), connect_timeout=CONNECT_SECONDS)
        connection.autocommit = True
        return connection

    def _answers(self) -> bool:
        try:
            self._connect().close()
        except psycopg2.OperationalError:
            return False
        return True

    def _keep_password(self) -> str:
        path = self.directory / "password"
        if not path.exists():
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as stream:
                stream.write(secrets.token_urlsafe(24))
            give(path, self._account)
        return path.read_text()

    def _create_data(self) -> None:
        """Run initdb beside the final place, so that half a data directory is never used."""
        for locale in LOCALES:
            unfinished = self.directory / "data.new"
            if unfinished.exists():
                shutil.rmtree(unfinished)
            _make_directory(unfinished, 0o700)
            give(unfinished, self._account)
            if self._runs.run_to_end(self._initdb(unfinished, locale), INITDB_SECONDS) == 0:
                unfinished.rename(self._data)
                return
            complaints = " ".join(last_lines(self.log))
            if "invalid locale" not in complaints:
                break
        if "Permission denied" in complaints:
            raise self._no_rights(f"{unfinished} is closed to {self._account or 'this account'}")
        raise EmbeddedServerError(
            self._runs.name, "initdb failed", f"See {self.log}", last_lines(self.log)
        )

    def _initdb(self, data: Path, locale: str) -> list[str]:
        return [
            str(self._binaries / "initdb"),
            f"--pgdata={data}",
            f"--username={USER}",
            f"--pwfile={self.directory / 'password'}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            f"--locale={locale}",
            "--no-instructions",
            *([] if self._durable else ["--no-sync"]),
        ]

    @contextmanager
    def _rights_needed(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            cause = f"{error.filename or self.directory}: {error.strerror or error}"
            raise self._no_rights(cause) from error

    def _no_rights(self, cause: str) -> EmbeddedServerError:
        return EmbeddedServerError(
            self._runs.name,
            cause,
            "Use a directory that this account may write to and PostgreSQL's account may enter"
            " (temporary ones lie under TMPDIR)",
        )


def _make_directory(path: Path, mode: int) -> None:
    if not path.exists():
        path.mkdir()
        path.chmod(mode)  # whatever the umask
