"""What can be asked of any flow: what verify says, what somebody asks for, what status tells."""

from __future__ import annotations

import json
from typing import Any

from synctasks.capture import change_log
from synctasks.capture.change_log import lane_count
from synctasks.capture.waiting import wake_some
from synctasks.database import transaction
from synctasks.engine.verify import verify
from synctasks.flow import Flow
from tests.letters import typed
from tests.rows import Connection, rows
from tests.syncing import by_events


def verified(flow: Flow) -> dict[str, int]:
    """The classes of the flow's records that are not empty."""
    *_, last = verify(flow, lane_count(flow))
    return {name: count for name, count in last.counts.items() if count}


def asked_for(source: Connection, flow: Flow, *keys: str) -> dict[str, int]:
    """Somebody asks for these keys, and what is due is worked off: the counts."""
    change_log.request(flow, keys, origin="key")
    return by_events(source, flow)


def status_of(flow: Flow) -> dict[str, Any]:
    """What `synctasks status --json` says of the flow."""
    said = typed("status", "--json")
    assert said.returncode in (0, 1), said
    found: dict[str, Any] = json.loads(said.stdout)["flows"][flow.name]
    return found


def waits(source: Connection, flow: Flow) -> dict[str, bool]:
    """Who waits: by unit whether it rests already, instead of being tried by itself."""
    found = "SELECT unit, since IS NOT NULL FROM synctasks.waiting WHERE flow = %s"
    return dict(rows(source, found, [flow.name]))


def letters_of(source: Connection, flow: Flow) -> list[tuple[str, str, str]]:
    """The open dead letters of the flow: record, category and error."""
    found = (
        "SELECT record, category, error FROM synctasks.dead_letter"
        " WHERE state = 'open' AND flow = %s ORDER BY 1"
    )
    return rows(source, found, [flow.name])


def look_hourly(flow: Flow) -> None:
    """What the listener of the flow's source does now and then."""
    with transaction(flow.source.database) as source:
        wake_some(source)
