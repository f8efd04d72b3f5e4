"""What a scrape has to look at, each by itself: what does not answer takes nothing else along."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from synctasks import dispatch
from synctasks.database import transaction
from synctasks.errors import TransientError
from synctasks.flow import Database
from synctasks.flows import FLOWS
from synctasks.monitoring.alerts.store import since
from synctasks.monitoring.figures.ended import ended
from synctasks.monitoring.figures.gather import Figures, gather
from synctasks.monitoring.figures.signs import heartbeats
from synctasks.monitoring.figures.totals import Total, totals
from synctasks.monitoring.surroundings import BROKER

HEARTBEATS = "heartbeats"


@dataclass(frozen=True)
class OfDatabase:
    """What one database says: its figures, and by flow the totals and the runs that ended.

    `firing` are the alerts at home there, by name and what they are about.
    """

    figures: Figures
    totals: Mapping[str, Total]
    ended: Mapping[str, tuple[float | None, float | None]]
    firing: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Seen:
    """What was found of those that answered, and of each dependency whether it did."""

    databases: Sequence[OfDatabase]
    heartbeats: Mapping[str, float | None]
    queues: Mapping[str, int]
    up: Mapping[str, bool]

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Seen:
        """From what the looks found that came to something."""
        return cls(
            [found[database] for database in Database if database in found],
            found.get(HEARTBEATS, {}),
            found.get(BROKER, {}),
            {name: name in found for name in (*Database, BROKER)},
        )


def _look_at(database: Database) -> OfDatabase:
    figures = gather(database, FLOWS)
    with transaction(database, snapshot=True) as tx:
        return OfDatabase(figures, totals(tx), ended(tx, tuple(figures.flows)), tuple(since(tx)))


def _twice(look: Callable[[], Any]) -> Any:
    """Look again where it fails: a server that has just restarted ends the pool's connections."""
    try:
        return look()
    except TransientError:
        return look()


#: Each may take its time and raise SynctasksError; none needs another.
LOOKS: Mapping[str, Callable[[], Any]] = {
    **{str(database): partial(_twice, partial(_look_at, database)) for database in Database},
    HEARTBEATS: partial(_twice, heartbeats),
    BROKER: partial(_twice, dispatch.queue_lengths),
}
