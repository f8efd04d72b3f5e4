"""An application's sessions: one commits at once, others leave transactions open and end them."""

from __future__ import annotations

from contextlib import ExitStack, closing

import psycopg2
from psycopg2 import errors

from tests.integration.machine.application import AT_ONCE, SLOW
from tests.rows import Connection, execute

# What another session has locked, or what others refer to, is not written.
_REFUSED = (errors.LockNotAvailable, errors.DeadlockDetected, errors.ForeignKeyViolation)


class Sessions:
    """Of one side; `number` grows with every write, and so do the times made of it."""

    def __init__(self, url: str) -> None:
        self.number = 0
        self.open: list[str] = []
        self._ends = ExitStack()
        self._sessions = {name: self._connect(url) for name in (AT_ONCE, *SLOW)}
        self._sessions[AT_ONCE].autocommit = True

    def _connect(self, url: str) -> Connection:
        session = self._ends.enter_context(closing(psycopg2.connect(url)))
        execute(session, "SET lock_timeout = '3ms'")
        session.commit()
        return session

    def write(self, name: str, statement: str, **parameters: object) -> None:
        """One statement, which may use the number of this write."""
        session = self._sessions[name]
        self.number += 1
        if name != AT_ONCE:
            if name not in self.open:
                self.open.append(name)
            execute(session, "SAVEPOINT write")
        try:
            execute(session, statement, {**parameters, "number": self.number})
        except _REFUSED:
            if name != AT_ONCE:
                execute(session, "ROLLBACK TO SAVEPOINT write")

    def end(self, session: str, *, commit: bool) -> None:
        """Commit or roll back what a session has open."""
        self.open.remove(session)
        (self._sessions[session].commit if commit else self._sessions[session].rollback)()

    def close(self) -> None:
        self._ends.close()
