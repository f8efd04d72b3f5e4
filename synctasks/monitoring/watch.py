"""The watch: looks every few seconds whether somebody has to look.

Whoever runs for good may keep one (the listener does, and the web process): they take turns, so
that of all processes one is enough, and it need not be the one that has died.
"""

from __future__ import annotations

import threading

import structlog

from synctasks.database import transaction
from synctasks.errors import SynctasksError
from synctasks.flow import Database
from synctasks.flows import FLOWS
from synctasks.monitoring.alerts.conditions import conditions, unseen
from synctasks.monitoring.alerts.deliver import deliver, was_told
from synctasks.monitoring.alerts.store import home, keep
from synctasks.monitoring.surroundings import look_around
from synctasks.monitoring.thresholds import thresholds

log = structlog.get_logger("watch")

# A moment less than the time between looks, so that two watches do not miss their turns in step.
# What lies ahead was noted before the server's clock was put back: nobody waits for that.
_TURN = """\
INSERT INTO synctasks.presence AS presence (process)
VALUES ('watch')
ON CONFLICT (process) DO UPDATE SET seen_at = EXCLUDED.seen_at
WHERE presence.seen_at NOT BETWEEN
    statement_timestamp() - make_interval(secs => %(seconds)s - 0.5) AND statement_timestamp()
RETURNING process
"""


class NobodyAnswers(SynctasksError):
    """No database answers, or lets us write: nothing can be looked at, or kept."""


class Watch:
    """Looks until `stop`, which any thread may call. Raises SetupError for wrong thresholds."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._seconds = thresholds()["all"]["look-seconds"]
        self._unanswered = 0
        self._told = False

    def stop(self) -> None:
        """Let `run` return soon."""
        self._stopped.set()

    def run(self) -> None:
        """Look every few seconds until stopped."""
        while not self._stopped.wait(self._seconds):
            try:
                self.look_in_turn()
            except SynctasksError as error:
                log.warning("watch.failed", cause=str(error))
            except Exception:
                # A mistake of ours must not end whoever keeps this watch.
                log.exception("watch.broken")

    def look_in_turn(self) -> None:
        """Look, if no other watch has just done so. Raises SynctasksError."""
        try:
            is_mine = _is_my_turn(self._seconds)
        except NobodyAnswers as error:
            self._tell_that_nobody_answers(str(error))
            raise
        self._unanswered = 0
        if self._told:
            self._told = not was_told("synctasks: over: away, both databases", "They answer again.")
        if is_mine:
            look()

    def _tell_that_nobody_answers(self, reason: str) -> None:
        """The one alert that no table can keep: each watch remembers for itself that it told."""
        self._unanswered += 1
        if not self._told and self._unanswered >= thresholds()["away"]["tries"]:
            self._told = was_told("synctasks: away, both databases", reason)


def look() -> None:
    """Look now; keep what fires, and tell whoever is to be told. Raises SynctasksError."""
    around = look_around(FLOWS)
    found = conditions(FLOWS, around)
    for database in Database:
        if str(database) in around.away:
            continue
        try:
            keep(database, [each for each in found if home(each) is database], unseen(around))
            deliver(database)
        except SynctasksError as error:
            # The other one's alerts are kept and told all the same.
            log.warning("watch.not_kept", database=str(database), cause=str(error))


def _is_my_turn(seconds: float) -> bool:
    """Whether no other watch has just looked, as the first database says that answers."""
    problems = []
    for database in Database:
        try:
            with transaction(database) as tx:
                return tx.row(_TURN, {"seconds": seconds}) is not None
        except SynctasksError as error:
            log.warning("watch.no_answer", database=str(database), cause=str(error))
            problems.append(str(error))
    raise NobodyAnswers("\n".join(problems))
