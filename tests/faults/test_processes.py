"""Our own processes are killed, stopped and frozen under load."""

from __future__ import annotations

import pytest

from tests.faults import processes
from tests.faults.bearing import Bearing
from tests.faults.fault import Fault


@pytest.mark.parametrize("fault", processes.FAULTS, ids=str)
def test_processes(bearing: Bearing, fault: Fault) -> None:
    bearing.survives(fault)
