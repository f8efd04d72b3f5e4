"""A server's clock that was put back by minutes holds nothing up for as long."""

from __future__ import annotations

from synctasks import breaker
from synctasks.capture.change_log import pending_lanes
from synctasks.database import transaction
from synctasks.flow import Database
from tests.rows import Connection, add_record, execute


def test_what_was_to_wait_by_the_old_clock_does_not(warehouse: Connection) -> None:
    add_record(warehouse, "GR-1")
    assert len(_pending()) == 1
    for late in (
        "UPDATE synctasks.lane SET retry_at = clock_timestamp() + interval '8 seconds'",
        "UPDATE synctasks.change_log SET not_before = clock_timestamp() + interval '8 seconds'",
    ):
        execute(warehouse, late)
        assert _pending() == []
        execute(warehouse, late.replace("8 seconds", "10 minutes"))
        assert len(_pending()) == 1


def test_a_breaker_is_probed_whatever_it_noted_by_the_old_clock(warehouse: Connection) -> None:
    execute(
        warehouse,
        "INSERT INTO synctasks.breaker (flow, side, reason) VALUES ('schemes', 'target', 'test')",
    )
    assert _to_probe() == []
    execute(warehouse, "UPDATE synctasks.breaker SET probed_at = probed_at + interval '10 minutes'")
    assert _to_probe() == ["schemes"]


def _pending() -> list[object]:
    with transaction(Database.WAREHOUSE) as source:
        return list(pending_lanes(source))


def _to_probe() -> list[str]:
    with transaction(Database.WAREHOUSE) as source:
        return breaker.to_probe(source)
