"""The network between our processes and the servers fails under load."""

from __future__ import annotations

import pytest

from tests.faults import network
from tests.faults.bearing import Bearing
from tests.faults.fault import Fault


@pytest.mark.parametrize("fault", network.FAULTS, ids=str)
def test_network(bearing: Bearing, fault: Fault) -> None:
    bearing.survives(fault)
