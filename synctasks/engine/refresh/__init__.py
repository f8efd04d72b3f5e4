"""Refresh: a full run of a flow.

Its progress is rows in PostgreSQL: a run, ranges of the source's keys that are compared, and
chunks of keys of one lane each, which hold what the comparison could not settle. Phase `source`
walks the source's keys, phase `target` those of the target that the source no longer has. Any
number of workers call `step` until nothing is left; each step is short.
"""

from synctasks.engine.refresh.runs import request, start
from synctasks.engine.refresh.step import step

__all__ = ["request", "start", "step"]
