"""The application at work: several sessions that write at random, and somebody who watches.

Each record carries a version in `city_village` (`v000000123`, the portal's `city`) that only
grows, also when the record is deleted and comes again.
"""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Iterable
from contextlib import closing
from types import TracebackType
from typing import Self

import psycopg2
from psycopg2.errors import ReadOnlySqlTransaction
from psycopg2.extensions import cursor as Cursor

from synctasks.embedded.waiting import wait_until
from tests.rows import PERSON, Connection, rows

_WRITE = {
    "insert": """\
        INSERT INTO golden_records (
            gr_id, family_id, jan_aadhaar, full_name, date_of_birth, gender, district_id,
            city_village, mobile_number, email, created_at, updated_at
        )
        SELECT
            key, %(family_id)s, %(jan_aadhaar)s, %(full_name)s, %(date_of_birth)s, %(gender)s,
            %(district_id)s, %(city_village)s, %(mobile_number)s, %(email)s, %(created_at)s,
            clock_timestamp()
        FROM unnest(%(keys)s) AS chosen (key)
        ON CONFLICT DO NOTHING""",
    "update": """\
        UPDATE golden_records
        SET city_village = %(city_village)s, jan_aadhaar = %(jan_aadhaar)s,
            mobile_number = %(mobile_number)s, updated_at = clock_timestamp()
        WHERE gr_id = ANY (%(keys)s)""",
    "delete": "DELETE FROM golden_records WHERE gr_id = ANY (%(keys)s)",
}
_VERSIONS = "SELECT record_id, city FROM profile_data WHERE city LIKE 'v0%'"
_OPERATIONS, _WEIGHTS = tuple(_WRITE), (3, 6, 1)
_LONGEST_STATEMENT = 5


class Threads:
    """Threads that work until the block ends; what one of them raised is raised there."""

    def __init__(self, count: int) -> None:
        self._stop = threading.Event()
        self._failures: list[BaseException] = []
        self._threads = [
            threading.Thread(target=self._guarded, args=(number,), name=f"traffic {number}")
            for number in range(count)
        ]

    def work(self, number: int) -> None:
        """What one thread does until `stopped`."""
        raise NotImplementedError

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()

    @property
    def failed(self) -> bool:
        return bool(self._failures)

    def wait(self, seconds: float) -> None:
        """Pause in a thread, but not beyond the end."""
        self._stop.wait(seconds)

    def _guarded(self, number: int) -> None:
        try:
            self.work(number)
        except BaseException as failure:  # noqa: BLE001 - raised again where the block ends
            self._failures.append(failure)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)
        if self._failures and error is None:
            raise self._failures[0]


class Writers(Threads):
    """Sessions that write at random, each with keys of its own, and a pause after each statement.

    So the versions of a key grow in the order of commits. `tolerant` writers connect again when
    the server is gone or refuses; others fail.
    """

    def __init__(
        self, url: str, *, writers: int, tolerant: bool, pause: float = 0.003, seed: int = 0
    ) -> None:
        super().__init__(writers)
        self._url = url
        self._tolerant = tolerant
        self._pause = pause
        self._seed = seed
        self._durations: list[float] = []

    def write(self, cursor: Cursor, draw: random.Random, number: int, version: int) -> None:
        """One statement of session `number`."""
        raise NotImplementedError

    @property
    def writes(self) -> int:
        """How many statements were committed so far."""
        return len(self._durations)

    @property
    def slowest(self) -> float:
        """The longest that a committed statement took, in seconds."""
        return max(self._durations)

    def await_writes(self, count: int) -> None:
        """Wait until that many more statements are committed."""
        until = self.writes + count
        wait_until(lambda: self.writes >= until or self.failed, 20, f"{count} writes")

    def work(self, number: int) -> None:
        draw = random.Random(self._seed + number)
        versions = itertools.count(1)
        while not self.stopped:
            try:
                with closing(psycopg2.connect(self._url, connect_timeout=5)) as connection:
                    self._write(connection, draw, number, versions)
            except psycopg2.Error as error:
                if not self._tolerant or not _passes(error):
                    raise
                self.wait(0.1)

    def _write(
        self, connection: Connection, draw: random.Random, number: int, versions: Iterable[int]
    ) -> None:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for version in versions:
                began = time.monotonic()
                self.write(cursor, draw, number, version)
                self._durations.append(time.monotonic() - began)
                self.wait(self._pause)
                if self.stopped:
                    return


class Traffic(Writers):
    """Writers of golden records; see Writers."""

    def __init__(
        self,
        url: str,
        *,
        writers: int = 3,
        records: int = 40,
        tolerant: bool = False,
        pause: float = 0.003,
        seed: int = 0,
    ) -> None:
        super().__init__(url, writers=writers, tolerant=tolerant, pause=pause, seed=seed)
        self._records = records

    def write(self, cursor: Cursor, draw: random.Random, number: int, version: int) -> None:
        operation = draw.choices(_OPERATIONS, _WEIGHTS)[0]
        count = draw.randint(1, _LONGEST_STATEMENT)
        record = {
            **PERSON,
            "keys": [f"GR-{number:02}-{at:05}" for at in draw.sample(range(self._records), count)],
            "city_village": f"v{version:09}",
            "jan_aadhaar": f"{draw.randrange(10**12):012}",
            "mobile_number": f"{draw.randrange(6 * 10**9, 10**10)}",
        }
        cursor.execute(_WRITE[operation], record)


def _passes(error: psycopg2.Error) -> bool:
    """Whether it is the server's trouble, and not a wrong statement."""
    return isinstance(
        error, (psycopg2.OperationalError, psycopg2.InterfaceError, ReadOnlySqlTransaction)
    )


class Watch(Threads):
    """Reads the portal all the time: `setbacks` are records that went back to an older state."""

    def __init__(self, url: str) -> None:
        super().__init__(1)
        self._url = url
        self.samples = 0
        self.setbacks: list[str] = []

    def work(self, number: int) -> None:
        newest: dict[str, str] = {}
        present: set[str] = set()
        with closing(psycopg2.connect(self._url)) as connection:
            connection.autocommit = True
            while not self.stopped:
                found = dict(rows(connection, _VERSIONS))
                for key, version in found.items():
                    self._compare(key, newest.get(key, ""), version, key in present)
                newest |= found
                present = set(found)
                self.samples += 1
                self.wait(0.002)

    def _compare(self, key: str, before: str, now: str, was_there: bool) -> None:
        if now < before:
            self.setbacks.append(f"{key} went back from {before} to {now}")
        elif now == before and not was_there:
            self.setbacks.append(f"{key} was removed at {before}, and came again as it was")
