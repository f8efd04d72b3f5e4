"""How triggers and functions stand in a database, against what would be installed now."""

from __future__ import annotations

from dataclasses import dataclass

from synctasks.capture.triggers import Trigger
from synctasks.database import Transaction

#: With this search path PostgreSQL shows every name with its schema.
WITH_SCHEMAS = "SET LOCAL search_path = pg_catalog;\n"

_TRIGGER = """\
SELECT tgenabled::text, pg_get_triggerdef(oid)
FROM pg_catalog.pg_trigger
WHERE tgrelid = to_regclass(%(table)s) AND tgname = %(trigger)s
"""

_FUNCTION = """\
SELECT
    prosrc,
    prosecdef,
    coalesce(proconfig, '{}'),
    EXISTS (
        SELECT
        FROM aclexplode(coalesce(proacl, acldefault('f', proowner))) AS granted
        WHERE granted.grantee = 0
    )
FROM pg_catalog.pg_proc
JOIN pg_catalog.pg_language AS language ON language.oid = prolang
WHERE pg_proc.oid = to_regprocedure(%(signature)s) AND lanname = 'plpgsql'
"""

# Those on our own tables are no captures, and go with our schema.
_ALL = r"""
SELECT format('%%I.%%I', namespace.nspname, class.relname), tgname::text
FROM pg_catalog.pg_trigger
JOIN pg_catalog.pg_class AS class ON class.oid = tgrelid
JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
JOIN pg_catalog.pg_proc AS function ON function.oid = tgfoid
WHERE function.pronamespace = to_regnamespace('synctasks')
    AND namespace.nspname <> 'synctasks'
    AND NOT tgisinternal
ORDER BY 1, 2
"""

_ALWAYS = "A"
_DISABLED = "D"


@dataclass(frozen=True)
class Standing:
    """A trigger as it is: when it is enabled (A is always), and its definition."""

    enabled: str
    definition: str


@dataclass(frozen=True)
class Body:
    """A function as it is: its source, whose rights and which search path it runs with, and
    whether everybody may call it.
    """

    source: str
    as_owner: bool
    settings: tuple[str, ...]
    for_all: bool


def all_triggers(tx: Transaction) -> list[tuple[str, str]]:
    """All triggers that call our functions: (table, name), as SQL takes the table."""
    return [(table, name) for table, name in tx.rows(_ALL, {})]


def standing(tx: Transaction, trigger: Trigger) -> Standing | None:
    """The trigger of that name on that table, if there is one."""
    row = tx.row(WITH_SCHEMAS + _TRIGGER, {"table": trigger.table, "trigger": trigger.name})
    return Standing(*row) if row else None


def body(tx: Transaction, function: str) -> Body | None:
    """The function of that name, if there is one."""
    row = tx.row(_FUNCTION, {"signature": f"{function}()"})
    if row is None:
        return None
    source, as_owner, settings, for_all = row
    return Body(source, as_owner, tuple(settings), for_all)


def trigger_problem(trigger: Trigger, found: Standing | None) -> str | None:
    """What is wrong with a trigger as it stands, or None."""
    if found is None:
        return "it is missing"
    if found.definition != _definition(trigger.trigger_sql):
        return "it is not the one that synctasks makes"
    if found.enabled == _DISABLED:
        return "it is disabled"
    if found.enabled != _ALWAYS:
        return "it is not enabled always: writes of replicating sessions are not captured"
    return None


def function_problem(function_sql: str, found: Body | None) -> str | None:
    """What is wrong with a function as it stands, or None."""
    if found is None:
        return "its function is missing"
    if found.source != _source(function_sql):
        return "its function is not the one that this version of synctasks makes"
    if found.as_owner != ("SECURITY DEFINER" in function_sql):
        return "its function runs with the wrong role's rights"
    if found.settings != _settings(function_sql):
        return "its function runs with the wrong settings"
    if found.for_all:
        return "its function may be called by everybody"
    return None


def _definition(trigger_sql: str) -> str:
    """A trigger's definition as PostgreSQL prints it."""
    return " ".join(trigger_sql.partition(";")[0].split())


def _source(function_sql: str) -> str:
    """What stands between the dollars."""
    return function_sql.split("$body$")[1]


def _settings(function_sql: str) -> tuple[str, ...]:
    """What it sets for itself, as PostgreSQL keeps it."""
    lines = function_sql.partition("$body$")[0].splitlines()
    return tuple(
        line.removeprefix("SET ").replace(" = ", "=") for line in lines if line.startswith("SET ")
    )
