"""Following a full run of the demo's."""

from __future__ import annotations

import time
from datetime import datetime

from synctasks.cli.follow import follow
from synctasks.cli.output import console
from synctasks.counts import BOXES
from synctasks.demo import show
from synctasks.demo.failure import DemoFailed
from synctasks.demo.processes import Running
from synctasks.demo.watch import STUCK_SECONDS
from synctasks.flow import Flow


def watch_run(what: str, flow: Flow, run: int, processes: Running) -> None:
    """Follow a flow's full run. Raises DemoFailed if it fails or stands still."""
    with show.step(console, f"{what} of {flow.name}") as step:
        done, moved = 0, time.monotonic()
        for state in follow(flow, run):
            processes.check()
            if state["done"] != done:
                done, moved = state["done"], time.monotonic()
            elif time.monotonic() - moved > STUCK_SECONDS:
                raise DemoFailed(f"{flow.name}: the full refresh stands still at {done:,} records")
            total = max(state["expected"] or 0, state["planned"])
            step.note(f"{done:,} of {total:,}", done, total)
        if state["state"] != "succeeded":
            reason = f": {state['error']}" if state["error"] else ""
            raise DemoFailed(f"{flow.name}: the full refresh {state['state']}{reason}")
        boxes = ("read", *BOXES, "removed")
        step.result = ", ".join(f"{state[box]:,} {box}" for box in boxes if state[box])
        # It began before we came to look.
        step.seconds = _seconds_between(state["started_at"], state["finished_at"])


def _seconds_between(began: str, ended: str) -> float:
    """Between two times in ISO 8601."""
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds()
