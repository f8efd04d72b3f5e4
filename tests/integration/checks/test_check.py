"""`synctasks check`: a healthy installation is well, and whatever is broken is found and mended."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner

from synctasks import database, settings
from synctasks.capture import ears, installer
from synctasks.checks import State
from synctasks.cli import cli
from synctasks.flows import FLOWS
from tests.breakages import BREAKAGES, INSTALL, Look
from tests.proxy import Proxy
from tests.rows import Connection, execute
from tests.workspace import BROKER, CITIZEN, VARIABLES, WAREHOUSE


def said(*arguments: str) -> tuple[int, str]:
    """The command's exit status, and what it printed."""
    outcome = CliRunner().invoke(cli, ["check", *arguments])
    return outcome.exit_code, outcome.stdout


def test_whatever_is_broken_is_found_and_its_remedy_mends_it(
    look: Look, warehouse: Connection, citizen: Connection
) -> None:
    sides = {WAREHOUSE: warehouse, CITIZEN: citizen}
    before = look()
    try:
        for broken in BREAKAGES.values():
            # Some statements want a transaction of their own.
            for statement in broken.breaks.split(";\n"):
                execute(sides[broken.side], statement)
        found = [each for each in look() if each not in before]
    finally:
        for broken in reversed(BREAKAGES.values()):
            for statement in filter(None, broken.mends.split(";\n")):
                execute(sides[broken.side], statement)
        installer.install(FLOWS, with_schemas=False, notifies=True, progress=lambda _: None)
    assert [name for name, each in BREAKAGES.items() if not any(map(each.says, found))] == []
    others = [each for each in found if not any(broken.says(each) for broken in BREAKAGES.values())]
    # What needs the newest schema.
    assert {each.state for each in others} == {State.COULD_NOT_RUN}
    assert look() == before


def test_a_healthy_installation_has_no_problem(healthy: None) -> None:
    status, printed = said("--json")
    found = json.loads(printed)
    assert {*found[0]} == {"check", "thing", "state", "cause", "remedy"}
    assert {each["state"] for each in found} <= {"ok", "warning"}
    assert len(found) > 200
    assert status == 0


def test_people_see_what_is_wrong_by_check_and_how_much_is_well(
    healthy: None, warehouse: Connection
) -> None:
    execute(warehouse, "DELETE FROM synctasks.presence WHERE process = 'beat'")
    status, printed = said()
    lines = printed.splitlines()
    place = lines.index("processes")
    assert lines[place + 1 : place + 3] == [
        "  problem  beat, as the warehouse database knows it: it was never heard of",
        "      Start it (see Procfile): celery -A synctasks beat; if it runs, look into its log: "
        "it does not reach the warehouse database, or the broker",
    ]
    assert "1 problem, 0 could not run." in lines[-1]
    assert "  ok  " not in printed
    assert "  ok  warehouse database\n" in said("--all")[1]
    assert status == 1


@pytest.fixture
def away(healthy: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Let a server be away."""

    def leave(variable: str) -> None:
        scheme = "redis" if variable == BROKER else "postgresql"
        monkeypatch.setenv(variable, f"{scheme}://nobody@127.0.0.1:1/0")
        database.forget_connections()
        settings.load.cache_clear()

    yield leave
    database.forget_connections()


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_server_that_is_away_is_no_problem_found(
    away: Callable[[str], None], look: Look, variable: str
) -> None:
    """What depends on it says so, what does not is looked at all the same."""
    away(variable)
    found = [each for each in look() if each.state is not State.WARNING]
    place = {WAREHOUSE: "warehouse database", CITIZEN: "citizen database", BROKER: "broker"}
    assert {each.state for each in found} == {State.COULD_NOT_RUN}
    assert {place[variable] in f"{each.thing} {each.cause}" for each in found} == {True}
    assert all(variable in each.remedy for each in found)
    assert said()[0] == 2


def test_where_it_is_not_installed_one_finding_says_so(look: Look, citizen: Connection) -> None:
    execute(citizen, "ALTER SCHEMA synctasks RENAME TO elsewhere")
    try:
        found = look("triggers", "processes", "lanes", "rights", "columns")
        problems = [each for each in found if each.state is State.PROBLEM]
        assert [each.cause for each in problems if "schema" in each.thing] == [
            "it is not installed there"
        ]
        assert problems[0].remedy == INSTALL
        assert {each.state for each in found} == {State.PROBLEM, State.COULD_NOT_RUN}
        assert said()[0] == 1
    finally:
        execute(citizen, "ALTER SCHEMA elsewhere RENAME TO synctasks")


def test_what_a_role_may_not_do_is_found_with_the_grant(
    look: Look,
    databases: dict[str, str],
    citizen: Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name, password = f"clerk_{secrets.token_hex(4)}", secrets.token_hex(8)
    execute(citizen, f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")
    execute(
        citizen, f"GRANT USAGE ON SCHEMA synctasks TO {name}; GRANT SELECT ON schemes TO {name}"
    )
    execute(citizen, "ALTER TABLE citizens ENABLE ROW LEVEL SECURITY")
    server = databases[CITIZEN].rpartition("@")[2]
    monkeypatch.setenv(CITIZEN, f"postgresql://{name}:{password}@{server}")
    database.forget_connections()
    try:
        found = {each.thing: each for each in look("rights", "row-level security", "triggers")}
        schemes = found["citizen database, table public.schemes"]
        assert (schemes.cause, schemes.remedy) == (
            "the role may not write it",
            "Grant it: GRANT SELECT, INSERT, UPDATE, DELETE ON public.schemes TO " + name,
        )
        assert found["citizen database, table synctasks.change_log"].state is State.PROBLEM
        hidden = found["citizen database, table public.citizens, row-level security"]
        assert (hidden.state, hidden.remedy) == (State.PROBLEM, f"ALTER ROLE {name} BYPASSRLS")
        assert found["citizen database"].state is State.COULD_NOT_RUN
    finally:
        database.forget_connections()
        execute(citizen, f"ALTER TABLE citizens DISABLE ROW LEVEL SECURITY; DROP OWNED BY {name}")
        execute(citizen, f"DROP ROLE {name}")


def test_a_url_through_a_transaction_pool_is_found(
    look: Look, databases: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ears, "_PROBE_WAIT_SECONDS", 0.2)
    proxy = Proxy(databases[WAREHOUSE])
    proxy.deaf = True
    monkeypatch.setenv(WAREHOUSE, proxy.url)
    database.forget_connections()
    try:
        [found] = look("listening")
        assert found.thing == "warehouse database, LISTEN and NOTIFY"
        assert "transaction-pooling proxy" in found.cause
        assert WAREHOUSE in found.remedy
    finally:
        database.forget_connections()
        proxy.close()


def test_a_bad_environment_is_the_first_finding_and_the_rest_could_not_run(
    healthy: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(BROKER, "amqp://somewhere")
    settings.load.cache_clear()
    status, printed = said("--json")
    first, *rest = json.loads(printed)
    assert (first["state"], first["check"]) == ("problem", "environment")
    assert f"{BROKER} starts with 'amqp:'" in first["cause"]
    assert {each["state"] for each in rest} == {"could-not-run"}
    assert status == 1
