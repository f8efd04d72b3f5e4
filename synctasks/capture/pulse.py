"""The listener's pulse: its own presence, the heartbeat's row, the ticks, and the closed books."""

from __future__ import annotations

from synctasks import presence
from synctasks.database import Transaction
from synctasks.flow import Database
from synctasks.flows.heartbeats import HEARTBEATS

_FLOWS = {flow.source.database: (direction, flow) for direction, flow in HEARTBEATS.items()}

# One at a time travels: with nobody there to take it the change log must not grow.
_BEAT = """\
INSERT INTO synctasks.heartbeat (direction, beat_at)
SELECT %(direction)s, clock_timestamp()
WHERE NOT EXISTS (SELECT FROM synctasks.change_log WHERE flow = %(flow)s)
ON CONFLICT (direction) DO UPDATE SET beat_at = EXCLUDED.beat_at
"""

_TICK = """\
SET LOCAL synchronous_commit = off;
DELETE FROM synctasks.tick WHERE at < clock_timestamp() - interval '5 minutes';
INSERT INTO synctasks.tick DEFAULT VALUES ON CONFLICT DO NOTHING
"""


def beat(tx: Transaction, database: Database) -> None:
    """Let the heartbeat of the direction that starts here beat. Raises SynctasksError."""
    direction, flow = _FLOWS[database]
    presence.touch()
    presence.note(tx, presence.LISTENER)
    tx.execute(_BEAT, {"direction": direction, "flow": flow.name})


def tick(tx: Transaction) -> None:
    """Note what is visible now. Raises SynctasksError."""
    tx.execute(_TICK)
