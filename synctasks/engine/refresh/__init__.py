"""Refresh: a full run of a flow.

Its progress is rows in PostgreSQL: a run, and chunks of keys of one lane each. Phase `source`
walks the source's keys, phase `target` the target's and takes those that the source no longer
has. Any number of workers call `step` until nothing is left; each step is short.
"""

from synctasks.engine.refresh.runs import (
    due_slot,
    request,
    start,
)
from synctasks.engine.refresh.step import step

__all__ = ["due_slot", "request", "start", "step"]
