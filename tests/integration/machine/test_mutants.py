"""The machine finds what it is there to find: each part of the protocol, taken out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from hypothesis.stateful import run_state_machine_as_test

from tests.integration.machine import mutants, scripts
from tests.integration.machine.broken import (
    BooksWrong,
    BrokenPromise,
    Differs,
    FalseAlarm,
    LettersWrong,
    WentBack,
)
from tests.integration.machine.ground import Ground
from tests.integration.machine.profiles import hunt
from tests.integration.machine.protocol import Protocol

Mutant = Callable[[Ground], AbstractContextManager[None]]

# A change that is lost shows at the portal, to verify, or by a letter that nobody closes.
_LOST = (Differs, FalseAlarm, LettersWrong)


class Hunt(Protocol):
    """Short lives of drains that meet, without full runs: what is missing shows soon."""

    steps = operate = kill = None  # type: ignore[assignment]

    def rest(self) -> None:
        self.pause_for_breath()


def _named(each: object) -> str | None:
    return getattr(each, "__name__", None)


@pytest.mark.parametrize(
    ("mutant", "script", "finds"),
    [
        (mutants.no_lane_lock, scripts.overtaken_while_staged, WentBack),
        (mutants.snapshot_before_the_lock, scripts.overtaken_before_the_lock, WentBack),
        (mutants.only_new_rows_captured, scripts.moved, Differs),
        (mutants.forgets_by_key, scripts.changed_while_merged, Differs),
        (mutants.books_what_another_forgot, scripts.drained_twice, BooksWrong),
        (mutants.settles_out_of_turn, scripts.put_right_before_it_settles, LettersWrong),
    ],
    ids=_named,
)
def test_a_script_shows_what_is_taken_out(
    under: Ground,
    mutant: Mutant,
    script: Callable[[Protocol], None],
    finds: type[BrokenPromise],
) -> None:
    """The same script finds nothing wrong with everything in place."""
    scripts.live(under, script)
    with mutant(under), pytest.raises(finds):
        scripts.live(under, script)


@pytest.mark.parametrize(
    ("mutant", "finds"),
    [
        (mutants.no_lane_lock, (WentBack, *_LOST)),
        (mutants.snapshot_before_the_lock, (WentBack, *_LOST)),
        (mutants.only_new_rows_captured, _LOST),
        (mutants.forgets_by_key, _LOST),
        (mutants.books_what_another_forgot, BooksWrong),
    ],
    ids=_named,
)
def test_chance_finds_what_is_taken_out(
    under: Ground, mutant: Mutant, finds: type[BrokenPromise] | tuple[type[BrokenPromise], ...]
) -> None:
    with mutant(under), pytest.raises(finds):
        run_state_machine_as_test(lambda: Hunt(under), settings=hunt())
