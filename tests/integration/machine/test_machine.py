"""Whatever happens in whatever order: nothing is lost, and the portal never goes back."""

from __future__ import annotations

import pytest
from hypothesis.stateful import run_state_machine_as_test

from tests.integration.machine.ground import Ground
from tests.integration.machine.profiles import TIMEOUT, lives
from tests.integration.machine.protocol import Protocol


@pytest.mark.timeout(TIMEOUT)
def test_every_promise_holds_whatever_happens_in_whatever_order(under: Ground) -> None:
    run_state_machine_as_test(lambda: Protocol(under), settings=lives(40))
