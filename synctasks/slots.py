"""Slots: the times at which a flow's schedule is due.

Whoever inserts a slot's row asks for its run, so that two beats, or one that repeats itself, are
harmless. Of the slots that were missed the newest is made up, once.
"""

from __future__ import annotations

from datetime import datetime

from synctasks.database import Transaction
from synctasks.flow import Flow

# What was due before we were installed was nobody's to run.
_TAKE = """\
WITH taken AS (
    INSERT INTO synctasks.slot (flow, due_at)
    SELECT %(flow)s, %(due_at)s
    FROM synctasks.installation
    WHERE installation.installed_at < %(due_at)s
    ON CONFLICT DO NOTHING
    RETURNING due_at
),
asked AS (
    INSERT INTO synctasks.run (flow, reason)
    SELECT %(flow)s, %(reason)s
    FROM taken
    RETURNING id
)
SELECT id FROM asked
"""

_NOTE_RUN = "UPDATE synctasks.slot SET run = %(run)s WHERE flow = %(flow)s AND due_at = %(due_at)s"


def take(source: Transaction, flow: Flow, now: datetime) -> int | None:
    """Take the flow's newest slot and ask for its run: the run's id, or None if it is taken.

    A run that is under way is no answer: what it has read already may have changed since.
    """
    if flow.schedule is None:
        return None
    due_at = flow.schedule.latest(now)
    slot = {"flow": flow.name, "due_at": due_at}
    row = source.row(_TAKE, {**slot, "reason": f"scheduled for {due_at:%Y-%m-%d %H:%M} UTC"})
    if row is None:
        return None
    source.execute(_NOTE_RUN, {**slot, "run": row[0]})
    run: int = row[0]
    return run
