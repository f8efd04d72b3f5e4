"""Uninstalling and installing with a heartbeat on its way."""

from __future__ import annotations

from synctasks.capture import installer, pulse
from synctasks.database import transaction
from synctasks.engine.drain import drain
from synctasks.flow import Database
from synctasks.flows import FLOWS
from synctasks.flows.heartbeats import HEARTBEATS
from synctasks.monitoring.figures.signs import heartbeats
from tests.rows import Connection, rows, value


def beat() -> None:
    for database in Database:
        with transaction(database) as tx:
            pulse.beat(tx, database)


def test_a_heartbeat_on_its_way_holds_up_no_uninstall_and_beats_after_an_install(
    warehouse: Connection, citizen: Connection
) -> None:
    beat()
    assert rows(warehouse, "SELECT flow FROM synctasks.change_log") == ["heartbeat_to_citizen"]
    installer.uninstall(discard_pending=False, progress=lambda _: None)
    for source in (warehouse, citizen):
        assert value(source, "SELECT to_regnamespace('synctasks')") is None
    for _ in range(2):
        installer.install(FLOWS, with_schemas=False, notifies=True, progress=lambda _: None)
    assert heartbeats() == dict.fromkeys(HEARTBEATS)
    runs = "SELECT DISTINCT flow FROM synctasks.run WHERE flow LIKE 'heartbeat%'"
    assert rows(warehouse, runs) == [], "nobody asks for a full run of a heartbeat"
    beat()
    for flow in HEARTBEATS.values():
        drain(flow, 0)
    assert all(age is not None and age < 30 for age in heartbeats().values())
