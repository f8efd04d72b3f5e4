"""Following a run from outside: from its rows, and with an eye on whether any worker is there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from synctasks import dispatch
from synctasks.database import transaction
from synctasks.errors import SynctasksError
from synctasks.flow import Flow
from synctasks.lane import RUNS_SQL
from synctasks.monitoring.figures.runs import run_of

POLL_SECONDS = 0.1
WORKER_SECONDS = 10.0

# A full run that was asked for is dropped where a later request starts before it.
_ANSWER = """\
SELECT min(id)
FROM synctasks.run
WHERE flow = %(flow)s AND (id = %(run)s OR (id > %(run)s AND kind = 'full'))
"""


class NoWorker(SynctasksError):
    """No worker answered in time, or none may: the flow is paused."""


def follow(flow: Flow, run: int) -> Iterator[dict[str, Any]]:
    """The run's state ten times a second, until it has ended. Raises NoWorker.

    A request may be answered by a later one's run: what was asked for twice is run once.
    """
    asked = time.monotonic()
    seen_worker = False
    while True:
        with transaction(flow.source.database) as source:
            current = run_of(source, source.value(_ANSWER, {"flow": flow.name, "run": run}))
            runs = source.value(f"SELECT {RUNS_SQL}", {"flow": flow.name})
        yield current
        if current["finished_at"] is not None:
            return
        if not runs:
            raise NoWorker(
                f"{flow.name} is paused. The request stays, and is done when it goes on: "
                f"synctasks resume {flow.name}"
            )
        seen_worker = seen_worker or bool(current["done"])
        if not seen_worker and time.monotonic() - asked > WORKER_SECONDS:
            seen_worker = _worker_answers(flow)
        time.sleep(POLL_SECONDS)


def _worker_answers(flow: Flow) -> bool:
    """True if one does, else NoWorker is raised."""
    if dispatch.worker_answers():
        return True
    raise NoWorker(
        f"no worker answered within {WORKER_SECONDS:.0f} s. The request for {flow.name} stays: "
        "start one with `celery -A synctasks worker`, and see `synctasks status`"
    )
