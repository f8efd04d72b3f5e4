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

# Only reads stand within the handler: a block that writes would cost a transaction id of its own.
_FUNCTION = """\
CREATE OR REPLACE FUNCTION {function}() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
    keys text[];
BEGIN
    BEGIN
        SELECT array_agg(changed.key) INTO keys
        FROM (
{changed}
            LIMIT {bulk_rows} + 1
        ) AS changed;
    EXCEPTION WHEN undefined_column THEN
        -- Somebody dropped a column that the flow reads. Their writes go on: until the next
        -- `synctasks install`, every row that they touch counts as changed.
        SELECT array_agg(touched.key) INTO keys
        FROM (
{touched}
            LIMIT {bulk_rows} + 1
        ) AS touched;
    END;
    IF keys IS NULL THEN
        RETURN NULL;
    ELSIF cardinality(keys) > {bulk_rows} THEN
        INSERT INTO synctasks.run (flow, reason)
        VALUES ({flow}, 'one statement changed more than {bulk_rows} units');
    ELSE
        INSERT INTO synctasks.change_log (flow, lane, key, operation)
        SELECT {flow}, {lane}, captured.key, {operation}
        FROM unnest(keys) AS captured (key);
    END IF;
    PERFORM synctasks.wake();
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

_TOUCHED = """\
            SELECT DISTINCT touched.{key}::text AS key
            FROM {rows} AS touched
            WHERE touched.{key} IS NOT NULL"""

_CHANGED = """\
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

_ROWS = {
    Operation.INSERT: "new_rows",
    Operation.UPDATE: "(TABLE old_rows UNION ALL TABLE new_rows)",
    Operation.DELETE: "old_rows",
}

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
    touched = _TOUCHED.format(key=sql.name(flow.source.key), rows=_ROWS[operation])
    function_sql = _FUNCTION.format(
        **_named(flow, operation),
        changed=_changed(flow) if operation is Operation.UPDATE else touched,
        touched=touched,
        bulk_rows=BULK_ROWS,
        lane=lane_sql("captured.key", lanes),
        operation=sql.literal(operation),
    )
    return _trigger(flow, operation, function_sql)


def _changed(flow: Flow) -> str:
    """The units of the rows in which a column that the flow reads has changed."""
    return _CHANGED.format(
        key=sql.name(flow.source.key),
        same_row=" AND ".join(
            f"before.{sql.name(column)} = after.{sql.name(column)}"
            for column in flow.source.row_key
        ),
        before=sql.names(flow.watched, of="before", indent=20),
        after=sql.names(flow.watched, of="after", indent=20),
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
