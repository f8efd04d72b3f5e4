"""Pauses: nobody sends for a flow that somebody has paused; what is committed is captured on."""

from __future__ import annotations

from synctasks import audit
from synctasks.database import transaction
from synctasks.flow import Flow
from synctasks.lane import RUNS_SQL

_PAUSE = """\
INSERT INTO synctasks.pause AS pause (flow, actor, reason)
VALUES (%(flow)s, %(actor)s, %(reason)s)
ON CONFLICT (flow) DO UPDATE SET
    since = EXCLUDED.since,
    resumed_at = NULL,
    actor = EXCLUDED.actor,
    reason = EXCLUDED.reason
WHERE pause.resumed_at IS NOT NULL
RETURNING flow
"""

_RESUME = """\
UPDATE synctasks.pause
SET resumed_at = clock_timestamp()
WHERE flow = %(flow)s AND resumed_at IS NULL
RETURNING flow
"""


def pause(flow: Flow, reason: str | None) -> bool:
    """Pause a flow; False if it was paused already. Raises SynctasksError."""
    with transaction(flow.source.database) as source:
        paused = {"flow": flow.name, "actor": audit.actor(), "reason": reason}
        if source.row(_PAUSE, paused) is None:
            return False
        audit.add(source, "pause", flow.name, "", reason)
        return True


def resume(flow: Flow, reason: str | None) -> bool:
    """Let a flow go on; False if it was not paused. Raises SynctasksError."""
    with transaction(flow.source.database) as source:
        if source.row(_RESUME, {"flow": flow.name}) is None:
            return False
        audit.add(source, "resume", flow.name, "", reason)
        return True


def is_paused(flow: Flow) -> bool:
    """Whether somebody has paused the flow. Raises SynctasksError."""
    with transaction(flow.source.database) as source:
        return not source.value(f"SELECT {RUNS_SQL}", {"flow": flow.name})
