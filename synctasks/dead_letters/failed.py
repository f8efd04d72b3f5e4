"""Letters of tasks that gave up: a notice that somebody should look; the changes stay pending."""

from __future__ import annotations

from synctasks.database import Transaction, transaction
from synctasks.dead_letters.letter import gave_up
from synctasks.dead_letters.store import store as store_letters
from synctasks.flow import Duty, Flow
from synctasks.lane import MOST_LANES

# The row's lock puts it in a line with those who settle the lane.
_LOCK = """\
SELECT
FROM synctasks.lane
WHERE flow = %(flow)s AND lane = %(lane)s
FOR UPDATE
"""

# Parameters `flow`, `task`.
CLOSE = """\
UPDATE synctasks.dead_letter
SET
    state = 'resolved',
    attempts = attempts || jsonb_build_object('at', statement_timestamp(), 'what', 'succeeded')
WHERE flow = %(flow)s
    AND kind = 'task'
    AND hashtextextended(record, 0) = hashtextextended(%(task)s, 0)
    AND hashtextextended(record, 1) = hashtextextended(%(task)s, 1)
    AND state <> 'resolved'
"""

_LANE_HAS_WORK = """\
SELECT EXISTS (
    SELECT
    FROM synctasks.change_log
    WHERE flow = %(flow)s AND lane = %(lane)s
)
"""

_RUN_HAS_WORK = """\
SELECT EXISTS (
    SELECT
    FROM synctasks.run
    WHERE flow = %(flow)s AND kind = 'full' AND state IN ('requested', 'running')
)
"""

REFRESH, SYNC = "refresh", str(Duty.SYNC)
_DRAIN = "drain of lane "


def drain_of(lane: int) -> str:
    """What the letter of a lane's drain is called."""
    return f"{_DRAIN}{lane}"


def lane_of(task: str) -> int | None:
    """The lane of a letter that is a drain's."""
    return int(task.removeprefix(_DRAIN)) if task.startswith(_DRAIN) else None


def is_known(task: str) -> bool:
    """Whether the letter of any task is called so."""
    return task in (REFRESH, *Duty, *map(drain_of, range(MOST_LANES)))


def store(flow: Flow, task: str, lane: int | None, error: str, trace: str) -> None:
    """Open the letter of a task, or count it again. Raises SynctasksError.

    The message may come late: where nothing is left of the task's work, somebody else has done
    it, and the letter is resolved at once. Of a duty's message the next success says so.
    """
    told = {"flow": flow.name, "lane": lane}
    with transaction(flow.source.database) as source:
        if lane is not None:
            source.execute(_LOCK, told)
        store_letters(source, flow.name, [gave_up(task, error, trace)])
        if task not in tuple(Duty):
            statement = _RUN_HAS_WORK if lane is None else _LANE_HAS_WORK
            if not source.value(statement, told):
                close(source, flow, task)


def close(source: Transaction, flow: Flow, task: str) -> None:
    """Resolve the letter of a task that has succeeded."""
    source.execute(CLOSE, {"flow": flow.name, "task": task})
