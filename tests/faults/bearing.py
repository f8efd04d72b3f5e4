"""A fault under load, and what must hold after it."""

from __future__ import annotations

import random
import time
from contextlib import AbstractContextManager

from tests.faults.fault import Fault
from tests.faults.ground import Ground
from tests.faults.outcome import agree
from tests.faults.recovery import await_recovery
from tests.faults.witness import Witness
from tests.faults.workload import working

# After the end of a fault everything must have arrived, without help, within:
RECOVERY_SECONDS = 30
# Of the applications on both sides: before a fault, during it, after it.
SOME_WRITES = 60


class Bearing:
    """A ground under load, on which something goes wrong."""

    def __init__(self, ground: Ground, witness: Witness) -> None:
        self.ground = ground
        self.witness = witness

    def survives(self, fault: Fault) -> None:
        """Assert that everything arrives in time after the fault, once each, and stays right."""
        self.bears(fault.inflict(self.ground, random.Random(0)), fault.seconds)

    def bears(self, trouble: AbstractContextManager[None], seconds: float) -> None:
        """The same for any trouble that lasts as long as a block."""
        with working(self.ground) as workload:
            workload.go_on(1, SOME_WRITES)
            with trouble:
                workload.go_on(seconds)
            ended = time.monotonic()
            await_recovery(self.ground, RECOVERY_SECONDS)
            workload.go_on(0, SOME_WRITES)
        self.ground.quiesce(RECOVERY_SECONDS - (time.monotonic() - ended))
        agree(self.ground, self.witness)
