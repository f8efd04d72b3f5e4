"""Whether both sides are installed, by the same version, and agree with each other."""

from __future__ import annotations

from collections.abc import Iterator

from synctasks import migrations
from synctasks.capture import preflight
from synctasks.checks.finding import Finding, problem, verdict
from synctasks.database import Transaction, transaction
from synctasks.flow import Database, Flow
from synctasks.flows import ALL_FLOWS

_INSTALL = "Run: synctasks install"

# Without the right to use the schema its tables are not seen, though it is.
_IS_INSTALLED = "SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'synctasks')"
_VERSION = "SELECT version_num FROM synctasks.alembic_version"
_NOTIFIES = "SELECT notifies FROM synctasks.installation"
_LANE_COUNTS = "SELECT flow, lanes::integer FROM synctasks.lane_count"
_LANES = """\
SELECT flow, array_agg(lane::integer ORDER BY lane)
FROM synctasks.lane
GROUP BY flow
"""


def installed(database: Database) -> Iterator[Finding]:
    """Whether our schema is there."""
    thing = f"{database} database, schema synctasks"
    with transaction(database) as tx:
        is_there = tx.value(_IS_INSTALLED)
    yield Finding(thing) if is_there else problem(thing, "it is not installed there", _INSTALL)


def version(database: Database) -> Iterator[Finding]:
    """Whether our schema is that of this version of the program."""
    with transaction(database) as tx:
        row = tx.row(_VERSION)
    yield judged_version(database, row[0] if row else "none", migrations.versions(database))


def judged_version(database: Database, found: str, known: list[str]) -> Finding:
    """`known`: the versions that this program knows, the newest first."""
    thing = f"{database} database, version of schema synctasks"
    if found == known[0]:
        return Finding(thing)
    if found in known or found == "none":
        return problem(thing, f"it is {found}, and the newest is {known[0]}", _INSTALL)
    return problem(
        thing,
        f"it is {found}, which this program does not know: a newer one has installed it",
        "Bring the program on this machine to the version of the others",
    )


def notifications(database: Database) -> Iterator[Finding]:
    """Whether transactions may be prepared where NOTIFY is used."""
    with transaction(database) as tx:
        found = preflight.notify_problems(tx, database) if notifies(tx) else ()
        yield from verdict(f"{database} database, prepared transactions", found)


def lanes() -> Iterator[Finding]:
    """Whether source and target of each flow agree on its lanes."""
    counts: dict[str, int] = {}
    numbers: dict[str, list[int]] = {}
    for database in Database:
        with transaction(database) as tx:
            here = {flow.name for flow in ALL_FLOWS if flow.target.database is database}
            counts |= {flow: lanes for flow, lanes in lane_counts(tx).items() if flow in here}
            # Lane rows of this database's own flows; others' have no business here.
            there = {flow.name for flow in ALL_FLOWS if flow.source.database is database}
            numbers |= {flow: found for flow, found in tx.rows(_LANES) if flow in there}
    for flow in ALL_FLOWS:
        yield judged_lanes(flow, counts.get(flow.name), numbers.get(flow.name, []))


def lane_counts(tx: Transaction) -> dict[str, int]:
    """How many lanes the flows have that arrive at this database."""
    return dict(tx.rows(_LANE_COUNTS))


def notifies(tx: Transaction) -> bool:
    """Whether the database was installed with NOTIFY."""
    row = tx.row(_NOTIFIES)
    return bool(row and row[0])


def judged_lanes(flow: Flow, count: int | None, numbers: list[int]) -> Finding:
    """`count`: how many lanes its target says that it has; `numbers`: those of its source."""
    thing = f"flow {flow.name}, lanes"
    if count is None:
        return problem(thing, "its target was not installed for it", _INSTALL)
    if not set(range(count)) <= set(numbers):
        return problem(
            thing, f"its target says {count} lanes, its source has {len(numbers)}", _INSTALL
        )
    if len(numbers) > count:
        return problem(
            thing,
            f"its target says {count} lanes, its source has {len(numbers)}",
            f"Run: synctasks install; and once `synctasks status` shows nothing pending for it, in "
            f"the {flow.source.database} database: DELETE FROM synctasks.lane "
            f"WHERE flow = '{flow.name}' AND lane >= {count}",
        )
    if flow.lanes == 1 and count > 1:
        return problem(
            thing,
            f"it has {count} lanes and may have only one: its keys say nothing of its target rows",
            f"Stop the workers; in the {flow.target.database} database: UPDATE "
            f"synctasks.lane_count SET lanes = 1 WHERE flow = '{flow.name}'; then run: synctasks "
            "install",
        )
    return Finding(thing)
