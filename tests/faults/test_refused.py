"""A target refuses the rows of one flow: its units are kept whole, and arrive by a replay."""

from __future__ import annotations

import pytest

from synctasks.embedded.waiting import wait_until
from synctasks.flows import by_name
from tests.faults.bearing import RECOVERY_SECONDS, SOME_WRITES, Bearing
from tests.faults.ground import CITIZEN, WAREHOUSE
from tests.faults.outcome import agree, open_letters
from tests.faults.recovery import await_markers
from tests.faults.troubles import REFUSED, trouble
from tests.faults.workload import working

# What others may have to wait for at most.
OTHERS_SECONDS = 10
SIDES = {"warehouse": WAREHOUSE, "citizen": CITIZEN}


@pytest.mark.parametrize("name", ["application_events", "eligibility_hints"])
def test_what_a_target_refused_arrives_by_a_replay(bearing: Bearing, name: str) -> None:
    """Units of many records, in either direction; the applications write on."""
    ground, flow = bearing.ground, by_name(name)
    with working(ground) as workload:
        workload.go_on(1, SOME_WRITES)
        with trouble(ground, SIDES[flow.target.database], f"{REFUSED} {name}"):
            workload.go_on(2)
            wait_until(lambda: open_letters(ground), RECOVERY_SECONDS, "a dead letter")
            await_markers(ground, OTHERS_SECONDS)
        assert {letter.split()[0] for letter in open_letters(ground)} == {name}
        workload.go_on(0, SOME_WRITES)
    # Some have passed meanwhile, since they were changed once more.
    outcome = ground.run("synctasks", "dead-letters", "replay", "--flow", name, "--yes")
    assert outcome.returncode == 0, outcome.stderr
    ground.quiesce(RECOVERY_SECONDS)
    agree(ground, bearing.witness)
