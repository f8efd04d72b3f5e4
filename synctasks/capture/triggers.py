"""The triggers, generated from the flow declarations.

AFTER statement triggers with transition tables, one for each operation (several events or a
column list exclude transition tables): one INSERT … SELECT a statement, and only for rows in
which a column that the flow reads has changed. The functions run with their owner's rights and
settings of their own, so an application role needs no right on our schema.
"""

from __future__ import annotations

from dataclasses import dataclass

from synctasks import sql
from synctasks.capture import bodies
from synctasks.flow import Absent, Flow, Log, Operation, Table
from synctasks.lane import lane_sql

# A statement that captures more rows asks for one full run instead.
BULK_ROWS = 50_000

CHANNEL = "synctasks"

# The listener holds this advisory lock exclusively while it sleeps; two 32-bit numbers, "sync"
# and 1. A trigger that gets it shared knows that the listener is awake, and keeps it awake
# until its own transaction has ended.
SLEEP_LOCK = (0x73796E63, 1)

WAKE = "synctasks.wake"

_WAKE = """\
CREATE OR REPLACE FUNCTION synctasks.wake() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
    IF NOT pg_try_advisory_xact_lock_shared({space}, {number}) THEN
        PERFORM pg_notify('{channel}', '');
    END IF;
END
$body$;
REVOKE ALL ON FUNCTION synctasks.wake() FROM PUBLIC;
"""

_LET_SLEEP = """\
CREATE OR REPLACE FUNCTION synctasks.wake() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
    -- Installed with --no-notify: the listener polls.
END
$body$;
REVOKE ALL ON FUNCTION synctasks.wake() FROM PUBLIC;
"""

_TRIGGER = """\
CREATE TRIGGER {trigger}
AFTER {operation} ON {table}
{referencing}FOR EACH STATEMENT
EXECUTE FUNCTION {function}();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger};
"""

_REFERENCING = {
    "insert": "REFERENCING NEW TABLE AS new_rows\n",
    "update": "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows\n",
    "delete": "REFERENCING OLD TABLE AS old_rows\n",
    "truncate": "",
}


@dataclass(frozen=True)
class Trigger:
    """One trigger on a source table, with the SQL that makes it and its function."""

    name: str
    table: str
    function: str
    function_sql: str
    trigger_sql: str
    drop_sql: str


def wake_sql(*, notifies: bool) -> str:
    """The function that wakes the listener, or (with polling) does nothing."""
    if not notifies:
        return _LET_SLEEP
    return _WAKE.format(space=SLEEP_LOCK[0], number=SLEEP_LOCK[1], channel=CHANNEL)


def triggers(flow: Flow, lanes: int) -> list[Trigger]:
    """The triggers of a flow on its tables: one for each captured operation, and for TRUNCATE if it
    removes.
    """
    made = []
    for table in flow.tables:
        made += [_capture(flow, table, operation, lanes) for operation in flow.capture]
        if flow.capture and flow.absent is not Absent.KEEP:
            truncated = bodies.TRUNCATED.format(**_named(flow, table, "truncate"))
            made.append(_trigger(flow, table, "truncate", truncated))
    return made


def _capture(flow: Flow, table: Table, operation: Operation, lanes: int) -> Trigger:
    log = flow.source.log
    parts = {
        **_named(flow, table, operation),
        "bulk_rows": BULK_ROWS,
        "lane": lane_sql("captured.key", lanes),
        "operation": sql.literal(operation),
        "rests": str(flow.rests).lower(),
        "wake": "NULL;" if flow.rests else "PERFORM synctasks.wake();",
    }
    if log is None:
        return _trigger(
            flow, table, operation, bodies.FUNCTION.format(**parts, **_capturing(table, operation))
        )
    body = _logging(table, log, operation)
    writing = {f"log_{rows}": bodies.LOG.format(**parts, captured=body[rows]) for rows in body}
    return _trigger(
        flow, table, operation, bodies.LOGGING.format(**parts, **writing, changed=body["changed"])
    )


def _capturing(table: Table, operation: Operation) -> dict[str, str]:
    """What selects the units of changed rows, and where that fails those of all rows."""
    unit = table.unit.replace("{row}", "touched_row")
    touched = bodies.TOUCHED.format(unit=unit, rows=bodies.ROWS[operation])
    return {
        "changed": _changed(table) if operation is Operation.UPDATE else touched,
        "touched": touched,
    }


def _changed(table: Table) -> str:
    """The units of the rows in which a column that the flow reads has changed."""
    return bodies.CHANGED.format(
        before_key=table.unit.replace("{row}", "before"),
        after_key=table.unit.replace("{row}", "after"),
        first=sql.name(table.primary_key[0]),
        same_row=_same_row(table),
        before=sql.names(table.reads, of="before", indent=20),
        after=sql.names(table.reads, of="after", indent=20),
    )


def _logging(table: Table, log: Log, operation: Operation) -> dict[str, str]:
    """What selects the changes that count, with their values."""
    parts = {
        "after_key": table.unit.replace("{row}", "after"),
        "kept": ", ".join(f"{sql.literal(each)}, after.{sql.name(each)}" for each in log.keeps),
        "same_row": _same_row(table),
        "before": sql.names(log.of, of="before", indent=20),
        "after": sql.names(log.of, of="after", indent=20),
    }
    changed = bodies.LOGGED_CHANGED if operation is Operation.UPDATE else bodies.LOGGED
    return {"changed": changed.format(**parts), "touched": bodies.LOGGED_TOUCHED.format(**parts)}


def _same_row(table: Table) -> str:
    columns = map(sql.name, table.primary_key)
    return " AND ".join(f"before.{column} = after.{column}" for column in columns)


def _named(flow: Flow, table: Table, operation: str) -> dict[str, str]:
    return {
        "function": sql.name(f"synctasks.capture_{_place(flow, table)}_{operation}"),
        "flow": sql.literal(flow.name),
    }


def _place(flow: Flow, table: Table) -> str:
    """What the names of a table's triggers say: its flow, and which of the flow's tables it is."""
    return flow.name if len(flow.tables) == 1 else f"{flow.name}_{table.name.partition('.')[2]}"


def _trigger(flow: Flow, table: Table, operation: str, function_sql: str) -> Trigger:
    name = f"synctasks_{_place(flow, table)}_{operation}"
    function = _named(flow, table, operation)["function"]
    trigger_sql = _TRIGGER.format(
        trigger=sql.name(name),
        operation=operation.upper(),
        table=sql.name(table.name),
        referencing=_REFERENCING[operation],
        function=function,
    )
    drop_sql = f"DROP TRIGGER IF EXISTS {sql.name(name)} ON {sql.name(table.name)};\n"
    return Trigger(name, table.name, function, function_sql, trigger_sql, drop_sql)
