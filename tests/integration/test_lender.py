"""What a command that asks a few questions does without a pool."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from synctasks import database
from synctasks.database import lender, transaction
from synctasks.errors import PermanentError
from synctasks.flow import Database
from tests.rows import Connection, execute

PID = "SELECT pg_backend_pid()"


@pytest.fixture
def briefly(databases: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    database.forget_connections()
    monkeypatch.setattr(lender, "_briefly", True)
    yield
    database.forget_connections()


def pid() -> int:
    with transaction(Database.WAREHOUSE) as tx:
        return int(tx.value(PID))


@pytest.mark.usefixtures("briefly")
def test_a_connection_is_lent_again_also_after_an_error() -> None:
    first = pid()
    with pytest.raises(PermanentError), transaction(Database.WAREHOUSE) as tx:
        tx.execute("SELECT * FROM nowhere")
    assert pid() == first


@pytest.mark.usefixtures("briefly")
def test_two_at_once_are_two_connections() -> None:
    with transaction(Database.WAREHOUSE) as tx:
        assert tx.value(PID) != pid()


@pytest.mark.usefixtures("briefly")
def test_one_that_was_cut_is_not_lent_again(warehouse: Connection) -> None:
    first = pid()
    execute(warehouse, "SELECT pg_terminate_backend(%s)", [first])
    with pytest.raises(Exception, match="warehouse"):
        pid()
    assert pid() != first


def test_a_process_that_has_a_pool_keeps_it(databases: dict[str, str]) -> None:
    pid()
    database.lend_briefly()
    with closing(lender.lender(str(Database.WAREHOUSE)).raw_connection()) as connection:
        assert type(connection).__module__.startswith("sqlalchemy")
