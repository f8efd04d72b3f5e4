"""What becomes of a flow is told by its events: with counts, and without a value."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from synctasks import breaker, duties, slots
from synctasks.engine.drain import drain
from synctasks.flow import Duty
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from tests.letters import UNMISTAKABLE, drain_pending, full_run
from tests.logs import heard
from tests.rows import Connection, add_record

FLOW = {"flow": "profile_data"}
TWO = {"read": 2, "rejected": 1, "written": 1, "unchanged": 0}


def test_the_life_of_a_flow_in_its_events(warehouse: Connection) -> None:
    add_record(warehouse, "GR-right", **UNMISTAKABLE)
    add_record(warehouse, "GR-wrong", **{**UNMISTAKABLE, "gender": "of no known kind"})
    with heard() as said:
        drain_pending()
        drained = told(said, "drain.done")
        assert {name: sum(each[name] for each in drained) for name in TWO} == TWO
        assert told(said, "letter.opened", record="GR-wrong", kind="record")
        full_run(PROFILE_DATA)
        [started] = told(said, "run.started")
        ended = {"read": 2, "rejected": 1, "unchanged": 1, "written": 0, "state": "succeeded"}
        assert told(said, "run.ended", run=started["run"], log_level="info", **ended)
        assert len(told(said, "letter.opened")) == 1, "counted again, it is nothing new"
        slots.take(PROFILE_DATA, Duty.SYNC, datetime.now(UTC) + timedelta(days=1))
        assert told(said, "slot.taken", duty="sync")
        run = duties.request(PROFILE_DATA, Duty.VERIFY, "by hand")
        assert told(said, "round.started", run=run, duty="verify", reason="by hand")
        while duties.step(PROFILE_DATA, Duty.VERIFY).more:
            pass
        assert told(said, "round.ended", run=run, state="succeeded", matched=1)
        breaker.open_for(PROFILE_DATA, "citizen", "citizen: gone")
        assert told(said, "breaker.opened", side="target", cause="citizen: gone")
        assert not told(said, "breaker.closed")
        add_record(warehouse, "GR-other")
        for lane in range(PROFILE_DATA.lanes):
            drain(PROFILE_DATA, lane)
        assert told(said, "breaker.closed", side="target")
    for value in UNMISTAKABLE.values():
        assert value not in str(said)


def told(said: list[Any], event: str, **fields: object) -> list[Any]:
    """The flow's events of this name that have all of these fields."""
    wanted = {**FLOW, "event": event, **fields}.items()
    return [each for each in said if wanted <= each.items()]
