"""Faults that last: longer than the ladder of retries, than a session may idle."""

from __future__ import annotations

import random

import pytest

from tests.faults.bearing import Bearing
from tests.faults.catalogue import FAULTS
from tests.faults.fault import Fault

# The ladder's five waits take 23 s: after this, tasks have given up, and breakers are open.
BEYOND_THE_LADDER = 35
# A session of ours that idles in its transaction is ended by the server after 20 s.
BEYOND_IDLING = 25


_BY_NAME = {str(each): each for each in FAULTS}
LONG = [
    (_BY_NAME["disk full: portal"], BEYOND_THE_LADDER),
    (_BY_NAME["connections refused: warehouse"], BEYOND_THE_LADDER),
    (_BY_NAME["SIGSTOP: worker"], BEYOND_IDLING),
]


@pytest.mark.parametrize(("fault", "seconds"), LONG, ids=str)
def test_long(bearing: Bearing, fault: Fault, seconds: int) -> None:
    bearing.bears(fault.inflict(bearing.ground, random.Random(0)), seconds)
