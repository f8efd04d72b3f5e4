"""Redis and both PostgreSQL go away and come back under load."""

from __future__ import annotations

import pytest

from tests.faults import servers
from tests.faults.bearing import Bearing
from tests.faults.fault import Fault


@pytest.mark.parametrize("fault", servers.FAULTS, ids=str)
def test_servers(bearing: Bearing, fault: Fault) -> None:
    bearing.survives(fault)
