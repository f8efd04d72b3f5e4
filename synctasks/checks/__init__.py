"""The doctor: everything that has to be true for the flows to work, looked at piece by piece.

Nothing is written. What could not be looked at is told apart from what was found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from synctasks.checks import (
    alive,
    broker,
    columns,
    credentials,
    installation,
    leaks,
    listening,
    rights,
    sensitive,
    servers,
    triggers,
    unseen,
)
from synctasks.checks.finding import Check, Finding, State, run
from synctasks.flow import Database

__all__ = ["CHECKS", "NEEDED_BY_LEAKS", "Check", "Finding", "State", "leaks", "run"]


def _each(
    name: str,
    look: Callable[[Database], Iterable[Finding]],
    *needs: Check | Mapping[Database, Check],
) -> dict[Database, Check]:
    """A check of each database; of those that it needs, the one of the same database."""
    return {
        database: Check(
            name,
            f"{database} database",
            partial(look, database),
            tuple(need if isinstance(need, Check) else need[database] for need in needs),
        )
        for database in Database
    }


_ENVIRONMENT = Check("environment", "environment", credentials.environment)
_KEYS = Check("encryption keys", "environment", credentials.keys, (_ENVIRONMENT,))
_BROKER = Check("connection", broker.PLACE, broker.connection, (_ENVIRONMENT,))
_REACHED = _each("connection", servers.connection, _ENVIRONMENT)
_INSTALLED = _each("installation", installation.installed, _REACHED)
_NEWEST = _each("schema version", installation.version, _INSTALLED)

#: All checks; each stands behind those that it needs.
CHECKS: tuple[Check, ...] = (
    _ENVIRONMENT,
    *_REACHED.values(),
    _BROKER,
    *_each("server version", servers.version, _REACHED).values(),
    Check("server version", broker.PLACE, broker.version, (_BROKER,)),
    *_each("clock", servers.clock, _REACHED).values(),
    Check("clock", "both databases", servers.clocks, tuple(_REACHED.values())),
    *_INSTALLED.values(),
    *_NEWEST.values(),
    *_each("rights", rights.rights, _REACHED).values(),
    *_each("rights", rights.own_rights, _INSTALLED).values(),
    *_each("row-level security", rights.row_security, _REACHED).values(),
    *_each("columns", columns.missing, _REACHED).values(),
    *_each("types", columns.types, _REACHED).values(),
    *_each("sensitive columns", sensitive.undeclared, _REACHED).values(),
    *_each("masks on unique keys", sensitive.unique_masks, _REACHED).values(),
    # What triggers there should be depends on the tables and the lanes of both sides.
    Check("lanes", "both databases", installation.lanes, tuple(_INSTALLED.values())),
    *_each("triggers", triggers.look, *_INSTALLED.values()).values(),
    *_each("triggers", triggers.wake, _INSTALLED).values(),
    *_each("unseen writes", unseen.look, _REACHED).values(),
    *_each("listening", listening.pooling, _REACHED).values(),
    *_each("listening", listening.queue, _REACHED).values(),
    *_each("listening", installation.notifications, _INSTALLED).values(),
    *_each("processes", alive.processes, _NEWEST).values(),
    Check("processes", "workers", alive.workers, (_BROKER,)),
    Check("broker", broker.PLACE, broker.policy, (_BROKER,)),
    Check("broker", broker.PLACE, broker.persistence, (_BROKER,)),
    _KEYS,
    *_each("encryption keys", credentials.letters, _INSTALLED, _KEYS).values(),
    Check("passwords", "environment", credentials.flower, (_ENVIRONMENT,)),
    Check("passwords", "environment", credentials.callback, (_ENVIRONMENT,)),
)

#: What a search for leaks needs, the nearest last.
NEEDED_BY_LEAKS: tuple[Check, ...] = (_ENVIRONMENT, _REACHED[Database.CITIZEN])
