"""Our app, but a worker's child kills itself where a test has said, once.

The test writes the name of a point into the file that `DYING_AT` names. The first process that
reaches this point takes the file away, and is gone the next moment.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from synctasks.app import app
from synctasks.engine import reconcile
from synctasks.engine.refresh import plan, ranges, runs
from synctasks.engine.refresh.chunk import Chunk

__all__ = ["app"]

Function = Callable[..., Any]


def reach(point: str) -> None:
    """Die here if this is where the test wants it, and nobody has yet."""
    order = Path(os.environ["DYING_AT"])
    try:
        if order.read_text() != point:
            return
        order.rename(order.with_suffix(".done"))
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def before(point: str, function: Function) -> Function:
    """The function, with the point where it begins."""

    def wrapped(*arguments: Any, **more: Any) -> Any:
        reach(point)
        return function(*arguments, **more)

    return wrapped


def after(point: str, function: Function) -> Function:
    """The function, with the point where it has ended."""

    def wrapped(*arguments: Any, **more: Any) -> Any:
        result = function(*arguments, **more)
        reach(point)
        return result

    return wrapped


def _after_planning(function: Function) -> Function:
    """The points at which a planning step of some phase is committed."""

    def planned(flow: Any, standing: Any, lanes: int) -> Any:
        result = function(flow, standing, lanes)
        reach(f"{standing.phase} planned")
        return result

    return planned


def _after_taking(function: Function) -> Function:
    """The points at which a chunk of some phase is taken."""

    def take(self: Chunk, lane: int) -> Any:
        result = function(self, lane)
        reach(f"{self._phase} chunk taken" if result else "no chunk to take")
        return result

    return take


def _around_settling(function: Function) -> Function:
    """The points at which a chunk of some phase is committed at the target, and then settled."""

    def settle(self: Chunk, *arguments: Any) -> Any:
        reach(f"{self._phase} chunk committed")
        result = function(self, *arguments)
        reach(f"{self._phase} chunk settled")
        return result

    return settle


# The package's `step` is the function, not its module.
_steps: Any = import_module("synctasks.engine.refresh.step")

runs.start = after("run started", runs.start)
for _phase in ("source", "finish"):
    plan._PHASES[_phase] = after(f"{_phase} about to be planned", plan._PHASES[_phase])
_steps.plan = _after_planning(_steps.plan)
_steps.compare_next = after("range settled", _steps.compare_next)
ranges._compare_claimed = before("range claimed", ranges._compare_claimed)
ranges._hand_on_compared = before("range compared", ranges._hand_on_compared)
reconcile.merge_staged = before("chunk staged", reconcile.merge_staged)
Chunk.take = _after_taking(Chunk.take)  # type: ignore[method-assign]
Chunk.settle = _around_settling(Chunk.settle)  # type: ignore[method-assign]
