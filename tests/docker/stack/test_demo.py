"""docker/up with its demo: all flows agree; where people are already, there is none."""

from __future__ import annotations

from synctasks.flows import FLOWS
from tests.acceptance.test_demo import ROW
from tests.docker.stack.composed import OURS, SERVERS, Composed

DEMO = ("--records", "2000", "--seconds", "5")
DEMO_SECONDS = 200


def test_the_demo_passes_in_the_stack_and_not_a_second_time(stack: Composed) -> None:
    stack.bare()
    before = stack.started((*OURS, *SERVERS))
    said = stack.place.did("up", *DEMO, timeout=DEMO_SECONDS)
    agreeing = {flow: rows for flow, rows, _ in ROW.findall(said)}
    assert list(agreeing) == [flow.name for flow in FLOWS], said
    assert "0" not in agreeing.values()
    assert "Both sides agree, and all " in said
    assert f"http://127.0.0.1:{stack.place.ports['web']}/readyz" in said

    again = stack.place.did("up", *DEMO)
    assert "No demo: the databases hold rows already." in again
    assert "Everything is running." in again
    assert "agrees" not in again
    assert stack.started((*OURS, *SERVERS)) == before
