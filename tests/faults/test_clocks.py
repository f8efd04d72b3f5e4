"""A source whose clock is wrong."""

from __future__ import annotations

import pytest

from tests.faults import clocks
from tests.faults.bearing import Bearing
from tests.faults.fault import Fault


@pytest.mark.parametrize("fault", clocks.FAULTS, ids=str)
def test_clocks(bearing: Bearing, fault: Fault) -> None:
    bearing.survives(fault)
