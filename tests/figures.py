"""Figures that nobody gathered: a flow to which nothing has happened, and what a test changes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from synctasks.errors import SynctasksError
from synctasks.flow import Database
from synctasks.monitoring.figures.gather import Figures
from synctasks.monitoring.surroundings import Surroundings

#: Ten past one at night: the portal's slots of 01:00 are due, and those before are over.
NOW = datetime(2031, 3, 5, 1, 10, tzinfo=UTC)

NOTHING: Mapping[str, Any] = {
    "pending": 0,
    "late": 0,
    "changes": 0,
    "paused": False,
    "breaker": None,
    "held": 0,
    "waiting": 0,
    "oldest_waiting_seconds": None,
    "dead_letters_open": 0,
    "review": 0,
}


def entry(**changes: Any) -> dict[str, Any]:
    """What is known of a flow to which only this has happened."""
    return {**NOTHING, **changes}


def figures(
    database: Database = Database.WAREHOUSE,
    flows: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    now: datetime = NOW,
    installed_ago: timedelta = timedelta(days=400),
    presence: Mapping[str, float] | None = None,
    refused: int = 0,
    unbalanced: int = 0,
) -> Figures:
    """A database's figures; without more, all is well and everybody was heard of just now."""
    return Figures(
        database,
        now,
        now - installed_ago,
        flows or {},
        EVERYBODY if presence is None else presence,
        refused,
        unbalanced,
    )


EVERYBODY: Mapping[str, float] = {
    "listener": 1.0,
    "beat": 1.0,
    "worker events": 1.0,
    "worker batch": 1.0,
    "worker control": 1.0,
    "worker dlq": 1.0,
}


def around(
    *found: Figures,
    heartbeats: Mapping[str, float | None] | None = None,
    away: Mapping[str, SynctasksError] | None = None,
) -> Surroundings:
    """Surroundings of these figures; without any, of both databases with all well."""
    both = [figures(database) for database in Database]
    return Surroundings(found or both, heartbeats or {}, away or {})
