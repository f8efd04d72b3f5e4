"""The machine finds what it is there to find: each part of the protocol, taken out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.integration.machine import mutants
from tests.integration.machine.broken import (
    BooksWrong,
    BrokenPromise,
    Differs,
    FalseAlarm,
    WentBack,
)
from tests.integration.machine.ground import Ground
from tests.integration.machine.protocol import Protocol

Mutant = Callable[[Ground], AbstractContextManager[None]]

# The first failure is enough: nobody needs it short.
_SEARCH = settings(
    max_examples=200,
    stateful_step_count=30,
    derandomize=True,
    deadline=None,
    phases=[Phase.generate],
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize(
    ("mutant", "finds"),
    [
        (mutants.no_lane_lock, WentBack),
        (mutants.snapshot_before_the_lock, (WentBack, Differs)),
        (mutants.only_new_rows_captured, (Differs, FalseAlarm)),
        (mutants.forgets_by_key, (Differs, FalseAlarm)),
        (mutants.books_what_another_forgot, BooksWrong),
    ],
    ids=lambda each: getattr(each, "__name__", None),
)
def test_what_is_taken_out_is_found_missing(
    under: Ground, mutant: Mutant, finds: type[BrokenPromise]
) -> None:
    lives = []

    def life() -> Protocol:
        lives.append(None)
        return Protocol(under)

    try:
        with mutant(under), pytest.raises(finds):
            run_state_machine_as_test(life, settings=_SEARCH)
    finally:
        print(mutant.__name__, len(lives))
