"""An installation of an older release is brought up to date by `synctasks install`."""

from __future__ import annotations

import pytest
from alembic import command
from sqlalchemy import NullPool, create_engine

from synctasks import migrations
from synctasks.capture import installer
from synctasks.database.pool import pool_url
from synctasks.flow import Database
from synctasks.flows import FLOWS
from tests.catalog import catalog, installed_rows
from tests.conftest import connected
from tests.rows import add_record, execute, rows, value
from tests.workspace import CITIZEN, WAREHOUSE, Workspace


def install() -> list[str]:
    return installer.install(FLOWS, with_schemas=True, notifies=True, progress=lambda _: None)


def upgrade_to(database: Database, revision: str) -> None:
    """What an older release's installer did to our schema."""
    config = migrations._config(database)
    engine = create_engine(pool_url(str(database)), poolclass=NullPool)
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


@pytest.mark.parametrize("revision", ["0001", "0002", "0003", "0004"])
def test_an_older_installation_becomes_as_a_new_one_and_keeps_its_changes(
    place: Workspace, revision: str
) -> None:
    place.renew(installed=False)
    with (
        connected(place.environment[WAREHOUSE]) as warehouse,
        connected(place.environment[CITIZEN]) as citizen,
    ):
        install()
        new = [catalog(warehouse), catalog(citizen)]
    place.renew(installed=False)
    with (
        connected(place.environment[WAREHOUSE]) as warehouse,
        connected(place.environment[CITIZEN]) as citizen,
    ):
        for database in Database:
            upgrade_to(database, revision)
        execute(
            warehouse,
            "INSERT INTO synctasks.change_log (flow, lane, key, operation)"
            " VALUES ('profile_data', 3, 'GR-7', 'update')",
        )
        assert install() == [flow.name for flow in FLOWS]
        assert [catalog(warehouse), catalog(citizen)] == new
        assert rows(warehouse, "SELECT key FROM synctasks.change_log") == ["GR-7"]
        assert install() == []
        assert any("0006" in row for row in installed_rows(warehouse))
        add_record(warehouse, "GR-8")
        assert value(warehouse, "SELECT count(*) FROM synctasks.change_log") == 2
