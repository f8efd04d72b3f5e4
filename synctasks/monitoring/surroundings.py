"""Surroundings: the figures of both databases as far as they answer, and what does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from synctasks import dispatch
from synctasks.errors import SynctasksError, TransientError
from synctasks.flow import Database, Flow
from synctasks.monitoring.figures.gather import Figures, gather
from synctasks.monitoring.figures.signs import heartbeats
from synctasks.monitoring.thresholds import thresholds

Found = TypeVar("Found")

BROKER = "broker"


@dataclass(frozen=True)
class Surroundings:
    """The figures of those databases that answer, heartbeats in seconds by direction, and what is
    away: a database or the broker, with the reason.
    """

    figures: Sequence[Figures]
    heartbeats: Mapping[str, float | None]
    away: Mapping[str, SynctasksError]


def look_around(flows: Sequence[Flow]) -> Surroundings:
    """Look at everything at once, whatever of it answers. Raises SetupError: wrong thresholds."""
    tries = int(thresholds()["away"]["tries"]) or 1
    away: dict[str, SynctasksError] = {}
    with ThreadPoolExecutor(len(Database) + 1) as threads:
        looks = [
            threads.submit(
                _unless_away, away, str(database), partial(gather, database, flows), tries
            )
            for database in Database
        ]
        broker = threads.submit(_unless_away, away, BROKER, dispatch.check, tries)
    figures = [found for look in looks if (found := look.result())]
    broker.result()
    beats = heartbeats() if len(figures) == len(Database) else {}
    in_order = {thing: away[thing] for thing in (*map(str, Database), BROKER) if thing in away}
    return Surroundings(figures, beats, in_order)


def _unless_away(
    away: dict[str, SynctasksError], thing: str, look: Callable[[], Found], tries: int
) -> Found | None:
    """What a look found; None if the thing does not answer as it should, which is noted."""
    for _ in range(tries):
        try:
            found = look()
        except TransientError as error:
            away[thing] = error
        except SynctasksError as error:
            # A wrong password, a schema that is gone: another try finds the same.
            away[thing] = error
            break
        else:
            away.pop(thing, None)
            return found
    return None
