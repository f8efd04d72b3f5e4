"""What a database holds beside rows, as text that two databases can be compared by."""

from __future__ import annotations

from tests.rows import Connection, execute, rows

_RELATIONS = """
SELECT class.oid::regclass::text || ' ' || class.relkind::text || ' ' ||
    coalesce(class.reloptions::text, '') || ' ' || coalesce(class.relacl::text, '')
FROM pg_class AS class
WHERE relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
"""

_COLUMNS = """
SELECT attrelid::regclass || '.' || attname || ' ' || format_type(atttypid, atttypmod) || ' ' ||
    attnotnull || ' ' || attidentity::text || ' ' || coalesce(pg_get_expr(adbin, adrelid), '')
FROM pg_attribute
JOIN pg_class AS class ON class.oid = attrelid AND relkind = 'r' AND attnum > 0
LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE relnamespace::regnamespace::text !~ '^(pg_|information_schema)' AND NOT attisdropped
"""

_CONSTRAINTS = """
SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
FROM pg_constraint
WHERE connamespace::regnamespace::text !~ '^(pg_|information_schema)'
"""

_INDEXES = """
SELECT indexdef
FROM pg_indexes
WHERE schemaname !~ '^(pg_|information_schema)'
"""

_TRIGGERS = """
SELECT pg_get_triggerdef(oid) || ' ' || tgenabled::text
FROM pg_trigger
WHERE NOT tgisinternal
"""

_FUNCTIONS = """
SELECT pg_get_functiondef(oid) || coalesce(proacl::text, '')
FROM pg_proc
WHERE pronamespace::regnamespace::text !~ '^(pg_|information_schema)'
"""

_SCHEMAS = "SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp_'"

# A flow of several tables asks for a run as it gets to each of them.
_OURS = """
SELECT format('lane %s %s', flow, lane) FROM synctasks.lane
UNION ALL SELECT format('lanes %s %s', flow, lanes) FROM synctasks.lane_count
UNION ALL SELECT DISTINCT format('run %s %s %s', flow, state, reason) FROM synctasks.run
UNION ALL SELECT format('notifies %s', notifies) FROM synctasks.installation
UNION ALL SELECT format('version %s', version_num) FROM synctasks.alembic_version
"""


def catalog(connection: Connection) -> list[str]:
    """Schemas, tables, columns, constraints, indexes, triggers and functions, all but rows."""
    parts = (_SCHEMAS, _RELATIONS, _COLUMNS, _CONSTRAINTS, _INDEXES, _TRIGGERS, _FUNCTIONS)
    # So that every name is shown with its schema.
    execute(connection, "SET search_path = pg_catalog")
    found = sorted(line for part in parts for line in rows(connection, part))
    execute(connection, "RESET search_path")
    return found


def installed_rows(connection: Connection) -> list[str]:
    """The rows that an installation consists of."""
    return sorted(rows(connection, _OURS))
