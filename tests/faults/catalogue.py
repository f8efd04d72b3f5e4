"""All faults that there are."""

from __future__ import annotations

from tests.faults import clocks, network, processes, rivals, servers, targets
from tests.faults.fault import Fault

FAULTS: tuple[Fault, ...] = (
    *processes.FAULTS,
    *servers.FAULTS,
    *network.FAULTS,
    *targets.FAULTS,
    *rivals.FAULTS,
    *clocks.FAULTS,
)
KINDS = tuple(dict.fromkeys(each.kind for each in FAULTS))
