"""Installing and uninstalling: repeatable, reversible, and the same by hand."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from synctasks import audit
from synctasks.capture import installer
from synctasks.embedded.binaries import postgres_binaries
from synctasks.errors import LockTimeout, SetupError
from synctasks.flow import Database
from synctasks.flows import FLOWS
from tests.catalog import catalog, installed_rows
from tests.conftest import connected
from tests.programs import Outcome, run
from tests.rows import Connection, add_record, execute, names_at_portal, rows, value
from tests.workspace import CITIZEN, VARIABLES, WAREHOUSE, Workspace

NO_VARIABLES = dict.fromkeys(VARIABLES)
SIDES = {WAREHOUSE: "warehouse", CITIZEN: "citizen"}

Both = tuple[Connection, Connection]
Connect = Callable[[], Both]

NAMES = [flow.name for flow in FLOWS]
NEW, CHANGED, ALL = ("insert",), ("insert", "update"), ("insert", "update", "delete", "truncate")
AUDIT = "SELECT action, subject, actor FROM synctasks.audit ORDER BY id"
# What is captured of which flow; of one that reads several tables, of each of them.
AT_WAREHOUSE = {
    "profile_data": ALL,
    "profile_summary": ALL,
    "eligibility_hints": (*CHANGED, "truncate"),
    "benefit_forecasts": CHANGED,
    "application_decisions": CHANGED,
    "ml_alerts_beneficiary_detection_alerts": CHANGED,
    "ml_alerts_proactive_inclusion_alerts": CHANGED,
    "ml_alerts_predictive_alerts": CHANGED,
}
AT_PORTAL = {
    "golden_records": CHANGED,
    "application_events": CHANGED,
    "document_metadata": NEW,
    "feedback_analytics": NEW,
}


def names_from(database: Database) -> list[str]:
    """The flows that start in a database."""
    return [flow.name for flow in FLOWS if flow.source.database is database]


@pytest.fixture
def connect(place: Workspace) -> Iterator[Connect]:
    """Connections to both databases as they are now."""
    with ExitStack() as ends:
        yield lambda: tuple(
            ends.enter_context(connected(place.environment[each])) for each in SIDES
        )


@pytest.fixture
def empty(place: Workspace, connect: Connect) -> Both:
    """Both databases without anything in them."""
    place.renew(installed=False)
    return connect()


def install(*, with_schemas: bool = False, notifies: bool = True) -> list[str]:
    """Install in this process; the flows that are newly captured."""
    return installer.install(
        FLOWS, with_schemas=with_schemas, notifies=notifies, progress=lambda _: None
    )


def uninstall() -> None:
    installer.uninstall(discard_pending=True, progress=lambda _: None)


def good(outcome: Outcome) -> Outcome:
    assert (outcome.returncode, "Traceback" in outcome.stderr) == (0, False), outcome
    return outcome


def test_it_is_repeatable(empty: Both) -> None:
    first = good(run("synctasks", "install", "--with-schemas"))
    before = [(catalog(each), installed_rows(each)) for each in empty]
    second = good(run("synctasks", "install", "--with-schemas"))
    assert "A full run is requested for: schemes, profile_data" in first.stdout
    assert "Everything was in place already." in second.stdout
    assert [(catalog(each), installed_rows(each)) for each in empty] == before
    assert "run profile_data requested installed" in before[0][1]
    for each, side in zip(empty, Database, strict=True):
        assert rows(each, AUDIT) == [("install", f"{side} database", audit.actor())] * 2


def test_it_brings_an_older_installation_up_to_date(databases: object, connect: Connect) -> None:
    """A trigger that is gone, off or another one, a function of an older version: and a full run
    is due.
    """
    warehouse, _ = connect()
    before = catalog(warehouse)
    function = "synctasks.capture_profile_data_insert"
    execute(
        warehouse,
        "DROP TRIGGER synctasks_profile_data_update ON golden_records;"
        "ALTER TABLE golden_records DISABLE TRIGGER synctasks_profile_data_delete;"
        "DROP TRIGGER synctasks_profile_data_truncate ON golden_records;"
        "CREATE TRIGGER synctasks_profile_data_truncate AFTER TRUNCATE ON golden_records"
        " WHEN (pg_backend_pid() = 0) EXECUTE FUNCTION synctasks.capture_profile_data_truncate();"
        "ALTER TABLE golden_records ENABLE ALWAYS TRIGGER synctasks_profile_data_truncate;"
        f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN RETURN NULL; END'; DELETE FROM synctasks.run",
    )
    assert install() == ["profile_data"]
    assert catalog(warehouse) == before
    assert rows(warehouse, "SELECT state FROM synctasks.run") == ["requested"]


def test_what_a_newer_program_has_installed_is_left_alone(
    databases: object, connect: Connect
) -> None:
    warehouse, citizen = connect()
    execute(citizen, "UPDATE synctasks.alembic_version SET version_num = '9999'")
    before = installed_rows(warehouse)
    with pytest.raises(SetupError, match="of version 9999, which this program does not know"):
        install()
    assert installed_rows(warehouse) == before


def test_several_at_once_are_harmless(empty: Both) -> None:
    with ThreadPoolExecutor() as threads:
        each_new = list(threads.map(lambda _: install(with_schemas=True), range(4)))
    assert sorted(each_new) == [[], [], [], NAMES]
    for each, side in zip(empty, Database, strict=True):
        asked = rows(each, "SELECT DISTINCT flow, reason FROM synctasks.run")
        assert sorted(asked) == sorted((name, "installed") for name in names_from(side))


def test_it_gives_the_applications_tables_triggers_and_nothing_else(empty: Both) -> None:
    install(with_schemas=True)
    theirs = [[line for line in catalog(each) if "synctasks" not in line] for each in empty]
    triggers = """
        SELECT tgname::text FROM pg_trigger
        WHERE NOT tgisinternal AND tgrelid <> to_regclass('synctasks.heartbeat') ORDER BY 1
    """
    for each, expected in zip(empty, (AT_WAREHOUSE, AT_PORTAL), strict=True):
        names = [f"{flow}_{done}" for flow, operations in expected.items() for done in operations]
        assert rows(each, triggers) == sorted(f"synctasks_{name}" for name in names)
    uninstall()
    assert [catalog(each) for each in empty] == theirs


def test_uninstalling_keeps_every_row_and_installing_again_asks_for_a_full_run(
    warehouse: Connection, citizen: Connection, carry: Callable[[], None]
) -> None:
    add_record(warehouse, "GR-1")
    carry()
    assert "Uninstalled" in good(run("synctasks", "uninstall", "--yes")).stdout
    uninstall()
    execute(warehouse, "UPDATE golden_records SET full_name = 'Later'")
    assert names_at_portal(citizen) == {"GR-1": "Asha Devi"}
    assert install() == NAMES
    runs = rows(warehouse, "SELECT DISTINCT flow, kind, state, reason FROM synctasks.run")
    asked = [(name, "full", "requested", "installed") for name in names_from(Database.WAREHOUSE)]
    assert sorted(runs) == sorted(asked)


def test_uninstalling_refuses_while_changes_are_pending(
    warehouse: Connection, citizen: Connection
) -> None:
    add_record(warehouse, "GR-1")
    before = catalog(warehouse), catalog(citizen)
    refused = run("synctasks", "uninstall", "--yes")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        "synctasks: warehouse database: 1 changes are pending and would be lost."
        " Wait until `synctasks status` shows none, or give --discard-pending.\n"
    )
    assert (catalog(warehouse), catalog(citizen)) == before
    good(run("synctasks", "uninstall", "--yes", "--discard-pending"))
    assert value(warehouse, "SELECT count(*) FROM golden_records") == 1
    assert "schema synctasks" not in catalog(warehouse) + catalog(citizen)


def test_uninstalling_asks_and_without_a_terminal_wants_yes(
    warehouse: Connection, citizen: Connection
) -> None:
    before = catalog(warehouse), catalog(citizen)
    refused = run("synctasks", "uninstall")
    assert refused.returncode == 2
    assert "Give --yes" in refused.stderr
    assert "to keep that: synctasks audit --json" in " ".join(refused.stderr.split())
    assert (catalog(warehouse), catalog(citizen)) == before


def test_an_uninstallation_that_stops_half_way_is_noted(
    warehouse: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise LockTimeout("warehouse: somebody holds the table")

    monkeypatch.setattr(installer, "_drop_triggers", fails)
    with pytest.raises(LockTimeout):
        uninstall()
    noted = rows(warehouse, f"{AUDIT} DESC LIMIT 1")
    assert noted == [("uninstall", "warehouse database", audit.actor())]


# By hand ------------------------------------------------------------------------------------------


def psql(url: str, script: str) -> Outcome:
    command = [postgres_binaries() / "psql", "--no-psqlrc", "--quiet", url]
    return subprocess.run(
        command, input=script, check=False, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("notifies", [True, False], ids=["notify", "no-notify"])
def test_the_printed_sql_run_by_psql_is_the_same(
    place: Workspace, empty: Both, connect: Connect, notifies: bool
) -> None:
    install(with_schemas=True, notifies=notifies)
    by_install = [(catalog(each), installed_rows(each)) for each in empty]
    place.renew(installed=False)
    options = ["--with-schemas", "--print-sql", *([] if notifies else ["--no-notify"])]
    for variable, side in SIDES.items():
        chosen = [*options, "--database", side]
        printed = good(run("synctasks", "install", *chosen, env=NO_VARIABLES)).stdout
        said = psql(place.environment[variable], printed)
        assert (said.returncode, said.stderr) == (0, "")
    for each in connect():
        by_hand = ("install", "by the printed SQL", value(each, "SELECT session_user::text"))
        assert rows(each, AUDIT) == [by_hand]
    assert [(catalog(each), installed_rows(each)) for each in connect()] == by_install
    assert install(notifies=notifies) == []


def test_the_printed_sql_says_for_which_database_each_part_is() -> None:
    printed = good(run("synctasks", "install", "--print-sql", env=NO_VARIABLES)).stdout
    lines = printed.splitlines()
    heads = [line for line in lines if line.startswith("-- database: ")]
    assert heads == ["-- database: warehouse", "-- database: citizen"]
    assert lines[0] == heads[0]


def test_the_printed_sql_does_all_or_nothing_and_waits_for_nobody(
    databases: dict[str, str], connect: Connect
) -> None:
    """While somebody writes to the table, psql gives up; then it can simply be run again."""
    uninstall()
    warehouse, writer = connect()[0], connect()[0]
    before = catalog(warehouse)
    execute(writer, "BEGIN; LOCK TABLE golden_records IN ROW EXCLUSIVE MODE")
    printed = good(run("synctasks", "install", "--print-sql", "--database", "warehouse")).stdout
    began = time.monotonic()
    said = psql(databases[WAREHOUSE], printed)
    assert (said.returncode, "lock timeout" in said.stderr) == (3, True), said
    assert time.monotonic() - began < 5
    assert catalog(warehouse) == before
    execute(writer, "COMMIT")
    assert psql(databases[WAREHOUSE], printed).returncode == 0
