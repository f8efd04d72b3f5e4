"""What stands in the way of an installation: rights, tables, columns, and people at work."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

from synctasks.capture import installer
from synctasks.embedded.directory import LeasedDirectory
from synctasks.embedded.postgres import PostgresServer
from synctasks.embedded.waiting import wait_until
from synctasks.errors import MissingColumn, SetupError
from synctasks.flow import Database
from synctasks.flows import FLOWS
from tests.catalog import catalog
from tests.conftest import connected
from tests.programs import run
from tests.rows import Connection, add_record, execute, pending, rows, value
from tests.workspace import CITIZEN, WAREHOUSE

WAITING = """
SELECT count(*) FROM pg_locks WHERE relation = 'public.golden_records'::regclass AND NOT granted
"""


def install(progress: Callable[[str], None] = lambda _: None) -> list[str]:
    return installer.install(FLOWS, with_schemas=False, notifies=True, progress=progress)


def uninstall(progress: Callable[[str], None] = lambda _: None) -> None:
    installer.uninstall(discard_pending=True, progress=progress)


@pytest.fixture
def bare(warehouse: Connection, citizen: Connection) -> None:
    """Both databases with their tables only."""
    uninstall()


@pytest.fixture
def role(warehouse: Connection, citizen: Connection) -> Iterator[dict[str, str]]:
    """A role that may log in at both servers, which may be one."""
    name, password = f"clerk_{secrets.token_hex(4)}", secrets.token_hex(8)
    create = f"""
        DO $$ BEGIN
            IF to_regrole('{name}') IS NULL THEN
                CREATE ROLE {name} LOGIN PASSWORD '{password}';
            END IF;
        END $$
        """
    for each in (warehouse, citizen):
        execute(each, create)
    yield {"name": name, "password": password}
    for each in (warehouse, citizen):
        execute(each, f"REASSIGN OWNED BY {name} TO CURRENT_USER; DROP OWNED BY {name}")
    for each in (warehouse, citizen):
        execute(each, f"DROP ROLE IF EXISTS {name}")


def as_role(url: str, role: dict[str, str]) -> str:
    parts = urlsplit(url)
    server = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{role['name']}:{role['password']}@{server}").geturl()


READS = (
    "GRANT USAGE ON SCHEMA eligibility TO {role};"
    " GRANT SELECT ON eligibility.scheme_master, districts TO {role}"
)


@pytest.mark.parametrize(
    ("variable", "rights", "said"),
    [
        (
            WAREHOUSE,
            "GRANT CREATE ON DATABASE {database} TO {role}; " + READS,
            "table public.golden_records: only its owner can give it triggers. Install as role",
        ),
        (
            WAREHOUSE,
            "ALTER TABLE golden_records OWNER TO {role}",
            "may not create schemas in it. Grant it: GRANT CREATE ON DATABASE",
        ),
        (
            WAREHOUSE,
            "GRANT CREATE ON DATABASE {database} TO {role}",
            "table eligibility.scheme_master: the role may not use its schema. Grant it: GRANT "
            "USAGE ON SCHEMA eligibility TO",
        ),
        (
            WAREHOUSE,
            "GRANT CREATE ON DATABASE {database} TO {role};"
            " GRANT USAGE ON SCHEMA eligibility TO {role}",
            "table eligibility.scheme_master: the role may not read it. Grant it: GRANT SELECT ON",
        ),
        (
            CITIZEN,
            "GRANT CREATE ON DATABASE {database} TO {role};"
            " GRANT ALL ON schemes TO {role};"
            " GRANT SELECT, INSERT, UPDATE ON profile_data TO {role}",
            "table public.profile_data: the role may not write it. Grant it: GRANT SELECT, INSERT, "
            "UPDATE, DELETE ON public.profile_data TO",
        ),
    ],
    ids=["not the owner", "no schema", "no schema usage", "no read", "no delete"],
)
def test_without_the_rights_one_line_says_which_and_nothing_is_done(
    bare: None,
    databases: dict[str, str],
    warehouse: Connection,
    citizen: Connection,
    role: dict[str, str],
    variable: str,
    rights: str,
    said: str,
) -> None:
    side = warehouse if variable == WAREHOUSE else citizen
    execute(side, rights.format(role=role["name"], database=side.info.dbname))
    before = catalog(warehouse), catalog(citizen)
    refused = run("synctasks", "install", env={variable: as_role(databases[variable], role)})
    assert refused.returncode == 2, refused
    assert said in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert (catalog(warehouse), catalog(citizen)) == before


@pytest.mark.parametrize(
    ("variable", "change", "said"),
    [
        (WAREHOUSE, "DROP TABLE golden_records", "golden_records: it does not exist"),
        (CITIZEN, "DROP TABLE profile_data", "profile_data: it does not exist"),
        (
            WAREHOUSE,
            "ALTER TABLE golden_records DROP district_id, DROP updated_at",
            "golden_records: it lacks the columns district_id, updated_at",
        ),
        (
            CITIZEN,
            "ALTER TABLE profile_data DROP city",
            "profile_data: it lacks the columns city",
        ),
    ],
)
def test_without_a_table_or_column_nothing_is_done(
    bare: None, warehouse: Connection, citizen: Connection, variable: str, change: str, said: str
) -> None:
    execute(warehouse if variable == WAREHOUSE else citizen, change)
    before = catalog(warehouse), catalog(citizen)
    with pytest.raises(SetupError, match=said):
        install()
    assert (catalog(warehouse), catalog(citizen)) == before


@pytest.mark.parametrize("variable", [WAREHOUSE, CITIZEN])
@pytest.mark.parametrize("when", ["before", "after"])
def test_an_optional_column_may_be_missing_on_either_side(
    warehouse: Connection,
    citizen: Connection,
    carry: Callable[[], None],
    variable: str,
    when: str,
) -> None:
    """Gone before the installation or after it: the flow does without, and writes go on."""
    table = "golden_records" if variable == WAREHOUSE else "profile_data"
    drop = f"ALTER TABLE {table} DROP mobile_number"
    if when == "before":
        uninstall()
        execute(warehouse if variable == WAREHOUSE else citizen, drop)
        install()
    execute(warehouse, "INSERT INTO golden_records (gr_id, updated_at) VALUES ('GR-1', now())")
    carry()
    if when == "after":
        execute(warehouse if variable == WAREHOUSE else citizen, drop)
    execute(warehouse, "UPDATE golden_records SET full_name = 'A', email = 'a@example.com'")
    if when == "after":
        with pytest.raises(MissingColumn):
            carry()
    carry()
    arrived = value(citizen, "SELECT full_name, email FROM profile_data")
    assert arrived == ("A", "a***@example.com")
    if when == "before":
        execute(warehouse, "UPDATE golden_records SET review_status = 'x'")
        assert pending(warehouse) == []


# People at work -----------------------------------------------------------------------------------


@pytest.mark.parametrize("work", [install, uninstall])
def test_no_writer_ever_waits_while_it_waits_for_a_long_transaction(
    warehouse: Connection,
    open_session: Callable[[], Connection],
    work: Callable[[Callable[[str], None]], object],
) -> None:
    if work is install:
        uninstall()
    long_one, writer, told = open_session(), open_session(), []
    add_record(long_one, "GR-long")
    working = threading.Thread(target=work, args=(told.append,), daemon=True)
    working.start()
    execute(writer, "SET statement_timeout = '1s'")
    seen = written = 0
    while seen < 3:
        seen += value(warehouse, WAITING)
        add_record(writer, f"GR-{written}")
        writer.commit()
        written += 1
    assert working.is_alive()
    assert [line for line in told if "is in use, waiting without blocking" in line]
    long_one.commit()
    working.join(20)
    assert not working.is_alive()
    ours = "SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'synctasks_profile_data%'"
    assert value(warehouse, ours) == (4 if work is install else 0)


def test_it_gives_up_where_a_long_transaction_does_not_end(
    bare: None,
    warehouse: Connection,
    open_session: Callable[[], Connection],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(installer, "_TRIES", 2)
    long_one = open_session()
    add_record(long_one, "GR-long")
    with pytest.raises(SetupError, match="long transactions hold it"):
        install()
    assert rows(warehouse, "SELECT flow FROM synctasks.run") == ["schemes"]
    long_one.commit()
    assert install() == [flow.name for flow in FLOWS[1:]]


def test_another_installation_at_the_same_time_is_waited_for(
    bare: None, warehouse: Connection, open_session: Callable[[], Connection]
) -> None:
    long_one = open_session()
    add_record(long_one, "GR-long")
    both = [threading.Thread(target=install, daemon=True) for _ in range(2)]
    for each in both:
        each.start()
    advisory = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    wait_until(lambda: value(warehouse, advisory) == 1, 10, "one of the two to wait")
    long_one.commit()
    for each in both:
        each.join(20)
        assert not each.is_alive()
    asked = rows(warehouse, "SELECT flow FROM synctasks.run ORDER BY id")
    assert list(dict.fromkeys(asked)) == [
        flow.name for flow in FLOWS if flow.source.database is Database.WAREHOUSE
    ]
    assert len(asked) == len(set(asked)), "nothing is done twice"


@pytest.fixture
def with_prepared_transactions() -> Iterator[dict[str, str]]:
    """A server that allows prepared transactions, both databases on it."""
    with LeasedDirectory() as home:
        allowed = {"max_prepared_transactions": "2"}
        server = PostgresServer(home.path / "server", settings=allowed, lease=home.lease)
        server.start()
        server.create_database("warehouse")
        server.create_database("citizen")
        yield {WAREHOUSE: server.url("warehouse"), CITIZEN: server.url("citizen")}
        server.stop("immediate")


def test_where_transactions_may_be_prepared_it_wants_no_notify(
    databases: dict[str, str], with_prepared_transactions: dict[str, str]
) -> None:
    urls = with_prepared_transactions
    refused = run("synctasks", "install", "--with-schemas", env=urls)
    assert (refused.returncode, refused.stderr) == (
        2,
        "synctasks: warehouse database: it allows prepared transactions, under which NOTIFY fails."
        " Install with --no-notify: the listener then polls every 100 ms.\n",
    )
    assert run("synctasks", "install", "--with-schemas", "--no-notify", env=urls).returncode == 0
    with connected(urls[WAREHOUSE]) as warehouse:
        execute(warehouse, "BEGIN")
        add_record(warehouse, "GR-1")
        execute(warehouse, "PREPARE TRANSACTION 'one'")
        assert value(warehouse, "SELECT count(*) FROM synctasks.change_log") == 0
        execute(warehouse, "COMMIT PREPARED 'one'")
        assert value(warehouse, "SELECT count(*) FROM synctasks.change_log") == 1
