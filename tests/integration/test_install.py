"""Installing and uninstalling: repeatable, reversible, the same by hand, refused in one line."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from synctasks.embedded.binaries import postgres_binaries
from tests.catalog import catalog, installed_rows
from tests.conftest import connected
from tests.programs import Outcome, run
from tests.rows import Connection, add_record, execute, names_at_portal, rows, value
from tests.workspace import CITIZEN, VARIABLES, WAREHOUSE, Workspace

NO_VARIABLES = dict.fromkeys(VARIABLES)
SIDES = {WAREHOUSE: "warehouse", CITIZEN: "citizen"}

Both = tuple[Connection, Connection]
Connect = Callable[[], Both]


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


def install(*options: str) -> Outcome:
    return good(run("synctasks", "install", *options))


def good(outcome: Outcome) -> Outcome:
    assert (outcome.returncode, "Traceback" in outcome.stderr) == (0, False), outcome
    return outcome


def test_it_is_repeatable(empty: Both) -> None:
    first = install("--with-schemas")
    before = [(catalog(each), installed_rows(each)) for each in empty]
    second = install("--with-schemas")
    assert "A full run is requested for: profile_data" in first.stdout
    assert "Everything was in place already." in second.stdout
    assert [(catalog(each), installed_rows(each)) for each in empty] == before
    assert "run profile_data requested installed" in before[0][1]


def test_it_brings_an_older_installation_up_to_date(databases: object, connect: Connect) -> None:
    """A trigger that is gone or off, a function of an older version: and a full run is due."""
    warehouse, _ = connect()
    before = catalog(warehouse)
    function = "synctasks.capture_profile_data_insert"
    execute(
        warehouse,
        "DROP TRIGGER synctasks_profile_data_update ON golden_records;"
        "ALTER TABLE golden_records DISABLE TRIGGER synctasks_profile_data_delete;"
        f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN RETURN NULL; END'; DELETE FROM synctasks.run",
    )
    install()
    assert catalog(warehouse) == before
    assert rows(warehouse, "SELECT state FROM synctasks.run") == ["requested"]


def test_two_at_once_are_harmless(empty: Both) -> None:
    with ThreadPoolExecutor() as threads:
        for outcome in threads.map(lambda _: install("--with-schemas"), range(3)):
            assert "in place already" in outcome.stdout or "Installed" in outcome.stdout
    assert rows(empty[0], "SELECT reason FROM synctasks.run") == ["installed"]


def test_it_gives_the_applications_tables_triggers_and_nothing_else(empty: Both) -> None:
    install("--with-schemas")
    ours = ("synctasks", "schema synctasks")
    with_tables = [
        [line for line in catalog(each) if not any(word in line for word in ours)]
        for each in empty
    ]
    triggers = "SELECT tgname::text FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1"
    operations = ("delete", "insert", "truncate", "update")
    assert rows(empty[0], triggers) == [f"synctasks_profile_data_{each}" for each in operations]
    assert rows(empty[1], triggers) == []
    good(run("synctasks", "uninstall", "--yes"))
    assert [catalog(each) for each in empty] == with_tables


def test_uninstalling_keeps_every_row_and_installing_again_asks_for_a_full_run(
    warehouse: Connection, citizen: Connection, carry: Callable[[], None]
) -> None:
    add_record(warehouse, "GR-1")
    carry()
    good(run("synctasks", "uninstall", "--yes"))
    assert "Uninstalled" in good(run("synctasks", "uninstall", "--yes")).stdout
    execute(warehouse, "UPDATE golden_records SET full_name = 'Later'")
    assert names_at_portal(citizen) == {"GR-1": "Asha Devi"}
    install()
    runs = rows(warehouse, "SELECT kind, state, reason FROM synctasks.run")
    assert runs == [("full", "requested", "installed")]


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
    assert (catalog(warehouse), catalog(citizen)) == before


# By hand ------------------------------------------------------------------------------------------


def psql(url: str, script: str) -> Outcome:
    command = [postgres_binaries() / "psql", "--no-psqlrc", "--quiet", url]
    return subprocess.run(
        command, input=script, check=False, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("options", [[], ["--no-notify"]], ids=["notify", "no-notify"])
def test_the_printed_sql_run_by_psql_is_the_same(
    place: Workspace, empty: Both, connect: Connect, options: list[str]
) -> None:
    install("--with-schemas", *options)
    by_install = [(catalog(each), installed_rows(each)) for each in empty]
    place.renew(installed=False)
    for variable, side in SIDES.items():
        printed = run(
            *("synctasks", "install", "--with-schemas", "--print-sql", "--database", side),
            *options,
            env=NO_VARIABLES,
        )
        said = psql(place.environment[variable], good(printed).stdout)
        assert (said.returncode, said.stdout) == (0, ""), said
    by_psql = [(catalog(each), installed_rows(each)) for each in connect()]
    assert by_psql == by_install
    assert "in place already" in install(*options).stdout


def test_the_printed_sql_says_for_which_database_each_part_is() -> None:
    def parts(*options: str) -> list[str]:
        printed = good(run("synctasks", "install", "--print-sql", *options, env=NO_VARIABLES))
        lines = printed.stdout.splitlines()
        assert lines[0].startswith("-- database: ")
        return [line for line in lines if line.startswith("-- database: ")]

    assert parts() == ["-- database: warehouse", "-- database: citizen"]
    assert parts("--database", "citizen") == ["-- database: citizen"]
    refused = run("synctasks", "install", "--database", "citizen")
    assert (refused.returncode, refused.stdout) == (2, "")


def test_the_printed_sql_does_all_or_nothing_and_does_not_wait(
    place: Workspace, databases: dict[str, str], connect: Connect
) -> None:
    """As somebody writes to the table: psql says so at once, and can simply be run again."""
    good(run("synctasks", "uninstall", "--yes"))
    warehouse, writer = connect()[0], connect()[0]
    before = catalog(warehouse)
    execute(writer, "BEGIN; LOCK TABLE golden_records IN ROW EXCLUSIVE MODE")
    printed = good(run("synctasks", "install", "--print-sql", "--database", "warehouse"))
    said = psql(databases[WAREHOUSE], printed.stdout)
    assert (said.returncode, "lock timeout" in said.stderr) == (3, True), said
    assert catalog(warehouse) == before
    execute(writer, "COMMIT")
    assert psql(databases[WAREHOUSE], printed.stdout).returncode == 0
