"""The watch: looks every few seconds whether somebody has to look.

Whoever runs for good may keep one (the listener does, and the web process): they take turns, so
that of all processes one is enough, and it need not be the one that has died.
"""

from __future__ import annotations

import threading

import structlog

from synctasks.database import transaction
from synctasks.errors import SynctasksError, TransientError
from synctasks.flow import Database
from synctasks.flows import FLOWS
from synctasks.monitoring.alerts.conditions import conditions
from synctasks.monitoring.alerts.deliver import deliver
from synctasks.monitoring.alerts.store import home, keep
from synctasks.monitoring.surroundings import look_around
from synctasks.monitoring.thresholds import thresholds

log = structlog.get_logger("watch")

# A moment less than the time between looks, so that two watches do not miss their turns in step.
_TURN = """\
INSERT INTO synctasks.presence AS presence (process)
VALUES ('watch')
ON CONFLICT (process) DO UPDATE SET seen_at = EXCLUDED.seen_at
WHERE presence.seen_at < statement_timestamp() - make_interval(secs => %(seconds)s - 0.5)
RETURNING process
"""


class Watch:
    """Looks until `stop`, which any thread may call."""

    def __init__(self) -> None:
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Let `run` return soon."""
        self._stopped.set()

    def run(self) -> None:
        """Look every few seconds until stopped."""
        seconds = thresholds()["all"]["look-seconds"]
        while not self._stopped.wait(seconds):
            try:
                if _is_my_turn(seconds):
                    look()
            except SynctasksError as error:
                log.warning("watch.failed", cause=str(error))
            except Exception:
                # A mistake of ours must not end whoever keeps this watch.
                log.exception("watch.broken")


def look() -> None:
    """Look now; keep what fires, and tell whoever is to be told. Raises SynctasksError."""
    around = look_around(FLOWS)
    found = conditions(FLOWS, around)
    for database in Database:
        if str(database) not in around.away:
            keep(database, [each for each in found if home(each) is database])
            deliver(database)


def _is_my_turn(seconds: float) -> bool:
    """Whether no other watch has just looked, as the first database says that answers."""
    for database in Database:
        try:
            with transaction(database) as tx:
                return tx.row(_TURN, {"seconds": seconds}) is not None
        except TransientError as error:
            log.warning("watch.no_answer", database=str(database), cause=str(error))
    return False
