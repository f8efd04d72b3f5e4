"""Whether notifications get through: the way to the server, and the server's queue."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from synctasks import settings
from synctasks.capture.ears import Deaf, Ears
from synctasks.checks.finding import Finding, problem, warning
from synctasks.database import connect, transaction
from synctasks.flow import Database

_WARN_SHARE = 0.1
_PROBLEM_SHARE = 0.5

_USAGE = "SELECT pg_notification_queue_usage()::float"

# It holds the queue's end: a session that listens and does not come to the end of a transaction.
_OLDEST_SESSION = """\
SELECT pid
FROM pg_catalog.pg_stat_activity
WHERE datname = current_database()
    AND backend_type = 'client backend'
    AND pid <> pg_backend_pid()
    AND xact_start IS NOT NULL
ORDER BY xact_start
LIMIT 1
"""


def pooling(database: Database) -> Iterator[Finding]:
    """Whether the URL leads to a session of its own: we notify ourselves, and should hear it."""
    thing = f"{database} database, LISTEN and NOTIFY"
    with (
        closing(connect(database, role="check")) as listening,
        closing(connect(database, role="check probe")) as probing,
    ):
        try:
            Ears(listening, probing, database).open()
        except Deaf:
            yield problem(
                thing,
                "our own notification does not reach us: the URL seems to lead through a "
                "transaction-pooling proxy",
                f"Put a URL of the server itself, or of a session pool (pgbouncer: pool_mode = "
                f"session), into {settings.DATABASE_VARIABLES[str(database)]}",
            )
        else:
            yield Finding(thing)


def queue(database: Database) -> Iterator[Finding]:
    """Whether the server's queue of notifications is filling up: full, it fails every commit."""
    with transaction(database) as tx:
        share = tx.value(_USAGE)
        row = tx.row(_OLDEST_SESSION) if share > _WARN_SHARE else None
    yield judged_queue(database, share, row[0] if row else None)


def judged_queue(database: Database, share: float, session: int | None) -> Finding:
    """`share` of the queue is in use; `session` has the oldest transaction."""
    thing = f"{database} database, NOTIFY queue"
    if share <= _WARN_SHARE:
        return Finding(thing)
    say = problem if share > _PROBLEM_SHARE else warning
    end = f"SELECT pg_terminate_backend({session})" if session else "SELECT pg_terminate_backend(…)"
    return say(
        thing,
        f"{share:.0%} of it is in use: some session listens and never ends its transaction; once "
        "it is full, every commit that notifies fails",
        f"End that session, the one with the oldest transaction in pg_stat_activity: {end}",
    )
