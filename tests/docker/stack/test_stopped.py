"""docker/compose stop in the middle of the work, and start: nothing lost, nothing doubled."""

from __future__ import annotations

import time

from tests.docker.stack.composed import OURS, SERVERS, Composed
from tests.docker.stack.engine import inspect
from tests.faults.outcome import agree
from tests.faults.recovery import await_recovery
from tests.faults.witness import Witness
from tests.faults.workload import working

SOME_WRITES = 60
RECOVERY_SECONDS = 60
# Ended by itself, or by the signal that asked it to.
BY_THEMSELVES = {0, 128 + 15}
# Longer than whatever is at work takes; much less than the grace periods.
STOP_SECONDS = 40


def test_stop_under_load_loses_and_doubles_nothing(
    empty: Composed, witness: Witness, told: dict[str, str]
) -> None:
    with working(empty) as workload:
        workload.go_on(2, SOME_WRITES)
        began = time.monotonic()
        empty.place.did("compose", "stop")
        took = time.monotonic() - began
        ended = {service: empty.state(service) for service in (*OURS, *SERVERS)}
        empty.place.did("compose", "start")
        back = time.monotonic()
        await_recovery(empty, RECOVERY_SECONDS)
        recovery = time.monotonic() - back
        workload.go_on(0, SOME_WRITES)
    empty.quiesce(RECOVERY_SECONDS)
    told["docker/compose stop under load"] = (
        f"{took:.1f} s, all arrived {recovery:.1f} s after start"
    )
    codes = {service: state["ExitCode"] for service, state in ended.items()}
    assert set(codes.values()) <= BY_THEMSELVES, codes
    assert took < STOP_SECONDS
    assert inspect(empty.container("install"))["State"]["ExitCode"] == 0
    agree(empty, witness)
