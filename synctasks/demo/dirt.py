"""The dirty records among the generated ones, and what the sync makes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from synctasks.dead_letters import find
from synctasks.dead_letters.find import Filter, GroupBy
from synctasks.flow import Flow, Table
from synctasks.flows.to_citizen.eligibility_hints import ELIGIBILITY_HINTS
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.flows.to_warehouse.user_behavior import USER_BEHAVIOR
from synctasks.sample.dirty import KINDS
from synctasks.sample.generate import Counts

# The share of the dirty records that must have a letter at least, where that is not all of them.
_LEAST = {
    # One golden record in six is of somebody whose own data at the portal has mended it.
    PROFILE_DATA: 0.8,
    # Of a history only the latest evaluation is judged.
    ELIGIBILITY_HINTS: 0.8,
    # Several dirty visits of a citizen are one record of theirs; nobody's visits are none.
    USER_BEHAVIOR: 0.25,
}


class Dirt(NamedTuple):
    """How many of the records that a flow reads are dirty, and how many dead letters it has."""

    flow: Flow
    dirty: int
    letters: int

    @property
    def plausible(self) -> bool:
        """Whether the letters are those of the dirty records."""
        return _LEAST.get(self.flow, 1.0) * self.dirty <= self.letters <= self.dirty


def dirt(flows: Sequence[Flow], counts: Counts) -> list[Dirt]:
    """The dirty records by flow, and the open dead letters. Raises SynctasksError."""
    letters = find.count(Filter())
    return [Dirt(flow, _rejects(flow, counts), letters.get(flow.name, 0)) for flow in flows]


def _rejects(flow: Flow, counts: Counts) -> int:
    """How many generated records the flow must reject: all that are dirty but the masked."""
    return sum(_rejects_of(table, counts.dirty) for table in flow.tables)


def _rejects_of(table: Table, dirty: Mapping[str, Mapping[str, int]]) -> int:
    name = table.name if table.name in KINDS else table.name.removeprefix("public.")
    found = dirty.get(name, {})
    kinds = (kind for kind in KINDS.get(name, ()) if kind.column in table.reads)
    return sum(found.get(kind.name, 0) for kind in kinds if kind.verdict != "masked")


def by_error() -> list[dict[str, Any]]:
    """The open dead letters counted by error, the most frequent first."""
    return find.groups(Filter(), GroupBy.ERROR)
