"""The triggers, generated from the flow declarations.

AFTER statement triggers with transition tables, one for each operation (several events or a
column list exclude transition tables): one INSERT … SELECT a statement, and only for rows in
which a column that the flow reads has changed. The functions run with their owner's rights and
a fixed search path, so an application role needs no right on our schema.
"""

from __future__ import annotations

from dataclasses import dataclass

from synctasks import sql
from synctasks.flow import Absent, Flow, Operation
from synctasks.lane import lane_sql

# A statement that captures more rows asks for one full run instead.
BULK_ROWS = 50_000

CHANNEL = "synctasks"

# The listener holds this advisory lock exclusively while it sleeps; two 32-bit numbers, "sync"
# and 1. A trigger that gets it shared knows that the listener is awake, and keeps it awake
# until its own transaction has ended.
SLEEP_LOCK = (0x73796E63, 1)

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

_FUNCTION = """\
CREATE OR REPLACE FUNCTION {function}() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
    captured bigint;
BEGIN
    IF EXISTS (SELECT FROM {rows} OFFSET {bulk_rows}) THEN
        SELECT count(*) INTO captured
        FROM (
{units}
        ) AS unit;
        IF captured > {bulk_rows} THEN
            INSERT INTO synctasks.run (flow, reason)
            VALUES ({flow}, 'one statement changed ' || captured || ' units');
            PERFORM synctasks.wake();
            RETURN NULL;
        END IF;
    END IF;
    INSERT INTO synctasks.change_log (flow, lane, key, operation)
    SELECT {flow}, {lane}, unit.key, {operation}
    FROM (
{units}
    ) AS unit;
    GET DIAGNOSTICS captured = ROW_COUNT;
    IF captured > 0 THEN
        PERFORM synctasks.wake();
    END IF;
    RETURN NULL;
END
$body$;
REVOKE ALL ON FUNCTION {function}() FROM PUBLIC;
"""

_TRUNCATED = """\
CREATE OR REPLACE FUNCTION {function}() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $body$
BEGIN
    INSERT INTO synctasks.run (flow, reason)
    VALUES ({flow}, 'the source table was truncated');
    PERFORM synctasks.wake();
    RETURN NULL;
END
$body$;
REVOKE ALL ON FUNCTION {function}() FROM PUBLIC;
"""

_ONE_SIDE = """\
        SELECT DISTINCT changed.{key}::text AS key
        FROM {rows} AS changed
        WHERE changed.{key} IS NOT NULL"""

_BOTH_SIDES = """\
        SELECT DISTINCT side.key
        FROM old_rows AS before
        FULL JOIN new_rows AS after ON {same_row}
        CROSS JOIN LATERAL (
            VALUES (before.{key}::text), (after.{key}::text)
        ) AS side (key)
        WHERE side.key IS NOT NULL
            AND (
                {before}
            ) IS DISTINCT FROM (
                {after}
            )"""

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
    function_sql: str
    trigger_sql: str
    drop_sql: str


def wake_sql(*, notifies: bool) -> str:
    """The function that wakes the listener, or (with polling) does nothing."""
    if not notifies:
        return _LET_SLEEP
    return _WAKE.format(space=SLEEP_LOCK[0], number=SLEEP_LOCK[1], channel=CHANNEL)


def triggers(flow: Flow, lanes: int) -> list[Trigger]:
    """The triggers of a flow, one for each captured operation, and for TRUNCATE if it removes."""
    made = [_capture(flow, operation, lanes) for operation in flow.capture]
    if flow.capture and flow.absent is not Absent.KEEP:
        made.append(_trigger(flow, "truncate", _TRUNCATED.format(**_named(flow, "truncate"))))
    return made


def _capture(flow: Flow, operation: Operation, lanes: int) -> Trigger:
    rows = "old_rows" if operation is Operation.DELETE else "new_rows"
    function_sql = _FUNCTION.format(
        **_named(flow, operation),
        rows=rows,
        units=_units(flow, operation, rows),
        bulk_rows=BULK_ROWS,
        lane=lane_sql("unit.key", lanes),
        operation=sql.literal(operation),
    )
    return _trigger(flow, operation, function_sql)


def _units(flow: Flow, operation: Operation, rows: str) -> str:
    key = sql.name(flow.source.key)
    if operation is not Operation.UPDATE:
        return _ONE_SIDE.format(key=key, rows=rows)
    same_row = " AND ".join(
        f"before.{sql.name(column)} = after.{sql.name(column)}" for column in flow.source.row_key
    )
    return _BOTH_SIDES.format(
        key=key,
        same_row=same_row,
        before=sql.names(flow.watched, of="before", indent=16),
        after=sql.names(flow.watched, of="after", indent=16),
    )


def _named(flow: Flow, operation: str) -> dict[str, str]:
    return {
        "function": sql.name(f"synctasks.capture_{flow.name}_{operation}"),
        "flow": sql.literal(flow.name),
    }


def _trigger(flow: Flow, operation: str, function_sql: str) -> Trigger:
    name = f"synctasks_{flow.name}_{operation}"
    trigger_sql = _TRIGGER.format(
        trigger=sql.name(name),
        operation=operation.upper(),
        table=sql.name(flow.source.table),
        referencing=_REFERENCING[operation],
        function=_named(flow, operation)["function"],
    )
    table = sql.name(flow.source.table)
    drop_sql = f"DROP TRIGGER IF EXISTS {sql.name(name)} ON {table};\n"
    return Trigger(name, flow.source.table, function_sql, trigger_sql, drop_sql)
