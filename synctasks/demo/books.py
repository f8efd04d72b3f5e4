"""Was every change carried? What the applications committed against what the drains have taken."""

from __future__ import annotations

from collections.abc import Mapping

from synctasks.demo.figures import Figures
from synctasks.flow import Flow
from synctasks.flows import FLOWS


def unbalanced(committed: Mapping[str, int], figures: Mapping[str, Figures]) -> list[str]:
    """What does not add up, in words, a flow each; nothing pending but what is at rest.

    A flow that waits for nothing has taken exactly what was committed, and what other flows have
    written into its source. One whose records wait takes them again when they are woken: of those
    there may be more, and never less.
    """
    return [
        f"{flow.name}: {due:,} changes were committed, but {taken:,} carried."
        for flow in FLOWS
        for due, taken in [_due_and_taken(flow, committed, figures)]
        if taken < due or (taken > due and not flow.needs)
    ]


def _due_and_taken(
    flow: Flow, committed: Mapping[str, int], figures: Mapping[str, Figures]
) -> tuple[int, int]:
    feeding = [other for other in FLOWS if other.target.table == flow.source.table]
    due = committed[flow.name] + sum(figures[other.name].written for other in feeding)
    return due, figures[flow.name].carried + figures[flow.name].at_rest
