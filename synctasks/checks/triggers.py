"""Whether the triggers and their functions are there, enabled, and what they should be."""

from __future__ import annotations

from collections.abc import Iterator

from synctasks.bind import bound
from synctasks.capture import installed
from synctasks.capture.triggers import WAKE, Trigger, triggers, wake_sql
from synctasks.checks import installation
from synctasks.checks.finding import Finding, problem, warning
from synctasks.checks.rights import visible
from synctasks.database import Transaction, transaction
from synctasks.flow import Database
from synctasks.flows import ALL_FLOWS

_INSTALL = "Run: synctasks install"


def look(database: Database) -> Iterator[Finding]:
    """Every trigger of the flows that start there."""
    wanted = _wanted(database)
    with transaction(database) as tx:
        there = {side.table for side in visible(tx, database)}
        for trigger in wanted:
            if trigger.table in there:
                yield _judged(tx, database, trigger)
        known = {(trigger.table, trigger.name) for trigger in wanted}
        for table, name in installed.all_triggers(tx):
            if (table, name) not in known:
                yield warning(
                    f"{database} database, table {table}, trigger {name}",
                    "no flow asks for it: it costs the application's writes for nothing",
                    f"DROP TRIGGER {name} ON {table}",
                )


def wake(database: Database) -> Iterator[Finding]:
    """The function by which the triggers wake the listener."""
    with transaction(database) as tx:
        wanted = wake_sql(notifies=installation.notifies(tx))
        wrong = installed.function_problem(wanted, installed.body(tx, WAKE))
    thing = f"{database} database, function {WAKE}"
    yield problem(thing, wrong, _INSTALL) if wrong else Finding(thing)


def _judged(tx: Transaction, database: Database, trigger: Trigger) -> Finding:
    wrong = installed.trigger_problem(
        trigger, installed.standing(tx, trigger)
    ) or installed.function_problem(trigger.function_sql, installed.body(tx, trigger.function))
    thing = f"{database} database, table {trigger.table}, trigger {trigger.name}"
    return problem(thing, wrong, _INSTALL) if wrong else Finding(thing)


def _wanted(database: Database) -> list[Trigger]:
    """The triggers that `install` would make there now."""
    flows = [flow for flow in ALL_FLOWS if flow.source.database is database and flow.capture]
    counts: dict[str, int] = {}
    for target in dict.fromkeys(flow.target.database for flow in flows):
        with transaction(target) as tx:
            counts |= installation.lane_counts(tx)
    return [
        trigger
        for flow in flows
        for trigger in triggers(bound(flow), counts.get(flow.name, flow.lanes))
    ]
