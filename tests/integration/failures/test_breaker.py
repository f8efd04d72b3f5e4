"""The breaker's rows: who is sent for while a side does not work, or is slow."""

from __future__ import annotations

from synctasks import breaker
from synctasks.capture import change_log
from synctasks.database import transaction
from synctasks.engine.drain import drain
from synctasks.flow import Database
from synctasks.flows import FLOWS
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.monitoring.status import status
from tests.refreshing import add_records, carry, full_run
from tests.rows import Connection, execute, rows, value

_OPEN = "SELECT flow, side, climber FROM synctasks.breaker"
_WAITED_LONGER = """\
UPDATE synctasks.change_log
SET captured_at = (SELECT min(captured_at) FROM synctasks.change_log) - interval '1 second'
WHERE lane = %(lane)s
"""
_LATER = "UPDATE synctasks.breaker SET probed_at = probed_at - interval '6 seconds'"


def lanes_to_send() -> set[int]:
    with transaction(Database.WAREHOUSE) as source:
        return {each.lane for each in change_log.pending_lanes(source)}


def due_for_a_probe() -> list[str]:
    with transaction(Database.WAREHOUSE) as source:
        return breaker.to_probe(source)


def test_while_it_is_open_nobody_is_sent_but_a_probe(warehouse: Connection) -> None:
    add_records(warehouse, 1, 50)
    assert lanes_to_send() == set(range(8))
    breaker.open_for(PROFILE_DATA, "citizen", "citizen: disk full [53100]")
    assert rows(warehouse, _OPEN) == [("profile_data", "target", None)]
    assert breaker.is_open(PROFILE_DATA)
    assert lanes_to_send() == set()
    assert due_for_a_probe() == [], "it has just been seen not to work"
    execute(warehouse, _LATER)
    assert due_for_a_probe() == ["profile_data"]
    assert due_for_a_probe() == [], "one probe at a time"
    with transaction(Database.WAREHOUSE) as source:
        assert change_log.probe_lane(source, "profile_data") in range(8)
    for lane in (2, 5):
        execute(warehouse, _WAITED_LONGER, {"lane": lane})
        with transaction(Database.WAREHOUSE) as source:
            assert change_log.probe_lane(source, "profile_data") == lane
    [alert] = [each for each in status(FLOWS)["alerts"] if each["name"] == "breaker open"]
    assert "disk full" in alert["reason"]


def test_the_first_success_closes_it(warehouse: Connection) -> None:
    add_records(warehouse, 1, 50)
    breaker.open_for(PROFILE_DATA, "citizen", "gone")
    [lane] = rows(warehouse, "SELECT min(lane) FROM synctasks.change_log")
    drain(PROFILE_DATA, lane)
    assert rows(warehouse, _OPEN) == []
    assert lanes_to_send() == set(range(8)) - {lane}
    assert "breaker open" not in str(status(FLOWS)["alerts"])


def test_a_full_run_that_works_closes_it(warehouse: Connection) -> None:
    breaker.open_for(PROFILE_DATA, "citizen", "gone")
    full_run(warehouse)
    assert rows(warehouse, _OPEN) == []


def test_where_a_side_is_slow_one_lane_climbs_for_all(warehouse: Connection) -> None:
    add_records(warehouse, 1, 50)
    breaker.let_climb(PROFILE_DATA, "citizen", "slow", 3)
    breaker.let_climb(PROFILE_DATA, "citizen", "slow", 5)
    assert rows(warehouse, _OPEN) == [("profile_data", "target", 3)]
    assert lanes_to_send() == {3}
    assert breaker.another_climbs(PROFILE_DATA, 5)
    assert not breaker.another_climbs(PROFILE_DATA, 3)
    assert not breaker.is_open(PROFILE_DATA)
    execute(warehouse, _LATER)
    assert due_for_a_probe() == []
    drain(PROFILE_DATA, 3)
    assert lanes_to_send() == set(range(8)) - {3}


def test_without_anything_to_do_none_stays_open(warehouse: Connection) -> None:
    add_records(warehouse, 1, 50)
    breaker.let_climb(PROFILE_DATA, "citizen", "slow", 3)
    execute(warehouse, "DELETE FROM synctasks.change_log WHERE lane = 3")
    due_for_a_probe()
    assert rows(warehouse, _OPEN) == []
    breaker.open_for(PROFILE_DATA, "citizen", "gone")
    due_for_a_probe()
    assert value(warehouse, "SELECT count(*) FROM synctasks.breaker") == 1
    carry()
    breaker.open_for(PROFILE_DATA, "citizen", "gone")
    due_for_a_probe()
    assert rows(warehouse, _OPEN) == []


def test_what_comes_from_neither_side_opens_none(warehouse: Connection) -> None:
    breaker.open_for(PROFILE_DATA, "", "broker: no answer")
    assert rows(warehouse, _OPEN) == []
