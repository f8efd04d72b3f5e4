"""A drain that finds nothing is no death: the lane's next change is not taken for poison."""

from __future__ import annotations

from synctasks.capture.change_log import lane_count
from synctasks.engine.drain import drain
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from tests.refreshing import add_records, key
from tests.rows import Connection, names_at_portal, rows


def test_drains_that_found_nothing_are_no_deaths(
    warehouse: Connection, citizen: Connection
) -> None:
    lanes = range(lane_count(PROFILE_DATA))
    for _ in range(12):
        for lane in lanes:
            assert not drain(PROFILE_DATA, lane)
    marks = "SELECT DISTINCT started_at, batch_limit, deaths FROM synctasks.lane WHERE flow = %s"
    assert rows(warehouse, marks, [PROFILE_DATA.name]) == [(None, 500, 0)]
    add_records(warehouse, 1, 1)
    for lane in lanes:
        drain(PROFILE_DATA, lane)
    assert list(names_at_portal(citizen)) == [key(1)]
    assert not rows(warehouse, "SELECT unit, kind, error FROM synctasks.dead_letter")
