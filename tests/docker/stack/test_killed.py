"""Any container may be killed at any moment: Docker begins anew, and nothing is lost."""

from __future__ import annotations

from tests.docker.stack.composed import OURS, SERVERS, Composed
from tests.faults.outcome import agree
from tests.faults.recovery import await_recovery
from tests.faults.witness import Witness
from tests.faults.workload import working

SOME_WRITES = 20
RECOVERY_SECONDS = 60


def test_each_container_and_all_at_once_killed_under_load(
    empty: Composed, witness: Witness
) -> None:
    with working(empty, pause=0.04) as workload:
        for service in (*OURS, *SERVERS):
            workload.go_on(0.5, SOME_WRITES)
            empty.kill(service)
        workload.go_on(1, SOME_WRITES)
        empty.kill(*OURS, *SERVERS)
        await_recovery(empty, RECOVERY_SECONDS)
        workload.go_on(0, SOME_WRITES)
    empty.quiesce(RECOVERY_SECONDS)
    agree(empty, witness)
