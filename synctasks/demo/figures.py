"""The figures that the demo shows: the state of each flow, and what its drains have carried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from synctasks.database import transaction
from synctasks.flow import Database, Flow
from synctasks.monitoring.status import status

_CARRIED = """\
SELECT flow, sum(taken)::bigint, sum(written)::bigint, sum(removed)::bigint
FROM synctasks.history
GROUP BY flow
"""


@dataclass(frozen=True)
class Figures:
    """A flow's figures: `carried` changes since the start led to rows `written` and `removed`."""

    pending: int
    carried: int
    written: int
    removed: int
    latency: Mapping[str, float | None]


class Meter:
    """Reads the figures of flows, counting what was carried from the moment it is made."""

    def __init__(self, flows: Sequence[Flow]) -> None:
        self._flows = flows
        self._before = _carried(flows)

    def read(self) -> dict[str, Figures]:
        """The figures by flow, now. Raises SynctasksError."""
        entries = status(self._flows)["flows"]
        carried = _carried(self._flows)
        found = {}
        for name, entry in entries.items():
            since = [
                now - then for now, then in zip(carried[name], self._before[name], strict=True)
            ]
            found[name] = Figures(entry["pending"], *since, latency=entry["latency_seconds"])
        return found


def pending(figures: Mapping[str, Figures]) -> int:
    """How many changes of all flows are pending."""
    return sum(each.pending for each in figures.values())


def carried(figures: Mapping[str, Figures]) -> int:
    """How many changes of all flows were carried."""
    return sum(each.carried for each in figures.values())


def _carried(flows: Sequence[Flow]) -> dict[str, tuple[int, int, int]]:
    sums = {flow.name: (0, 0, 0) for flow in flows}
    for database in Database:
        if not any(flow.source.database is database for flow in flows):
            continue
        with transaction(database) as source:
            rows = source.rows(_CARRIED)
        sums.update({flow: (taken, *boxes) for flow, taken, *boxes in rows if flow in sums})
    return sums
