"""A step of a run: plan a page, compare a range or work a chunk, whichever is due."""

from __future__ import annotations

from dataclasses import dataclass

from synctasks.database import CHUNK, Limits
from synctasks.engine.latecomers import look_once_more
from synctasks.engine.reconcile import reconcile
from synctasks.engine.refresh import runs
from synctasks.engine.refresh.chunk import Chunk
from synctasks.engine.refresh.plan import plan
from synctasks.engine.refresh.ranges import compare_next
from synctasks.engine.refresh.runs import Standing
from synctasks.errors import LaneBusy, PermanentError, TransientError
from synctasks.flow import Flow

# Planning stays so many ranges ahead of the comparing, no more.
_RANGES_AHEAD = 4


@dataclass(frozen=True)
class Step:
    """A step that was taken: whether it made work for others, where it saw pending changes."""

    made_work: bool = False
    pending_lane: int | None = None


def step(flow: Flow, lanes: int, limits: Limits = CHUNK) -> Step | None:
    """Take the flow's run one step further, starting it if it was only asked for.

    `limits` are those of a comparison or a chunk.

    None if there is nothing that this worker can do now. Raises SynctasksError.
    """
    standing = runs.standing(flow)
    if standing is None:
        return Step(made_work=True) if runs.start(flow) else None
    if standing.mismatched:
        runs.stop_mismatched(flow, standing)
        return Step()
    if _wants_plan(standing, lanes) and plan(flow, standing, lanes):
        return Step(made_work=True)
    return _work(flow, standing, lanes, limits)


def _wants_plan(standing: Standing, lanes: int) -> bool:
    if standing.phase == "source":
        return standing.open_ranges < _RANGES_AHEAD
    if standing.phase == "target":
        return standing.open_chunks < lanes
    return not standing.open_ranges and not standing.open_chunks


def _work(flow: Flow, standing: Standing, lanes: int, limits: Limits) -> Step | None:
    """A full chunk first, then a range; what is left in chunks when no range will add to it."""
    taken = _chunk(flow, standing, limits, last=False)
    if taken is None and standing.open_ranges and compare_next(flow, standing, lanes, limits):
        return Step(made_work=True)
    if taken is None and not standing.open_ranges and standing.phase != "source":
        return _chunk(flow, standing, limits, last=True)
    return taken


def _chunk(flow: Flow, standing: Standing, limits: Limits, *, last: bool) -> Step | None:
    if not standing.open_chunks:
        return None
    chunk = Chunk(flow, standing, limits, last=last)
    try:
        done = reconcile(flow, chunk)
        if done is None:
            return None
        came = look_once_more(flow, done.lane, chunk.new_waiting)
    except (PermanentError, LaneBusy) as error:
        chunk.give_back(error)
        return Step()
    except TransientError as error:
        chunk.give_back(error)
        raise
    return Step(pending_lane=done.lane if done.pending or came else None)
