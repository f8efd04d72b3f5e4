"""Our app, but a worker's child kills itself where a test has said, once.

The test writes the name of a point into the file that `DYING_AT` names. The first process that
reaches this point takes the file away, and is gone the next moment.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
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


def _after_phase(function: Function) -> Function:
    """The points at which a planning step of some phase is committed."""

    def wrapped(flow: Any, standing: Any, lanes: int) -> Any:
        result = function(flow, standing, lanes)
        reach(f"{standing.phase} planned")
        return result

    return wrapped


def _after_taking(function: Function) -> Function:
    """The points at which a chunk of some phase is taken."""

    def wrapped(self: Chunk, lane: int) -> Any:
        result = function(self, lane)
        if result is not None:
            reach(f"{self._phase} chunk taken")
        return result

    return wrapped


def _before_settling(function: Function) -> Function:
    """The points at which the target has committed a chunk of some phase."""

    def wrapped(self: Chunk, *arguments: Any) -> Any:
        reach(f"{self._phase} chunk committed")
        return function(self, *arguments)

    return wrapped


runs.start = after("run started", runs.start)
plan._PHASES["source"] = after("source about to be planned", plan._PHASES["source"])
plan._PHASES["guard"] = after("guard about to be judged", plan._PHASES["guard"])
_step = __import__("synctasks.engine.refresh.step", fromlist=["plan"])
