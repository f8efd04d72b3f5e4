"""An application at the target gets in our way."""

from __future__ import annotations

import pytest

from tests.faults import rivals
from tests.faults.bearing import Bearing
from tests.faults.fault import Fault


@pytest.mark.parametrize("fault", rivals.FAULTS, ids=str)
def test_rivals(bearing: Bearing, fault: Fault) -> None:
    bearing.survives(fault)
