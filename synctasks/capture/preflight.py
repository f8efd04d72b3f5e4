"""What must be true before anything is installed, and stay so: servers, tables, columns, rights.

Each piece yields what is wrong as a SetupError: `install` raises the first one, and
`synctasks check` shows them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from synctasks import sql
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
    current_user::text,
    current_database()::text
"""

_SCHEMA_USAGE = """\
SELECT
    coalesce(
        (
            SELECT has_schema_privilege(namespace.oid, 'USAGE')
            FROM pg_catalog.pg_namespace AS namespace
            WHERE namespace.nspname = %(schema)s
        ),
        true
    ),
    current_user::text
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
SELECT bool_and(has_table_privilege(%(table)s, privilege)), current_user::text
FROM unnest(%(privileges)s::text[]) AS needed (privilege)
"""

_COLUMNS = """\
SELECT attname::text
FROM pg_catalog.pg_attribute
WHERE attrelid = to_regclass(%(table)s) AND attnum > 0 AND NOT attisdropped
"""


class Need(Enum):
    """What a flow does with a table, by the privileges that it takes."""

    TRIGGERS = ""
    READ = "SELECT"
    WRITE = "SELECT INSERT UPDATE DELETE"

    @property
    def privileges(self) -> list[str]:
        return self.value.split()


@dataclass(frozen=True)
class Side:
    """A table of a flow, the columns that must be there, and what is done with it."""

    database: Database
    table: str
    columns: frozenset[str]
    need: Need

    @property
    def thing(self) -> str:
        return f"{self.database} database, table {self.table}"


def check(flows: Sequence[Flow], *, with_schemas: bool, notifies: bool) -> None:
    """Raise SetupError for the first thing that is missing; changes nothing."""
    for database in Database:
        connect(database, role="install").close()
        with transaction(database) as tx:
            _raise_first(version_problems(tx, database))
            if notifies:
                _raise_first(notify_problems(tx, database))
            _raise_first(_schema_problems(tx, database))
    for flow in flows:
        for side in sides(flow, captured=Need.TRIGGERS):
            with transaction(side.database) as tx:
                _raise_first(_table_problems(tx, side, with_schemas))


def is_installed(database: Database) -> bool:
    """Whether our schema is there."""
    connect(database, role="install").close()
    with transaction(database) as tx:
        return bool(tx.value("SELECT to_regnamespace('synctasks') IS NOT NULL"))


def version_problems(tx: Transaction, database: Database) -> Iterator[SetupError]:
    """A server that is too old."""
    version = int(tx.value("SELECT current_setting('server_version_num')"))
    if version < _OLDEST_SERVER:
        yield SetupError(
            f"{database} database",
            f"its PostgreSQL is version {version // 10_000}",
            "synctasks needs 14 or newer",
        )


def notify_problems(tx: Transaction, database: Database) -> Iterator[SetupError]:
    """A server that allows what NOTIFY does not."""
    if int(tx.value("SELECT current_setting('max_prepared_transactions')")):
        yield SetupError(
            f"{database} database",
            "it allows prepared transactions, under which NOTIFY fails",
            "Install with --no-notify: the listener then polls every 100 ms",
        )


def exists(tx: Transaction, side: Side) -> bool:
    """Whether the table is there."""
    return _owned(tx, side) is not None


def columns(tx: Transaction, table: str) -> set[str]:
    """The names of a table's columns."""
    return {name for (name,) in tx.rows(_COLUMNS, {"table": table})}


def missing_columns(tx: Transaction, side: Side) -> list[str]:
    """The columns that the table lacks, by name."""
    return sorted(side.columns - columns(tx, side.table))


def right_problems(tx: Transaction, side: Side) -> Iterator[SetupError]:
    """The rights that our role lacks at a table that is there."""
    privileges = side.need.privileges
    if not privileges:
        owned, owner = _owned(tx, side) or (False, "")
        if not owned:
            yield SetupError(
                side.thing,
                "only its owner can give it triggers",
                f"Install as role {owner}, or grant that role to yours",
            )
        return
    row = tx.row(_TABLE_RIGHTS, {"table": side.table, "privileges": privileges})
    assert row is not None, "the statement returns a row by its shape"
    allowed, role = row
    if not allowed:
        yield SetupError(
            side.thing,
            f"the role may not {side.need.name.lower()} it",
            f"Grant it: GRANT {', '.join(privileges)} ON {side.table} TO {sql.name(role)}",
        )


def usage_problems(tx: Transaction, side: Side) -> Iterator[SetupError]:
    """A schema that our role may not look into."""
    schema = side.table.partition(".")[0]
    row = tx.row(_SCHEMA_USAGE, {"schema": schema})
    assert row is not None, "the statement returns a row by its shape"
    allowed, role = row
    if not allowed:
        yield SetupError(
            side.thing,
            "the role may not use its schema",
            f"Grant it: GRANT USAGE ON SCHEMA {schema} TO {sql.name(role)}",
        )


def sides(flow: Flow, *, captured: Need) -> list[Side]:
    """What a flow needs of its tables (of those that are `captured`, this); optional columns are
    not needed.
    """
    optional = {column.reads for column in flow.columns if column.optional}
    written = frozenset(column.name for column in flow.columns if not column.optional)
    source, target = flow.source, flow.target
    known = [rule for rule in flow.contract.rules if isinstance(rule, Known)]
    stale = [flow.stale.column] if flow.stale else []
    references = [column.reference for column in flow.references if column.reference]
    return [
        *(
            Side(
                source.database,
                table.name,
                frozenset(table.reads).union(table.primary_key) - optional,
                captured if flow.capture else Need.READ,
            )
            for table in flow.tables
        ),
        Side(target.database, target.table, written, Need.WRITE),
        *(Side(source.database, source.table, frozenset([each]), Need.READ) for each in stale),
        *(Side(source.database, each.table, frozenset([each.key]), Need.READ) for each in known),
        *(
            Side(target.database, each.table, frozenset([each.key]), Need.READ)
            for each in references
        ),
    ]


def _raise_first(problems: Iterator[SetupError]) -> None:
    for problem in problems:
        raise problem


def _schema_problems(tx: Transaction, database: Database) -> Iterator[SetupError]:
    row = tx.row(_SCHEMA_RIGHTS)
    assert row is not None, "the statement returns a row by its shape"
    is_there, allowed, role, name = row
    if not allowed:
        what = "does not own its schema synctasks" if is_there else "may not create schemas in it"
        grant = f"GRANT CREATE ON DATABASE {sql.name(name)} TO {sql.name(role)}"
        yield SetupError(
            f"{database} database",
            f"role {role} {what}",
            f"Grant it: {grant}, or use the schema's owner",
        )


def _table_problems(tx: Transaction, side: Side, with_schemas: bool) -> Iterator[SetupError]:
    yield from usage_problems(tx, side)
    if exists(tx, side):
        if missing := missing_columns(tx, side):
            yield SetupError(
                side.thing,
                f"it lacks the columns {', '.join(missing)}",
                "Add them, or correct the flow's declaration",
            )
        yield from right_problems(tx, side)
    elif not with_schemas:
        yield SetupError(
            side.thing,
            "it does not exist",
            "Check the database in the URL, or give --with-schemas to create the tables",
        )


def _owned(tx: Transaction, side: Side) -> tuple[bool, str] | None:
    """Whether our role owns the table, and who does; None if it is not there."""
    row = tx.row(_TABLE, {"table": side.table})
    assert row is not None, "the statement returns a row by its shape"
    is_there, owned, owner = row
    return (owned, owner) if is_there else None
