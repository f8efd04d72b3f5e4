"""A target lives, but takes no rows."""

from __future__ import annotations

import pytest

from tests.faults import targets
from tests.faults.bearing import Bearing
from tests.faults.fault import Fault


@pytest.mark.parametrize("fault", targets.FAULTS, ids=str)
def test_targets(bearing: Bearing, fault: Fault) -> None:
    bearing.survives(fault)
