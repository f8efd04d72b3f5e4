"""The application: sessions that write at once, or leave transactions open and end them later.

Each record carries a number in `city_village` that grows with every write. A row's lock keeps
others from it until its transaction ends, so a record's numbers are in the order of commits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack, closing

import psycopg2
from psycopg2 import errors

from tests.rows import Connection, execute, rows

AT_ONCE = "at once"
SLOW = ("slow 1", "slow 2")

#: What makes a record: valid, rejected by the contract, or too old for events.
KINDS = {
    "good": ("'Asha Devi'", "clock_timestamp()"),
    "bad": ("NULL", "clock_timestamp()"),
    "old": ("'Asha Devi'", "clock_timestamp() - interval '40 days'"),
}

_SAVE = """\
INSERT INTO golden_records (gr_id, full_name, updated_at, city_village)
SELECT key, {name}, {updated_at}, %(number)s
FROM unnest(%(keys)s) AS chosen (key)
ON CONFLICT (gr_id) DO UPDATE SET
    full_name = EXCLUDED.full_name,
    updated_at = EXCLUDED.updated_at,
    city_village = EXCLUDED.city_village
"""
_CHANGE = """\
UPDATE golden_records
SET full_name = {name}, updated_at = {updated_at}, city_village = %(number)s
WHERE gr_id = ANY (%(keys)s)
"""
_DELETE = "DELETE FROM golden_records WHERE gr_id = ANY (%(keys)s) RETURNING gr_id"
_MOVE = """\
UPDATE golden_records
SET gr_id = moved.new, city_village = %(number)s
FROM unnest(%(old)s, %(new)s) AS moved (old, new)
WHERE gr_id = moved.old
RETURNING moved.old
"""
# What another session has locked, or the key that is taken already: no write.
_REFUSED = (errors.LockNotAvailable, errors.UniqueViolation, errors.DeadlockDetected)

Gone = list[tuple[str, int]]


class Application:
    """Writes to the golden records; `gone` is when each key went, by committed number."""

    def __init__(self, url: str) -> None:
        self.gone: dict[str, list[int]] = defaultdict(list)
        self._ends = ExitStack()
        self._number = 0
        self._sessions = {AT_ONCE: self._connect(url)}
        self._sessions[AT_ONCE].autocommit = True
        self._sessions |= {name: self._connect(url) for name in SLOW}
        self._open: dict[str, Gone] = {}

    def _connect(self, url: str) -> Connection:
        session = self._ends.enter_context(closing(psycopg2.connect(url)))
        execute(session, "SET lock_timeout = '3ms'")
        session.commit()
        return session

    @property
    def open(self) -> list[str]:
        """The sessions whose transactions are open."""
        return list(self._open)

    def save(
        self, session: str, keys: Sequence[str], kind: str, *, only_change: bool = False
    ) -> None:
        """Write records of a kind; those that are not there yet are added, or left out."""
        name, updated_at = KINDS[kind]
        statement = (_CHANGE if only_change else _SAVE).format(name=name, updated_at=updated_at)
        self._write(session, statement, keys=keys)

    def delete(self, session: str, keys: Sequence[str]) -> None:
        self._write(session, _DELETE, keys=keys)

    def move(self, session: str, old: Sequence[str], new: Sequence[str]) -> None:
        """Other keys for the same records, by one statement."""
        self._write(session, _MOVE, old=old, new=new)

    def end(self, session: str, *, commit: bool) -> None:
        """Commit or roll back what a session has open."""
        gone = self._open.pop(session)
        if commit:
            self._sessions[session].commit()
            self._note(gone)
        else:
            self._sessions[session].rollback()

    def close(self) -> None:
        self._ends.close()

    def _write(self, name: str, statement: str, **keys: Sequence[str]) -> None:
        session = self._sessions[name]
        self._number += 1
        lists = {which: list(some) for which, some in keys.items()}
        parameters = {**lists, "number": f"v{self._number:06}"}
        if name == AT_ONCE:
            try:
                self._note(self._run(session, statement, parameters))
            except _REFUSED:
                return
            return
        self._open.setdefault(name, [])
        execute(session, "SAVEPOINT write")
        try:
            self._open[name] += self._run(session, statement, parameters)
        except _REFUSED:
            execute(session, "ROLLBACK TO SAVEPOINT write")

    def _run(self, session: Connection, statement: str, parameters: dict[str, object]) -> Gone:
        if "RETURNING" not in statement:
            execute(session, statement, parameters)
            return []
        return [(key, self._number) for key in rows(session, statement, parameters)]

    def _note(self, gone: Gone) -> None:
        for key, number in gone:
            self.gone[key].append(number)
