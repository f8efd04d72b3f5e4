"""A step of a run: plan a page or work a chunk, whichever is due."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from synctasks.database import transaction
from synctasks.engine.reconcile import reconcile
from synctasks.engine.refresh import runs
from synctasks.engine.refresh.chunk import Chunk
from synctasks.engine.refresh.plan import plan
from synctasks.errors import PermanentError, TransientError
from synctasks.flow import Flow

_OPEN_CHUNKS = """\
SELECT count(*)
FROM (
    SELECT
    FROM synctasks.chunk
    WHERE run = %(run)s AND finished_at IS NULL
    LIMIT %(enough)s
) AS open
"""


@dataclass(frozen=True)
class Step:
    """A step that was taken: whether it made work for others, where it saw pending changes."""

    planned: bool = False
    pending_lane: int | None = None


def step(flow: Flow, lanes: int) -> Step | None:
    """Take the flow's run one step further, starting it if it was only asked for.

    None if there is nothing that this worker can do now. Raises SynctasksError.
    """
    run = runs.active(flow) or runs.start(flow)
    if run is None:
        return None
    if _open_chunks(flow, run, enough=lanes) < lanes and plan(flow, run, lanes):
        return Step(planned=True)
    chunk = Chunk(flow, run)
    try:
        done = reconcile(flow, chunk)
    except PermanentError as error:
        chunk.fail(error)
        return Step()
    except TransientError:
        # With the source itself gone, the claim expires instead.
        with contextlib.suppress(TransientError):
            chunk.release()
        raise
    if done is None:
        return None
    return Step(pending_lane=done.lane if done.pending else None)


def _open_chunks(flow: Flow, run: int, *, enough: int) -> int:
    """How many chunks are open, counted up to `enough`: planning stays a page ahead, no more."""
    with transaction(flow.source.database) as source:
        return int(source.value(_OPEN_CHUNKS, {"run": run, "enough": enough}))
