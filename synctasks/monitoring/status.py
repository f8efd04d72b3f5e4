"""The state of each flow, as `synctasks status` shows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from synctasks.database import transaction
from synctasks.flow import Database, Flow
from synctasks.monitoring.alerts.conditions import conditions
from synctasks.monitoring.alerts.store import shown, since
from synctasks.monitoring.figures.gather import SHOWN
from synctasks.monitoring.surroundings import look_around


def status(flows: Sequence[Flow]) -> dict[str, Any]:
    """`{"flows": {name: …}, "heartbeats": …, "alerts": […]}` as documented for `status --json`.

    Alerts are judged now, whether anybody watches or not; `since` is null where nobody does.
    Raises SynctasksError where a database does not answer: half a status would look like a whole.
    """
    around = look_around(flows)
    firing = {}
    for database in Database:
        if str(database) in around.away:
            raise around.away[str(database)]
        with transaction(database) as tx:
            firing.update(since(tx))
    entries = {name: entry for each in around.figures for name, entry in each.flows.items()}
    alerts = []
    for each in conditions(flows, around):
        moment = firing.get((each.name, each.about))
        told = shown(each.name, each.about, each.reason)
        alerts.append({**told, "since": moment and moment.isoformat()})
    return {
        "flows": {flow.name: {name: entries[flow.name][name] for name in SHOWN} for flow in flows},
        "heartbeats": dict(around.heartbeats),
        "alerts": alerts,
    }
