"""What fires since when: a row for each alert from when it fires until it is over, and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from synctasks.database import Transaction, array, transaction
from synctasks.flow import UNKNOWN, Database
from synctasks.flows import FLOWS
from synctasks.monitoring.alerts.condition import Condition, runbook
from synctasks.monitoring.thresholds import thresholds

_KEEP = """\
INSERT INTO synctasks.alert (name, about, reason)
SELECT name, about, reason
FROM unnest(%(names)s::text[], %(abouts)s::text[], %(reasons)s::text[])
    AS now (name, about, reason)
ON CONFLICT (name, about) WHERE resolved_at IS NULL DO UPDATE SET
    reason = EXCLUDED.reason,
    seen_at = EXCLUDED.seen_at
"""

# One that comes and goes is one alert: it is over when it was quiet for a while.
_RESOLVE = """\
UPDATE synctasks.alert
SET resolved_at = statement_timestamp(), next_try = statement_timestamp()
WHERE resolved_at IS NULL
    AND seen_at NOT BETWEEN
        statement_timestamp() - make_interval(secs => %(quiet)s) AND statement_timestamp()
    AND name <> ALL (%(unseen)s::text[])
"""

_FIRING = "SELECT name, about, since FROM synctasks.alert WHERE resolved_at IS NULL"

_LIST = """\
SELECT name, about, reason, since, seen_at, resolved_at, told_at
FROM synctasks.alert
WHERE resolved_at IS NULL OR %(ended)s
ORDER BY resolved_at DESC NULLS FIRST, since DESC
LIMIT %(limit)s
"""

_OTHER = {Database.WAREHOUSE: Database.CITIZEN, Database.CITIZEN: Database.WAREHOUSE}
_SOURCES = {flow.name: flow.source.database for flow in FLOWS}
_HOMES = {**_SOURCES, **{str(database): database for database in Database}}


def home(condition: Condition) -> Database:
    """Where an alert's row is: at its flow's source, or at the database that it is about; but that
    one is away, at the other.
    """
    database = _HOMES.get(condition.about)
    if database and condition.name == "away":
        return _OTHER[database]
    return database or Database.WAREHOUSE


def keep(database: Database, found: Sequence[Condition], unseen: Sequence[str] = ()) -> None:
    """Keep what fires, of the conditions at home here, and end what is over, but for those of the
    alerts that nobody can see now. Raises SynctasksError.
    """
    told = {
        "names": array(each.name for each in found),
        "abouts": array(each.about for each in found),
        "reasons": array(each.reason for each in found),
    }
    with transaction(database) as tx:
        tx.execute(_KEEP, told)
        quiet = thresholds()["all"]["quiet-seconds"]
        tx.execute(_RESOLVE, {"quiet": quiet, "unseen": array(unseen)})


def since(tx: Transaction) -> dict[tuple[str, str], datetime]:
    """Since when each alert at home here fires, by name and what it is about."""
    return {(name, about): moment for name, about, moment in tx.rows(_FIRING)}


def kept(database: Database, *, ended: bool, limit: int) -> list[dict[str, Any]]:
    """The alerts at home here: what fires, and on demand what is over. Raises SynctasksError."""
    names = ("name", "about", "reason", "since", "seen_at", "resolved_at", "told_at")
    with transaction(database) as tx:
        rows = tx.rows(_LIST, {"ended": ended, "limit": limit})
    found = [dict(zip(names, row, strict=True)) for row in rows]
    return [
        {
            **shown(each["name"], each["about"], each["reason"]),
            "state": "resolved" if each["resolved_at"] else "firing",
            **{name: each[name] and each[name].isoformat() for name in names[3:]},
        }
        for each in found
    ]


def shown(name: str, about: str, reason: str) -> Mapping[str, Any]:
    """An alert as programs see it; `flow` is null where it is about none."""
    return {
        "name": name,
        "flow": about if about in _SOURCES or about == UNKNOWN else None,
        "about": about,
        "reason": reason,
        "runbook": runbook(name),
    }
