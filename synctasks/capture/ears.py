"""The ears of the listener: a connection that listens, and one that checks it is not deaf."""

from __future__ import annotations

import select
import time

import psycopg2

from synctasks.capture import pulse
from synctasks.capture.triggers import CHANNEL, SLEEP_LOCK
from synctasks.database import Transaction
from synctasks.errors import TransientError, translate
from synctasks.flow import Database

_PROBE_WAIT_SECONDS = 3.0
# A session whose client is gone without a word must not hold the sleep lock for hours.
_SESSION = """\
SET statement_timeout = 5000;
SET TimeZone = 'UTC';
SET tcp_keepalives_idle = 5;
SET tcp_keepalives_interval = 3;
SET tcp_keepalives_count = 3;
SET tcp_user_timeout = 15000
"""

_SLEEP = {"a": SLEEP_LOCK[0], "b": SLEEP_LOCK[1]}


class Deaf(TransientError):
    """Our own notification did not arrive, though both connections answer."""


class Ears:
    """The listening connection, and a second one that checks it is not deaf."""

    def __init__(
        self,
        listening: psycopg2.extensions.connection,
        probing: psycopg2.extensions.connection,
        database: Database,
    ) -> None:
        self.connection = listening
        self.tx = Transaction(listening.cursor(), str(database))
        self._probe_tx = Transaction(probing.cursor(), str(database))
        self._database = database
        self._probes = 0

    def open(self) -> None:
        """Start to listen. Raises TransientError."""
        self.tx.execute(_SESSION)
        self.tx.execute(f"LISTEN {CHANNEL}")
        self.probe()

    def probe(self) -> None:
        """Notify ourselves from the other connection. Raises TransientError if nothing comes."""
        self._probes += 1
        word = f"probe {self._probes}"
        self._probe_tx.execute(
            "SELECT pg_notify(%(channel)s, %(word)s)", {"channel": CHANNEL, "word": word}
        )
        until = time.monotonic() + _PROBE_WAIT_SECONDS
        while word not in self.heard():
            left = until - time.monotonic()
            if left <= 0:
                # Whether it still answers: a connection that is lost is another matter.
                self.tx.execute("SELECT")
                raise Deaf(f"{self._database}: the listener has gone deaf")
            select.select([self.connection], [], [], left)

    def beat(self) -> None:
        """Let the heartbeat beat, as any application's change would. Raises TransientError."""
        pulse.beat(self._probe_tx, self._database)

    def fall_asleep(self) -> bool:
        """Take the sleep lock; False while a transaction that did not notify is open."""
        return bool(self.tx.value("SELECT pg_try_advisory_lock(%(a)s, %(b)s)", _SLEEP))

    def wake_up(self) -> None:
        """Give the sleep lock back, and forget the notifications that woke us."""
        self.tx.execute("SELECT pg_advisory_unlock(%(a)s, %(b)s)", _SLEEP)
        self.heard()

    def heard(self) -> list[str]:
        """The payloads of the notifications that have come since the last time."""
        try:
            self.connection.poll()
        except psycopg2.Error as error:
            raise translate(error, str(self._database)) from None
        words = [notice.payload for notice in self.connection.notifies]
        self.connection.notifies.clear()
        return words
