"""Signs of life: when processes were heard of last, and the last heartbeats that arrived."""

from __future__ import annotations

from synctasks.database import Transaction, transaction
from synctasks.flows.heartbeats import HEARTBEATS

_PRESENCE = """\
SELECT process, extract(epoch FROM clock_timestamp() - seen_at)::float
FROM synctasks.presence
"""

_ARRIVED = "SELECT beat_at FROM synctasks.heartbeat_arrived WHERE direction = %(direction)s"

# By the clock that the beat was taken from.
_AGE = "SELECT extract(epoch FROM clock_timestamp() - %(beat_at)s)::float"


def presence(tx: Transaction) -> dict[str, float]:
    """By process, how many seconds ago it was heard of here last."""
    return dict(tx.rows(_PRESENCE))


def heartbeats() -> dict[str, float | None]:
    """By direction, how many seconds ago the last heartbeat that arrived was sent; None before
    the first. Raises SynctasksError.
    """
    ages: dict[str, float | None] = {}
    for direction, flow in HEARTBEATS.items():
        with transaction(flow.target.database) as target:
            row = target.row(_ARRIVED, {"direction": direction})
        ages[direction] = None
        if row:
            with transaction(flow.source.database) as source:
                ages[direction] = round(source.value(_AGE, {"beat_at": row[0]}), 3)
    return ages
