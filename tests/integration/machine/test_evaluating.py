"""Evaluations, forecasts and profiles, whatever happens in whatever order."""

from __future__ import annotations

import pytest
from hypothesis.stateful import run_state_machine_as_test

from tests.integration.machine.evaluating import Evaluating
from tests.integration.machine.ground import Ground
from tests.integration.machine.profiles import TIMEOUT, lives


@pytest.mark.timeout(TIMEOUT)
def test_a_family_is_shown_its_best_schemes_and_nothing_older(under: Ground) -> None:
    run_state_machine_as_test(lambda: Evaluating(under), settings=lives(8))
