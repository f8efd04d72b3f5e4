"""Breakers: where a flow's source or target does not work, one probe now and then is enough.

A breaker opens when a lane has climbed its whole ladder in vain. While it is open nobody is sent
to the flow's lanes but a probe every 5 seconds; what succeeds first closes it. It is a row at the
flow's source: with the source itself gone there is nothing to send for anyhow.

Before that, where a side is only slow, one lane climbs for all of the flow's: each try may take
twice as long as the last, and the workers' other flows need their slots.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog

from synctasks.database import Transaction, transaction
from synctasks.flow import Flow
from synctasks.lane import lately_sql

log = structlog.get_logger()

PROBE_SECONDS = 5

_OPEN = """\
INSERT INTO synctasks.breaker (flow, side, reason)
VALUES (%(flow)s, %(side)s, %(reason)s)
ON CONFLICT (flow, side) DO UPDATE SET
    reason = EXCLUDED.reason,
    opened_at = EXCLUDED.opened_at,
    climber = NULL
"""

_SLOW = """\
INSERT INTO synctasks.breaker (flow, side, reason, climber)
VALUES (%(flow)s, %(side)s, %(reason)s, %(climber)s)
ON CONFLICT DO NOTHING
"""

_IS_OPEN = """\
SELECT EXISTS (
    SELECT
    FROM synctasks.breaker
    WHERE flow = %(flow)s AND climber IS NULL
)
"""

_ANOTHER_CLIMBS = """\
SELECT EXISTS (
    SELECT
    FROM synctasks.breaker
    WHERE flow = %(flow)s AND climber <> %(lane)s
)
"""

# For whoever has just done the flow's work; it is empty nearly always. Parameter `flow`.
CLOSE = "DELETE FROM synctasks.breaker WHERE flow = %(flow)s RETURNING side, climber"

# Where nothing is left to do, nobody can try any more; a climber's lane may have been emptied by
# others.
_IDLE = """\
DELETE FROM synctasks.breaker
WHERE NOT EXISTS (
        SELECT
        FROM synctasks.change_log AS change
        WHERE change.flow = breaker.flow
            AND (breaker.climber IS NULL OR change.lane = breaker.climber)
    )
    AND (
        breaker.climber IS NOT NULL
        OR NOT EXISTS (
            SELECT
            FROM synctasks.run
            WHERE run.flow = breaker.flow
                AND run.kind = 'full'
                AND run.state IN ('requested', 'running')
        )
    )
"""

# Many listeners may look: one of them gets it.
_PROBE = f"""\
UPDATE synctasks.breaker
SET probed_at = statement_timestamp()
WHERE climber IS NULL
    AND NOT {lately_sql("probed_at", PROBE_SECONDS)}
    AND flow NOT IN (SELECT pause.flow FROM synctasks.pause WHERE resumed_at IS NULL)
RETURNING flow
"""


def open_for(flow: Flow, place: str, reason: str) -> None:
    """Open the breaker of the flow's side at a database, if it is one of its sides."""
    if side := _note(flow, place, _OPEN, {"reason": reason}):
        log.error("breaker.opened", flow=flow.name, side=side, cause=reason)


def closed(flow: Flow, rows: Sequence[tuple[Any, ...]]) -> None:
    """Say so, given what `CLOSE` has returned."""
    for side, climber in rows:
        if climber is None:
            log.info("breaker.closed", flow=flow.name, side=side)


def let_climb(flow: Flow, place: str, reason: str, lane: int) -> None:
    """Let this lane climb for all of the flow's, unless another one does already."""
    _note(flow, place, _SLOW, {"reason": reason, "climber": lane})


def another_climbs(flow: Flow, lane: int) -> bool:
    """Whether another lane tries how long the work takes."""
    with transaction(flow.source.database) as source:
        return bool(source.value(_ANOTHER_CLIMBS, {"flow": flow.name, "lane": lane}))


def _note(flow: Flow, place: str, statement: str, what: dict[str, object]) -> str | None:
    """Note it of the side at this database; which one, or None if it is neither."""
    sides = {str(flow.source.database): "source", str(flow.target.database): "target"}
    side = sides.get(place)
    if side:
        with transaction(flow.source.database) as source:
            source.execute(statement, {"flow": flow.name, "side": side, **what})
    return side


def is_open(flow: Flow) -> bool:
    """Whether any side of the flow is known not to work."""
    with transaction(flow.source.database) as source:
        return bool(source.value(_IS_OPEN, {"flow": flow.name}))


def to_probe(source: Transaction) -> list[str]:
    """The flows of a database whose breakers are due for a probe, which is noted."""
    source.execute(_IDLE)
    return [flow for (flow,) in source.rows(_PROBE)]
