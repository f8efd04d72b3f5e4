"""Letting the removals go that the guard holds back."""

from __future__ import annotations

from synctasks import audit
from synctasks.audit import Action
from synctasks.database import transaction
from synctasks.flow import Flow

_HELD = "SELECT count(*) FROM synctasks.held WHERE flow = %(flow)s"

# Back into the log as what they were, with the mark that the guard lets through.
_ACCEPT = """\
WITH accepted AS (
    DELETE FROM synctasks.held
    WHERE flow = %(flow)s
    RETURNING lane, key, captured_at
)
INSERT INTO synctasks.change_log (flow, lane, key, operation, captured_at, removal_accepted)
SELECT %(flow)s, lane, key, 'delete', captured_at, true
FROM accepted
"""


# What was removed before counts no more: the guard's history begins anew.
_FORGIVE = "UPDATE synctasks.history SET accepted = removed WHERE flow = %(flow)s"


def accept(flow: Flow, reason: str | None = None) -> None:
    """Let them go, and note who said so, and why."""
    with transaction(flow.source.database) as source:
        count = source.value(_HELD, {"flow": flow.name})
        source.execute(_ACCEPT, {"flow": flow.name})
        source.execute(_FORGIVE, {"flow": flow.name})
        subject = f"{count} held removals, and a full run"
        audit.add(source, Action.ACCEPT_SHRINK, flow.name, subject, reason)
