"""Presence: when each kind of process was last heard of. It is noted at both databases, so that one
of them is enough; and on its own machine, for whoever looks after the process there.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from synctasks import settings
from synctasks.database import Transaction, transaction
from synctasks.errors import SynctasksError
from synctasks.flow import Database

LISTENER = "listener"
BEAT = "beat"
WATCH = "watch"

_NOTE = """\
SET LOCAL synchronous_commit = off;
INSERT INTO synctasks.presence (process)
VALUES (%(process)s)
ON CONFLICT (process) DO UPDATE SET seen_at = EXCLUDED.seen_at
"""


def worker_of(queue: str) -> str:
    """The process that is a worker of a queue."""
    return f"worker {queue}"


def touch() -> None:
    """Say on this machine that the process does its work: by the time of a file, if one is named
    (SYNCTASKS_PRESENCE_PATH).
    """
    file = settings.presence_file()
    if file is not None:
        # That it grows old says the same.
        with contextlib.suppress(OSError):
            file.touch()


def note(tx: Transaction, process: str) -> None:
    """Note in one database that a process is there. Raises SynctasksError."""
    tx.execute(_NOTE, {"process": process})


def note_everywhere(process: str, databases: Iterable[Database] = Database) -> None:
    """Note it in each database that answers; whether any does is not this process's concern."""
    for database in databases:
        with contextlib.suppress(SynctasksError), transaction(database) as tx:
            note(tx, process)
