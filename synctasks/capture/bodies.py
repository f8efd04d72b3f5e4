"""The SQL of the capture functions: what selects changed rows, and what is written of them."""

from __future__ import annotations

from synctasks.flow import Operation

# Only reads stand within the handler: a block that writes would cost a transaction id of its own.
# jit: a session keeps the plan of its first statement. Where that one was large, PostgreSQL would
# compile the plan again for each small one, at half a second of the application's time.
FUNCTION = """\
CREATE OR REPLACE FUNCTION {function}() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
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
        INSERT INTO synctasks.change_log (flow, lane, key, operation, rests)
        SELECT {flow}, {lane}, captured.key, {operation}, {rests}
        FROM unnest(keys) AS captured (key);
    END IF;
    {wake}
    RETURN NULL;
END
$body$;
REVOKE ALL ON FUNCTION {function}() FROM PUBLIC;
"""

# Every change counts, so every one is written, however many a statement makes: no array would hold
# them. Where a column was dropped, the values are those of whatever columns there are.
LOGGING = """\
CREATE OR REPLACE FUNCTION {function}() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $body$
DECLARE
    has_all_columns boolean := true;
BEGIN
    BEGIN
        PERFORM NULL
        FROM (
{changed}
        ) AS changed
        LIMIT 0;
    EXCEPTION WHEN undefined_column THEN
        has_all_columns := false;
    END;
    IF has_all_columns THEN
{log_changed}
    ELSE
{log_touched}
    END IF;
    IF FOUND THEN
        {wake}
    END IF;
    RETURN NULL;
END
$body$;
REVOKE ALL ON FUNCTION {function}() FROM PUBLIC;
"""

LOG = """\
        WITH logged AS (
            INSERT INTO synctasks.event_log (flow, key, "row")
            SELECT {flow}, captured.key, captured.kept
            FROM (
{captured}
            ) AS captured
            RETURNING key
        )
        INSERT INTO synctasks.change_log (flow, lane, key, operation, rests)
        SELECT DISTINCT {flow}, {lane}, captured.key, {operation}, {rests}
        FROM logged AS captured;"""

TRUNCATED = """\
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

TOUCHED = """\
            SELECT DISTINCT touched.key
            FROM (
                SELECT {unit}::text AS key
                FROM {rows} AS touched_row
            ) AS touched
            WHERE touched.key IS NOT NULL"""

CHANGED = """\
            SELECT DISTINCT side.key
            FROM old_rows AS before
            FULL JOIN new_rows AS after ON {same_row}
            CROSS JOIN LATERAL (
                VALUES
                    (({before_key})::text, before.{first} IS NOT NULL),
                    (({after_key})::text, after.{first} IS NOT NULL)
            ) AS side (key, is_there)
            WHERE side.is_there
                AND side.key IS NOT NULL
                AND (
                    {before}
                ) IS DISTINCT FROM (
                    {after}
                )"""

# The order is that of the rows' identity: those of one row come one by one anyhow.
LOGGED = """\
            SELECT ({after_key})::text AS key, jsonb_build_object({kept}) AS kept
            FROM new_rows AS after"""

LOGGED_CHANGED = """\
            SELECT ({after_key})::text AS key, jsonb_build_object({kept}) AS kept
            FROM new_rows AS after
            LEFT JOIN old_rows AS before ON {same_row}
            WHERE (
                    {before}
                ) IS DISTINCT FROM (
                    {after}
                )"""

LOGGED_TOUCHED = """\
            SELECT ({after_key})::text AS key, to_jsonb(after) AS kept
            FROM new_rows AS after"""

ROWS = {
    Operation.INSERT: "new_rows",
    Operation.UPDATE: "(TABLE old_rows UNION ALL TABLE new_rows)",
    Operation.DELETE: "old_rows",
}
