"""The figures that the demo shows: the state of each flow, and what its drains have carried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from synctasks.database import transaction
from synctasks.flow import Flow
from synctasks.monitoring.status import status

_BOXES = ("carried", "written", "removed")

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
        return {
            name: Figures(
                pending=entry["pending"],
                **{box: carried[name][box] - self._before[name][box] for box in _BOXES},
                latency=entry["latency_seconds"],
            )
            for name, entry in entries.items()
        }


def pending(figures: Mapping[str, Figures]) -> int:
    """How many changes of all flows are pending."""
    return sum(each.pending for each in figures.values())


def carried(figures: Mapping[str, Figures]) -> int:
    """How many changes of all flows were carried."""
    return sum(each.carried for each in figures.values())


def _carried(flows: Sequence[Flow]) -> dict[str, dict[str, int]]:
    sums = {flow.name: dict.fromkeys(_BOXES, 0) for flow in flows}
    for database in dict.fromkeys(flow.source.database for flow in flows):
        with transaction(database) as source:
            rows = source.rows(_CARRIED)
        sums.update({flow: dict(zip(_BOXES, counts, strict=True)) for flow, *counts in rows})
    return sums
