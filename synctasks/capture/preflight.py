"""What must be true before anything is installed: servers, tables, columns, rights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from synctasks.contracts import Known
from synctasks.database import Transaction, connect, transaction
from synctasks.errors import SetupError
from synctasks.flow import Database, Flow

_OLDEST_SERVER = 140_000

_SCHEMA_RIGHTS = """\
SELECT
    to_regnamespace('synctasks') IS NOT NULL,
    coalesce(pg_has_role(
        (SELECT nspowner FROM pg_catalog.pg_namespace WHERE nspname = 'synctasks'), 'USAGE'
    ), has_database_privilege(current_database(), 'CREATE')),
    current_user::text
"""

_SCHEMA_USAGE = """\
SELECT coalesce(
    (
        SELECT has_schema_privilege(namespace.oid, 'USAGE')
        FROM pg_catalog.pg_namespace AS namespace
        WHERE namespace.nspname = %(schema)s
    ),
    true
)
"""

_TABLE = """\
SELECT
    class.oid IS NOT NULL,
    coalesce(pg_has_role(class.relowner, 'USAGE'), false),
    owner.rolname::text
FROM (SELECT to_regclass(%(table)s) AS oid) AS wanted
LEFT JOIN pg_catalog.pg_class AS class ON class.oid = wanted.oid
LEFT JOIN pg_catalog.pg_roles AS owner ON owner.oid = class.relowner
"""

_TABLE_RIGHTS = """\
SELECT bool_and(has_table_privilege(%(table)s, privilege))
FROM unnest(%(privileges)s::text[]) AS needed (privilege)
"""

_COLUMNS = """\
SELECT attname::text
FROM pg_catalog.pg_attribute
WHERE attrelid = to_regclass(%(table)s) AND attnum > 0 AND NOT attisdropped
"""


class _Need(Enum):
    """What a flow does with a table, by the privileges that it takes."""

    TRIGGERS = ()
    READ = ("SELECT",)
    WRITE = ("SELECT", "INSERT", "UPDATE", "DELETE")


@dataclass(frozen=True)
class _Side:
    """A table of a flow, the columns that must be there, and what is done with it."""

    database: Database
    table: str
    columns: frozenset[str]
    need: _Need

    @property
    def thing(self) -> str:
        return f"{self.database} database, table {self.table}"


def check(flows: Sequence[Flow], *, with_schemas: bool, notifies: bool) -> None:
    """Raise SetupError for the first thing that is missing; changes nothing."""
    for database in Database:
        connect(database, role="install").close()
        with transaction(database) as tx:
            _check_server(tx, database, notifies)
            _check_schema_rights(tx, database)
    for flow in flows:
        for side in _sides(flow):
            with transaction(side.database) as tx:
                _check_table(tx, side, with_schemas)


def is_installed(database: Database) -> bool:
    """Whether our schema is there."""
    connect(database, role="install").close()
    with transaction(database) as tx:
        return bool(tx.value("SELECT to_regnamespace('synctasks') IS NOT NULL"))


def _check_server(tx: Transaction, database: Database, notifies: bool) -> None:
    version = int(tx.value("SELECT current_setting('server_version_num')"))
    if version < _OLDEST_SERVER:
        raise SetupError(
            f"{database} database",
            f"its PostgreSQL is version {version // 10_000}",
            "synctasks needs 14 or newer",
        )
    if notifies and int(tx.value("SELECT current_setting('max_prepared_transactions')")):
        raise SetupError(
            f"{database} database",
            "it allows prepared transactions, under which NOTIFY fails",
            "Install with --no-notify: the listener then polls every 100 ms",
        )


def _check_schema_rights(tx: Transaction, database: Database) -> None:
    row = tx.row(_SCHEMA_RIGHTS)
    assert row is not None, "the statement returns a row by its shape"
    exists, allowed, role = row
    if not allowed:
        what = "does not own its schema synctasks" if exists else "may not create schemas in it"
        raise SetupError(
            f"{database} database",
            f"role {role} {what}",
            f"Grant it: GRANT CREATE ON DATABASE … TO {role}, or use the schema's owner",
        )


def _check_table(tx: Transaction, side: _Side, with_schemas: bool) -> None:
    schema = side.table.partition(".")[0]
    if not tx.value(_SCHEMA_USAGE, {"schema": schema}):
        raise SetupError(
            side.thing,
            "the role may not use its schema",
            f"Grant it: GRANT USAGE ON SCHEMA {schema} TO …",
        )
    row = tx.row(_TABLE, {"table": side.table})
    assert row is not None, "the statement returns a row by its shape"
    exists, owned, owner = row
    if exists:
        _check_columns(tx, side)
        _check_rights(tx, side, owned, owner)
    elif not with_schemas:
        raise SetupError(
            side.thing,
            "it does not exist",
            "Check the database in the URL, or give --with-schemas to create the tables",
        )


def _check_columns(tx: Transaction, side: _Side) -> None:
    missing = side.columns - {name for (name,) in tx.rows(_COLUMNS, {"table": side.table})}
    if missing:
        raise SetupError(
            side.thing,
            f"it lacks the columns {', '.join(sorted(missing))}",
            "Add them, or correct the flow's declaration",
        )


def _check_rights(tx: Transaction, side: _Side, owned: bool, owner: str) -> None:
    if side.need is _Need.TRIGGERS and not owned:
        raise SetupError(
            side.thing,
            "only its owner can give it triggers",
            f"Install as role {owner}, or grant that role to yours",
        )
    privileges = list(side.need.value)
    wanted = {"table": side.table, "privileges": privileges}
    if privileges and not tx.value(_TABLE_RIGHTS, wanted):
        raise SetupError(
            side.thing,
            f"the role may not {side.need.name.lower()} it",
            f"Grant it: GRANT {', '.join(privileges)} ON {side.table} TO …",
        )


def _sides(flow: Flow) -> list[_Side]:
    """What a flow needs of its tables; optional columns are not needed."""
    optional = {column.reads for column in flow.columns if column.optional}
    written = frozenset(column.name for column in flow.columns if not column.optional)
    source, target = flow.source, flow.target
    captured = _Need.TRIGGERS if flow.capture else _Need.READ
    known = [rule for rule in flow.contract.rules if isinstance(rule, Known)]
    stale = [flow.stale.column] if flow.stale else []
    references = [column.reference for column in flow.references if column.reference]
    return [
        *(
            _Side(
                source.database,
                table.name,
                frozenset(table.reads).union(table.primary_key) - optional,
                captured,
            )
            for table in flow.tables
        ),
        _Side(target.database, target.table, written, _Need.WRITE),
        *(_Side(source.database, source.table, frozenset([each]), _Need.READ) for each in stale),
        *(_Side(source.database, each.table, frozenset([each.key]), _Need.READ) for each in known),
        *(
            _Side(target.database, each.table, frozenset([each.key]), _Need.READ)
            for each in references
        ),
    ]
