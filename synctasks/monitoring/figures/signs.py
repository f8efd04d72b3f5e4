"""Signs of life: when processes were heard of last, and the last heartbeats that arrived."""

from __future__ import annotations

from collections.abc import Iterable

from synctasks import dispatch
from synctasks.database import Transaction, transaction
from synctasks.flows.heartbeats import HEARTBEATS
from synctasks.presence import BEAT, LISTENER, worker_of

#: Those that have to run, beside the web process: nobody else would say that they do not.
PROCESSES = (LISTENER, BEAT, *map(worker_of, dispatch.QUEUES))

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


def silence(process: str, ages: Iterable[float]) -> float:
    """How long ago a process was heard of, by what each database says.

    Each database has a listener of its own; the others are heard of wherever they are noted.
    """
    return max(ages) if process == LISTENER else min(ages)


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
