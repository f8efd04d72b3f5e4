"""Both sources change: two applications at work, each in a thread with a connection of its own."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from random import Random
from types import TracebackType
from typing import Any, Self

import psycopg2

from synctasks.database import connect
from synctasks.demo.work.act import Abandoned, Act, Cursor, Subject, choose
from synctasks.demo.work.analysis import Analysis
from synctasks.demo.work.applications import Applications
from synctasks.demo.work.citizens import Citizens
from synctasks.demo.work.desk import Desk
from synctasks.demo.work.records import Records
from synctasks.demo.work.transitions import Transition
from synctasks.errors import SynctasksError, translate
from synctasks.flow import Database
from synctasks.flows import FLOWS
from synctasks.sample.generate import Plan

# Of each of the two.
TRANSACTIONS_PER_SECOND = 50
# Every so many transactions one is of many rows.
_BULK_EVERY = 100
# A machine that is too slow for the rate is left at what it can do, after at most this backlog.
_MOST_BEHIND_SECONDS = 0.2

_SETTINGS = "SET statement_timeout = 10000; SET TimeZone = 'UTC'; SET DateStyle = 'ISO'"


class _Application:
    """One application: `transactions` and `changes` (by flow) count what it committed."""

    def __init__(
        self, database: Database, seed: int, subjects: Sequence[Subject], stopping: threading.Event
    ) -> None:
        self._database, self._stopping = database, stopping
        self._random = Random(f"{seed}/{database}")
        self._subjects = subjects
        self._everyday = [act for subject in subjects for act in subject.everyday()]
        self._bulk = [act for subject in subjects for act in subject.bulk()]
        # A daemon: a server that hangs must not keep the demo from ending.
        self.thread = threading.Thread(target=self._run, name=f"{database}", daemon=True)
        self.failure: SynctasksError | None = None
        self.transactions = 0
        # All of them from the start: another thread may read while this one counts.
        self.changes = Counter({flow.name: 0 for flow in FLOWS})

    def _run(self) -> None:
        try:
            connection = connect(self._database, role="demo application")
            try:
                with connection.cursor() as cursor:
                    cursor.execute(_SETTINGS)
                connection.autocommit = False
                self._work(connection)
                for act in [act for subject in self._subjects for act in subject.closing()]:
                    self._transact(connection, act)
            finally:
                connection.close()
        except psycopg2.Error as error:
            self.failure = translate(error, str(self._database))
        except SynctasksError as error:
            self.failure = error

    def _work(self, connection: Any) -> None:
        due = time.monotonic()
        for number in itertools.count(1):
            if self._stopping.wait(max(0.0, due - time.monotonic())):
                return
            self._transact(connection, self._next(number))
            due += 1 / TRANSACTIONS_PER_SECOND
            due = max(due, time.monotonic() - _MOST_BEHIND_SECONDS)

    def _next(self, number: int) -> Act:
        if self._bulk and number % _BULK_EVERY == 0:
            return self._random.choice(self._bulk)
        return choose(self._random, self._everyday)

    def _transact(self, connection: Any, act: Act) -> None:
        try:
            with connection, connection.cursor() as cursor:
                done = act(cursor)
        except Abandoned:
            return
        done.remember()
        self.transactions += 1
        self.changes.update(done.changes)


class Workload:
    """Changes both databases at a steady rate until it is stopped.

    `with Workload(plan) as workload:` starts and stops it. `transactions` and `changes` count
    what was committed; a change is what the sync has to carry for one unit. Raises SynctasksError.
    """

    def __init__(self, plan: Plan) -> None:
        desk = Desk()
        self._stopping = threading.Event()
        self._lives = Applications(plan, desk)
        self._both = (
            _Application(
                Database.WAREHOUSE,
                plan.seed,
                (Records(plan), Analysis(plan, desk)),
                self._stopping,
            ),
            _Application(
                Database.CITIZEN, plan.seed, (Citizens(plan, desk), self._lives), self._stopping
            ),
        )
        _look_around(self._lives.begin)

    @property
    def transactions(self) -> int:
        """How many both have committed."""
        return sum(each.transactions for each in self._both)

    @property
    def changes(self) -> Mapping[str, int]:
        """How many changes of each flow both have committed."""
        one, other = self._both
        return {flow: count + other.changes[flow] for flow, count in one.changes.items()}

    @property
    def transitions(self) -> Sequence[Transition]:
        """What became of all applications there are: first what they were before."""
        return self._lives.transitions

    def stop(self) -> None:
        """Let the transactions under way end, start no other, and raise what one failed with."""
        self._end()
        self.check()

    def check(self) -> None:
        """Raise the SynctasksError with which an application failed, if one did."""
        for each in self._both:
            if each.failure is not None:
                raise each.failure

    def __enter__(self) -> Self:
        for each in self._both:
            each.thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def _end(self) -> None:
        self._stopping.set()
        for each in self._both:
            each.thread.join()


def _look_around(begin: Callable[[Cursor], None]) -> None:
    try:
        connection = connect(Database.CITIZEN, role="demo application")
        try:
            with connection.cursor() as cursor:
                cursor.execute(_SETTINGS)
                begin(cursor)
        finally:
            connection.close()
    except psycopg2.Error as error:
        raise translate(error, str(Database.CITIZEN)) from None
