"""The source changes: an application at work in a thread, with a connection of its own."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Any, Self

import psycopg2

from synctasks.database import connect
from synctasks.demo.changes import Abandoned, Application
from synctasks.errors import SynctasksError, translate
from synctasks.flow import Database
from synctasks.sample.generate import Plan

TRANSACTIONS_PER_SECOND = 100
# Every so many transactions one is of many rows.
_BULK_EVERY = 200
# A machine that is too slow for the rate is left at what it can do, after at most this backlog.
_MOST_BEHIND_SECONDS = 0.2


class Workload:
    """Changes golden records at a steady rate until it is stopped.

    `with Workload(plan) as workload:` starts and stops it. `transactions` and `changes` count
    what was committed; a change is what the sync has to carry for one record.
    """

    def __init__(self, plan: Plan) -> None:
        self._application = Application(plan)
        self._stopping = threading.Event()
        self._failure: SynctasksError | None = None
        # A daemon: a server that hangs must not keep the demo from ending.
        self._thread = threading.Thread(target=self._run, name="application", daemon=True)
        self.transactions = 0
        self.changes = 0

    def stop(self) -> None:
        """Let the transaction under way end, start no other, and raise what it failed with."""
        self._stopping.set()
        self._thread.join()
        self.check()

    def check(self) -> None:
        """Raise the SynctasksError with which the application failed, if it did."""
        if self._failure is not None:
            raise self._failure

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            connection = connect(Database.WAREHOUSE, role="demo application")
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SET statement_timeout = 10000")
                connection.autocommit = False
                self._work(connection)
            finally:
                connection.close()
        except psycopg2.Error as error:
            self._failure = translate(error, str(Database.WAREHOUSE))
        except SynctasksError as error:
            self._failure = error

    def _work(self, connection: Any) -> None:
        due = time.monotonic()
        number = 0
        while not self._stopping.wait(max(0.0, due - time.monotonic())):
            number += 1
            self._transact(connection, is_bulk=number % _BULK_EVERY == 0)
            due += 1 / TRANSACTIONS_PER_SECOND
            due = max(due, time.monotonic() - _MOST_BEHIND_SECONDS)

    def _transact(self, connection: Any, *, is_bulk: bool) -> None:
        act = self._application.choose_bulk() if is_bulk else self._application.choose()
        try:
            with connection, connection.cursor() as cursor:
                changes = act(cursor)
        except Abandoned:
            return
        self.transactions += 1
        self.changes += changes
