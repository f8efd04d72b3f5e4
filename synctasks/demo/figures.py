"""The figures that the demo shows: the state of each flow, and what its drains have carried."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from synctasks.counts import LATENCY_BOUNDS_MS
from synctasks.database import array, transaction
from synctasks.flow import Flow
from synctasks.monitoring.figures.lately import percentiles
from synctasks.monitoring.status import status

_BOXES = ("carried", "written", "removed")

# What rests until its slot, and what is tried again while it waits for a reference, is nothing
# that a worker could do.
_CLIMBING = """\
SELECT count(*)
FROM synctasks.change_log
WHERE flow = ANY (%(flows)s::text[]) AND attempts > 0 AND NOT rests
"""

_AT_REST = """\
SELECT change.flow, count(*)
FROM synctasks.change_log AS change
WHERE change.rests
    OR (
        change.attempts > 0
        AND EXISTS (
            SELECT
            FROM synctasks.waiting
            WHERE waiting.flow = change.flow AND waiting.unit = change.key
        )
    )
GROUP BY change.flow
"""

_CARRIED = """\
SELECT flow, taken, written, removed, latency
FROM synctasks.history
WHERE flow = ANY (%(flows)s::text[])
"""


@dataclass(frozen=True)
class Figures:
    """A flow's figures: `carried` changes since the start led to rows `written` and `removed`.

    `at_rest` are changes that wait: for their slot, or for a reference.
    """

    pending: int
    at_rest: int
    carried: int
    written: int
    removed: int
    latency: Mapping[str, float | None]


class _Books:
    """What a flow's drains have carried, and how long the changes took."""

    def __init__(self) -> None:
        self._counts = Counter[str]()
        self._latency = Counter[int]()

    def add(self, counts: Sequence[int], latency: Sequence[int]) -> None:
        """Add what one lane came to in one minute."""
        self._counts.update(dict(zip(_BOXES, counts, strict=True)))
        self._latency.update(dict(enumerate(latency)))

    def since(self, before: _Books) -> dict[str, Any]:
        """The figures of what has come since."""
        counts = {box: self._counts[box] - before._counts[box] for box in _BOXES}
        buckets = range(len(LATENCY_BOUNDS_MS) + 1)
        histogram = [self._latency[each] - before._latency[each] for each in buckets]
        return {**counts, "latency": percentiles(histogram)}


class Meter:
    """Reads the figures of flows, counting what was carried from the moment it is made."""

    def __init__(self, flows: Sequence[Flow]) -> None:
        self._flows = flows
        self._before = _books(flows)

    def read(self) -> dict[str, Figures]:
        """The figures by flow, now. Raises SynctasksError."""
        entries = status(self._flows)["flows"]
        books, at_rest = _books(self._flows), _at_rest(self._flows)
        return {
            name: Figures(
                # Read a moment apart.
                pending=max(0, entry["pending"] - at_rest.get(name, 0)),
                at_rest=at_rest.get(name, 0),
                **books[name].since(self._before[name]),
            )
            for name, entry in entries.items()
        }


def pending(figures: Mapping[str, Figures]) -> int:
    """How many changes of all flows are pending that a worker could carry."""
    return sum(each.pending for each in figures.values())


def carried(figures: Mapping[str, Figures]) -> int:
    """How many changes of all flows were carried."""
    return sum(each.carried for each in figures.values())


def climbing(flows: Sequence[Flow]) -> int:
    """How many changes were tried before and are tried again, until they wait for good."""
    found = 0
    for database in dict.fromkeys(flow.source.database for flow in flows):
        with transaction(database) as source:
            found += source.value(_CLIMBING, {"flows": array([flow.name for flow in flows])})
    return found


def _at_rest(flows: Sequence[Flow]) -> dict[str, int]:
    found: dict[str, int] = {}
    for database in dict.fromkeys(flow.source.database for flow in flows):
        with transaction(database) as source:
            found.update(source.rows(_AT_REST))
    return found


def _books(flows: Sequence[Flow]) -> dict[str, _Books]:
    found = {flow.name: _Books() for flow in flows}
    for database in dict.fromkeys(flow.source.database for flow in flows):
        with transaction(database) as source:
            for name, *counts, latency in source.rows(_CARRIED, {"flows": array(found)}):
                found[name].add(counts, latency)
    return found
