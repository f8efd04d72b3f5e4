"""All figures of one database, in one snapshot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from synctasks.database import transaction
from synctasks.flow import UNKNOWN, Database, Flow
from synctasks.monitoring.figures.backlog import backlog
from synctasks.monitoring.figures.lately import captures, lately, unbalanced
from synctasks.monitoring.figures.runs import runs
from synctasks.monitoring.figures.signs import presence
from synctasks.monitoring.thresholds import thresholds

_NOW = "SELECT clock_timestamp(), installed_at FROM synctasks.installation"

_REFUSED = "SELECT count(*) FROM synctasks.dead_letter WHERE state = 'open' AND flow = %(flow)s"

#: What a flow shows of which the tables say nothing yet.
_NOTHING: Mapping[str, Any] = {
    "pending": 0,
    "resting": 0,
    "oldest_pending_seconds": None,
    "waiting": 0,
    "oldest_waiting_seconds": None,
    "breaker": None,
    "held": 0,
    "dead_letters_open": 0,
    "review": 0,
    "paused": False,
    "latency_seconds": {"p50": None, "p95": None, "p99": None},
    "last_run": None,
    "estimated": (),
}

#: What `status` shows of a flow.
SHOWN = tuple(_NOTHING)


@dataclass(frozen=True)
class Figures:
    """What a database says: of the flows that start there by name, and of what works on them.

    `now` and `installed_at` are its own times. `presence` is in seconds ago, by process.
    """

    database: Database
    now: datetime
    installed_at: datetime
    flows: Mapping[str, Mapping[str, Any]]
    presence: Mapping[str, float]
    refused: int
    unbalanced: int


def gather(database: Database, flows: Sequence[Flow]) -> Figures:
    """The figures of a database. Raises SynctasksError, PermanentError if nothing is installed."""
    told = thresholds()
    names = [flow.name for flow in flows if flow.source.database is database]
    captured = [flow.name for flow in flows if flow.name in names and flow.capture]
    with transaction(database, snapshot=True) as tx:
        now, installed_at = tx.row(_NOW) or (None, None)
        late = told["latency"]
        parts: list[Mapping[str, Mapping[str, Any]]] = [
            backlog(tx, late["seconds"]),
            lately(tx, names, told["failure-rate"]["minutes"], (late["seconds"], late["minutes"])),
            runs(tx, names),
        ]
        usual = captures(tx, captured, told["volume-drop-of-events"]["weeks"])
        return Figures(
            database,
            now,
            installed_at,
            {
                name: {
                    **_NOTHING,
                    **{key: value for part in parts for key, value in part.get(name, {}).items()},
                    "captured": usual.get(name),
                }
                for name in names
            },
            presence(tx),
            tx.value(_REFUSED, {"flow": UNKNOWN}),
            unbalanced(tx),
        )
