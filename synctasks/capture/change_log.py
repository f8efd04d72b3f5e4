"""The change log at a flow's source: what is pending, and what is asked for beside captures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from synctasks.audit import Act
from synctasks.database import Transaction, array, transaction
from synctasks.errors import SetupError
from synctasks.flow import Flow
from synctasks.lane import PENDING_SQL, due_sql, lane_sql, lately_sql

_REQUEST = """\
WITH run AS (
    INSERT INTO synctasks.run (flow, kind, reason, state, phase, started_at, planned)
    VALUES (
        %(flow)s, 'keys', %(origin)s, 'running', 'finish', clock_timestamp(),
        (SELECT count(DISTINCT key) FROM unnest(%(keys)s::text[]) AS asked (key))
    )
    RETURNING id
),
logged AS (
    INSERT INTO synctasks.change_log (flow, lane, key, operation, origin, run)
    SELECT DISTINCT %(flow)s, {lane}, asked.key, 'request', %(origin)s, run.id
    FROM unnest(%(keys)s::text[]) AS asked (key), run
    RETURNING lane
)
SELECT run.id, (SELECT array_agg(DISTINCT lane) FROM logged)
FROM run
"""

_LANES = "SELECT count(*) FROM synctasks.lane WHERE flow = %(flow)s"

# One index probe a lane. A lane in its retry ladder is left alone, unless its retry is overdue:
# then the message was lost.
_PENDING_LANES = f"""\
SELECT
    lane.flow,
    lane.lane,
    oldest.age_seconds,
    coalesce(lane.started_at > clock_timestamp() - interval '5 seconds', false)
FROM synctasks.lane
CROSS JOIN LATERAL (
    SELECT extract(epoch FROM clock_timestamp() - change.captured_at)::float AS age_seconds
    FROM synctasks.change_log AS change
    WHERE change.flow = lane.flow AND change.lane = lane.lane AND {due_sql("change")}
    ORDER BY change.id
    LIMIT 1
) AS oldest
WHERE NOT EXISTS (
        SELECT
        FROM synctasks.pause
        WHERE pause.flow = lane.flow AND pause.resumed_at IS NULL
    )
    AND (lane.retry_at IS NULL OR NOT {lately_sql("lane.retry_at", 2)})
    AND NOT EXISTS (
        SELECT
        FROM synctasks.breaker
        WHERE breaker.flow = lane.flow AND breaker.climber IS DISTINCT FROM lane.lane
    )
"""

# The lane to try where a flow's breaker is open: the one that has waited longest. One index probe a
# lane here, too: while a breaker is open, changes pile up.
_PROBE_LANE = """\
SELECT lane.lane
FROM synctasks.lane
CROSS JOIN LATERAL (
    SELECT change.captured_at
    FROM synctasks.change_log AS change
    WHERE change.flow = lane.flow AND change.lane = lane.lane AND NOT change.rests
    ORDER BY change.id
    LIMIT 1
) AS oldest
WHERE lane.flow = %(flow)s
ORDER BY oldest.captured_at
LIMIT 1
"""

_RETRY = """\
UPDATE synctasks.lane
SET started_at = NULL, retry_at = clock_timestamp() + make_interval(secs => %(seconds)s)
WHERE flow = %(flow)s AND lane = %(lane)s
"""


@dataclass(frozen=True)
class PendingLane:
    """A lane with changes that are due: the oldest one's age, and whether a drain is at it."""

    flow: str
    lane: int
    age_seconds: float
    in_work: bool


def request(
    flow: Flow, keys: Sequence[str], origin: str, *, act: Act | None = None
) -> tuple[int, list[int]]:
    """Put keys into the change log as a run of their own: (its id, the lanes they are in).

    `origin` says who asks (key, replay, repair, callback, woken); if a person does, `act` is
    noted. Raises SetupError for a malformed key that somebody typed, before anything is written.
    """
    for key in keys if origin == "key" else ():
        if problem := flow.source.key_problem(key):
            raise SetupError(
                thing=f"key {key[:80]!r} of flow {flow.name}",
                cause=problem,
                remedy=f"A key is the source's {flow.source.key} ({flow.source.key_type})",
            )
    statement = _REQUEST.replace("{lane}", lane_sql("asked.key", lane_count(flow)))
    parameters = {"flow": flow.name, "keys": array(keys), "origin": origin}
    with transaction(flow.source.database) as source:
        row = source.row(statement, parameters)
        assert row is not None, "the statement returns the run it inserts"
        if act:
            act.note(source, flow.name, row[0])
        return row[0], list(row[1] or ())


def lane_count(flow: Flow) -> int:
    """How many lanes the flow was installed with. Raises SetupError if it was not."""
    with transaction(flow.source.database) as source:
        lanes: int = source.value(_LANES, {"flow": flow.name})
    if not lanes:
        raise SetupError(f"flow {flow.name}", "it is not installed", "Run: synctasks install")
    return lanes


def pending(flow: Flow, lane: int) -> bool:
    """Whether changes of the lane are due."""
    with transaction(flow.source.database) as source:
        return bool(source.value(PENDING_SQL, {"flow": flow.name, "lane": lane}))


def pending_lanes(source: Transaction) -> list[PendingLane]:
    """All lanes of a database with changes that are due."""
    return [PendingLane(*row) for row in source.rows(_PENDING_LANES)]


def probe_lane(source: Transaction, flow: str) -> int | None:
    """The lane by which a flow is tried whose breaker is open; None if nothing is pending."""
    row = source.row(_PROBE_LANE, {"flow": flow})
    return row[0] if row else None


def retry_in(flow: Flow, lane: int, seconds: float) -> None:
    """Let nobody start the lane before its retry, due in so many seconds."""
    with transaction(flow.source.database) as source:
        source.execute(_RETRY, {"flow": flow.name, "lane": lane, "seconds": seconds})
