"""Install and uninstall: our schema, the lanes, the capture functions and the triggers.

Everything is checked before anything is changed. Each source table is changed in a transaction
of its own that waits only 200 ms for its lock (whoever queues for a table lock makes writers
queue behind it) and tries again.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence

from synctasks import audit, migrations, schemas
from synctasks.audit import Action
from synctasks.bind import bound
from synctasks.capture import installed, preflight
from synctasks.capture.triggers import SLEEP_LOCK, Trigger, triggers, wake_sql
from synctasks.database import Limits, Transaction, array, connect, forget_connections, transaction
from synctasks.errors import LockTimeout, SetupError
from synctasks.flow import Database, Flow
from synctasks.flows.heartbeats import HEARTBEATS

Progress = Callable[[str], None]

_DDL = Limits(statement_ms=60_000, lock_ms=200)
_TRIES = 150
_PAUSE_SECONDS = 0.2

# Two at once (as when several pods start) would create the same things twice.
_ALONE = f"""\
SET lock_timeout = '60s';
SELECT pg_advisory_lock({SLEEP_LOCK[0]}, {SLEEP_LOCK[1] + 1})
"""

# By hand it is one transaction that gives up where somebody writes: nothing is then changed.
_HEAD = """\
-- database: {database}
\\set ON_ERROR_STOP on
BEGIN;
SET LOCAL client_min_messages = warning;
-- Writers must not wait behind this. If it ends with a lock timeout, run it again.
SET LOCAL lock_timeout = {lock_ms};
"""

_LANE_COUNT = """\
INSERT INTO synctasks.lane_count (flow, lanes)
VALUES (%(flow)s, %(lanes)s)
ON CONFLICT (flow) DO NOTHING;
SELECT lanes FROM synctasks.lane_count WHERE flow = %(flow)s
"""

_LANES = """\
INSERT INTO synctasks.lane (flow, lane)
SELECT %(flow)s, lane
FROM generate_series(0, %(lanes)s - 1) AS numbered (lane)
ON CONFLICT DO NOTHING
RETURNING lane
"""

_INSTALLATION = """\
INSERT INTO synctasks.installation (notifies)
VALUES (%(notifies)s)
ON CONFLICT (only_one) DO UPDATE SET notifies = EXCLUDED.notifies
"""

# Once, however many tables a flow has.
_REQUEST = """\
INSERT INTO synctasks.run (flow, reason)
SELECT %(flow)s, 'installed'
WHERE NOT EXISTS (
    SELECT
    FROM synctasks.run
    WHERE flow = %(flow)s AND kind = 'full' AND state = 'requested'
)
"""

# Whoever runs it is whom the server knows.
_INSTALLED_BY_HAND = """\
INSERT INTO synctasks.audit (actor, action, subject)
VALUES (session_user, 'install', 'by the printed SQL');
"""

# A heartbeat on its way is no loss.
_PENDING = """\
SELECT
    (SELECT count(*) FROM synctasks.change_log WHERE flow <> ALL (%(heartbeats)s::text[]))
    + (SELECT count(*) FROM synctasks.held)
"""


def install(
    flows: Sequence[Flow], *, with_schemas: bool, notifies: bool, progress: Progress
) -> list[str]:
    """Install for these flows, and return the names of those newly captured.

    Repeatable: what is there already is left alone, or brought up to date. A flow whose
    triggers are new gets a full run requested: nothing was captured before. Raises SetupError
    with nothing changed if something is missing, SynctasksError.
    """
    preflight.check(flows, with_schemas=with_schemas, notifies=notifies)
    for database in Database:
        with transaction(database) as tx:
            migrations.require_known(tx, database)
    with _alone():
        if with_schemas:
            for database in Database:
                progress(f"{database}: tables")
                with transaction(database, _DDL) as tx:
                    tx.execute(schemas.ddl(database).replace("%", "%%"), {})
        for database in Database:
            progress(f"{database}: schema synctasks")
            migrations.upgrade(database)
            with transaction(database, _DDL) as tx:
                tx.execute(wake_sql(notifies=notifies))
                tx.execute(_INSTALLATION, {"notifies": notifies})
                audit.add(tx, Action.INSTALL, None, f"{database} database")
        bound.cache_clear()
        for heartbeat in HEARTBEATS.values():
            _install_flow(heartbeat, progress, request="")
        return [flow.name for flow in flows if _install_flow(flow, progress)]


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """One installation at a time: another one waits until this has ended."""
    connection = connect(Database.WAREHOUSE, role="install")
    try:
        try:
            Transaction(connection.cursor(), str(Database.WAREHOUSE)).execute(_ALONE)
        except LockTimeout:
            raise SetupError(
                "installation", "another one is under way", "Try again when it has ended"
            ) from None
        yield
    finally:
        connection.close()


def _install_flow(flow: Flow, progress: Progress, request: str = _REQUEST) -> bool:
    """Lanes, functions, triggers. True if the flow was not captured before: then `request` runs."""
    with transaction(flow.target.database, _DDL) as target:
        lanes = target.value(_LANE_COUNT, {"flow": flow.name, "lanes": flow.lanes})
    # A trigger must not name an optional column that is not there: the writes would fail.
    wanted = triggers(bound(flow), lanes)
    with transaction(flow.source.database, _DDL) as source:
        is_new = bool(source.rows(_LANES, {"flow": flow.name, "lanes": lanes}))
        for trigger in wanted:
            source.execute(trigger.function_sql)
        missing = [trigger for trigger in wanted if not _is_right(source, trigger)]
        if is_new and not wanted:
            # Nothing captures it: full runs are all there is.
            source.execute(request, {"flow": flow.name})
    if not missing:
        return is_new
    for table in dict.fromkeys(trigger.table for trigger in missing):
        progress(f"{flow.source.database}: triggers of {flow.name} on {table}")

        def create(source: Transaction, table: str = table) -> None:
            for trigger in missing:
                if trigger.table == table:
                    source.execute(trigger.drop_sql + trigger.trigger_sql)
            if request:
                source.execute(request, {"flow": flow.name})

        _with_table_lock(flow.source.database, table, create, progress)
    return True


def _is_right(source: Transaction, trigger: Trigger) -> bool:
    return installed.trigger_problem(trigger, installed.standing(source, trigger)) is None


def uninstall(*, discard_pending: bool, progress: Progress) -> None:
    """Remove the triggers, then our schema, from both databases.

    Raises SetupError, with nothing changed, while changes are pending and `discard_pending` is
    not given.
    """
    places = [database for database in Database if preflight.is_installed(database)]
    for database in places:
        with transaction(database, _DDL) as tx:
            heartbeats = array(flow.name for flow in HEARTBEATS.values())
            pending = tx.value(_PENDING, {"heartbeats": heartbeats})
        if pending and not discard_pending:
            raise SetupError(
                thing=f"{database} database",
                cause=f"{pending} changes are pending and would be lost",
                remedy="Wait until `synctasks status` shows none, or give --discard-pending",
            )
    for database in places:
        with transaction(database, _DDL) as tx:
            # It goes with the schema, and stands where this stops half-way.
            audit.add(tx, Action.UNINSTALL, None, f"{database} database")
        _drop_triggers(database, progress)
        progress(f"{database}: schema synctasks")
        with transaction(database, Limits(statement_ms=60_000, lock_ms=30_000)) as tx:
            tx.execute("DROP SCHEMA IF EXISTS synctasks CASCADE")
    forget_connections()


def _drop_triggers(database: Database, progress: Progress) -> None:
    with transaction(database, _DDL) as tx:
        found = installed.all_triggers(tx)
    for table in dict.fromkeys(table for table, _ in found):
        names = [name for its_table, name in found if its_table == table]
        progress(f"{database}: triggers on {table}")

        def drop(tx: Transaction, table: str = table, names: Sequence[str] = names) -> None:
            for name in names:
                tx.execute(f'DROP TRIGGER IF EXISTS "{name}" ON {table}')

        _with_table_lock(database, table, drop, progress)


def _with_table_lock(
    database: Database, table: str, change: Callable[[Transaction], None], progress: Progress
) -> None:
    """Change a table in a transaction of its own, trying again while somebody holds its lock."""
    for attempt in range(_TRIES):
        try:
            with transaction(database, _DDL) as tx:
                change(tx)
        except LockTimeout:
            if attempt == 0:
                progress(f"{database}: {table} is in use, waiting without blocking its writers")
            time.sleep(_PAUSE_SECONDS)
        else:
            return
    raise SetupError(
        thing=f"{database} database, table {table}",
        cause="long transactions hold it all the time, its triggers cannot be changed",
        remedy="Try again at a quieter moment; nothing was blocked",
    )


def print_sql(
    flows: Sequence[Flow], *, databases: Sequence[Database], with_schemas: bool, notifies: bool
) -> str:
    """What `install` would run on empty ground, as SQL for psql, each part headed."""
    return "\n".join(_sql_of(flows, database, with_schemas, notifies) for database in databases)


def _sql_of(flows: Sequence[Flow], database: Database, with_schemas: bool, notifies: bool) -> str:
    parts = [_HEAD.format(database=database, lock_ms=_DDL.lock_ms)]
    if with_schemas:
        parts.append(schemas.ddl(database))
    parts += [migrations.sql(database), wake_sql(notifies=notifies)]
    parts.append(_INSTALLATION.replace("%(notifies)s", str(notifies).lower()).rstrip() + ";\n")
    parts.append(_INSTALLED_BY_HAND)
    for flow in (*HEARTBEATS.values(), *flows):
        values = {"%(flow)s": f"'{flow.name}'", "%(lanes)s": str(flow.lanes)}
        if flow.target.database is database:
            parts.append(_with(_LANE_COUNT.partition(";")[0], values))
        if flow.source.database is database:
            parts.append(_with(_LANES, values))
            for trigger in triggers(flow, flow.lanes):
                parts.append(trigger.function_sql + trigger.drop_sql + trigger.trigger_sql)
            if flow in flows:
                parts.append(_with(_REQUEST, values))
    return "\n".join([*parts, "COMMIT;\n"])


def _with(statement: str, values: dict[str, str]) -> str:
    for placeholder, value in values.items():
        statement = statement.replace(placeholder, value)
    return statement.rstrip() + ";\n"
