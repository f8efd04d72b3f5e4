"""The dirty records among the generated ones, and what the sync makes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from synctasks.dead_letters import find
from synctasks.dead_letters.find import Filter, GroupBy
from synctasks.flow import Flow
from synctasks.sample.dirty import KINDS
from synctasks.sample.generate import Counts


def rejects(flows: Sequence[Flow], counts: Counts) -> int:
    """How many of the generated records the flows must reject: all dirty ones but the masked."""
    return sum(_rejects_of(flow.source.table, counts.dirty) for flow in flows)


def _rejects_of(table: str, dirty: Mapping[str, Mapping[str, int]]) -> int:
    masked = {kind.name for kind in KINDS[table] if kind.verdict == "masked"}
    return sum(count for name, count in dirty.get(table, {}).items() if name not in masked)


def letters(flows: Sequence[Flow]) -> int:
    """How many dead letters of the flows are open."""
    counts = find.count(Filter())
    return sum(counts.get(flow.name, 0) for flow in flows)


def by_error() -> list[dict[str, Any]]:
    """The open dead letters counted by error, the most frequent first."""
    return find.groups(Filter(), GroupBy.ERROR)
