"""All conditions at once."""

from __future__ import annotations

from collections.abc import Sequence

from synctasks.flow import Flow
from synctasks.monitoring.alerts import of_all, of_flows
from synctasks.monitoring.alerts.condition import Condition
from synctasks.monitoring.surroundings import Surroundings
from synctasks.monitoring.thresholds import thresholds

#: Every alert that there is.
NAMES = (*of_flows.NAMES, *of_all.NAMES)


def conditions(flows: Sequence[Flow], around: Surroundings) -> list[Condition]:
    """What somebody has to look at now, as far as it can be seen."""
    told = thresholds()
    found = [
        condition
        for figures in around.figures
        for flow in flows
        if flow.name in figures.flows
        for condition in of_flows.of_flow(flow, figures, told)
    ]
    return [*found, *of_all.of_all(around, told)]


def unseen(around: Surroundings) -> Sequence[str]:
    """The alerts that may go on though nothing is found of them now."""
    return of_all.unseen(around, thresholds())
