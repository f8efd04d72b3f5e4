"""Whatever happens in whatever order: nothing is lost, and the portal never goes back."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.integration.machine.ground import Ground
from tests.integration.machine.protocol import Protocol

# By hand, for hours: SYNCTASKS_EXAMPLES=20000 .venv/bin/pytest tests/integration/machine
_EXAMPLES = os.environ.get("SYNCTASKS_EXAMPLES")
# To make a failure short takes minutes: also something to do by hand.
_USUAL = settings(
    max_examples=60, stateful_step_count=30, derandomize=True, phases=[Phase.generate]
)
_DEEP = settings(max_examples=int(_EXAMPLES or 1), stateful_step_count=60)


@pytest.mark.timeout(0 if _EXAMPLES else 120)
def test_every_promise_holds_whatever_happens_in_whatever_order(under: Ground) -> None:
    chosen = settings(
        _DEEP if _EXAMPLES else _USUAL, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(lambda: Protocol(under), settings=chosen)
