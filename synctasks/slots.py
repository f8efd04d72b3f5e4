"""Slots: the times at which something of a flow is due, for each of its duties.

Whoever inserts a slot's row asks for what is due, so that two beats, or one that repeats itself,
are harmless. Of the slots that were missed the newest is made up, once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import singledispatch
from typing import Any

import structlog

from synctasks import rounds, sql
from synctasks.database import CHUNK, Transaction, array, transaction
from synctasks.flow import Aged, Captured, Duty, Flow, Round, Selected
from synctasks.lane import RUNS_SQL, lane_sql

log = structlog.get_logger()

# What was due before we were installed was nobody's to run; a paused flow's slot is made up later.
_TAKE = f"""\
INSERT INTO synctasks.slot (flow, duty, due_at)
SELECT %(flow)s, %(duty)s, %(due)s
FROM synctasks.installation
WHERE installation.installed_at < %(due)s AND {RUNS_SQL}
ON CONFLICT DO NOTHING
RETURNING due_at
"""

_NOTE_RUN = """\
UPDATE synctasks.slot
SET run = %(run)s
WHERE flow = %(flow)s AND duty = %(duty)s AND due_at = %(due)s
"""

_ASK = """\
INSERT INTO synctasks.run (flow, reason)
VALUES (%(flow)s, %(reason)s)
RETURNING id
"""

# The last slot whose run succeeded: what was due since then and was not done is asked for again.
_LAST = """\
SELECT coalesce(
    (
        SELECT max(slot.due_at)
        FROM synctasks.slot
        JOIN synctasks.run ON run.id = slot.run
        WHERE slot.flow = %(flow)s
            AND slot.duty = %(duty)s
            AND slot.due_at < %(due)s
            AND run.state = 'succeeded'
    ),
    (SELECT installation.installed_at FROM synctasks.installation)
)
"""

_ASK_FOR_SELECTED = """\
INSERT INTO synctasks.run (flow, reason, units)
SELECT %(flow)s, %(reason)s, coalesce(array_agg(selected.key), '{{}}')
FROM (
{units}
) AS selected
RETURNING id
"""

_BEGIN = """\
INSERT INTO synctasks.run (flow, kind, reason, state, phase, started_at)
VALUES (%(flow)s, 'slot', %(reason)s, 'running', 'finish', clock_timestamp())
RETURNING id
"""

# Due from now on, and not late by what it rested.
_RELEASE = """\
WITH released AS (
    UPDATE synctasks.change_log
    SET rests = false, not_before = clock_timestamp(), run = %(run)s
    WHERE flow = %(flow)s AND rests
    RETURNING key
)
SELECT count(DISTINCT key) FROM released
"""

_AGED = """\
SELECT DISTINCT target.{key}::text AS key
FROM {table} AS target
WHERE ({condition}) AND target.{key}::text > %(low)s
ORDER BY key
LIMIT {page}
"""

_REQUEST = """\
INSERT INTO synctasks.change_log (flow, lane, key, operation, origin, run)
SELECT %(flow)s, {lane}, aged.key, 'request', 'repair', %(run)s
FROM unnest(%(keys)s::text[]) AS aged (key)
"""

_PAGE = 10_000

_PLAN = """\
UPDATE synctasks.run
SET
    planned = %(planned)s,
    state = CASE WHEN %(planned)s = 0 THEN 'succeeded' ELSE 'running' END,
    finished_at = CASE WHEN %(planned)s = 0 THEN clock_timestamp() END
WHERE id = %(run)s
"""


@dataclass(frozen=True)
class Slot:
    """A slot that was taken: its run, and whether that is worked in chunks, steps or by drains."""

    duty: Duty
    run: int
    in_chunks: bool


def take(flow: Flow, duty: Duty, now: datetime) -> Slot | None:
    """Take the newest slot of a flow's duty and ask for what is due; None if it is taken.

    A full run that is under way is no answer: what it has read already may have changed since. A
    round that is goes on. Raises SynctasksError.
    """
    schedule = flow.duties[duty]
    due = schedule.latest(now)
    asked = {
        "flow": flow.name,
        "duty": str(duty),
        "due": due,
        "reason": f"scheduled for {due:%Y-%m-%d %H:%M} UTC",
    }
    with transaction(flow.source.database, CHUNK) as source:
        if source.row(_TAKE, asked) is None:
            return None
        run = _ask_for(schedule.asks_for, flow, source, asked)
        source.execute(_NOTE_RUN, {**asked, "run": run})
    log.info("slot.taken", flow=flow.name, duty=str(duty), due=f"{due:%Y-%m-%d %H:%M}", run=run)
    return Slot(duty, run, in_chunks=not isinstance(schedule.asks_for, Captured | Aged | Round))


@singledispatch
def _ask_for(_: object, flow: Flow, source: Transaction, asked: dict[str, Any]) -> int:
    """Ask for everything."""
    run: int = source.value(_ASK, asked)
    return run


@_ask_for.register
def _(selected: Selected, flow: Flow, source: Transaction, asked: dict[str, Any]) -> int:
    last = source.value(_LAST, asked)
    statement = _ASK_FOR_SELECTED.format(units=selected.units)
    run: int = source.value(statement, {**asked, "last": last})
    return run


@_ask_for.register
def _(round: Round, flow: Flow, source: Transaction, asked: dict[str, Any]) -> int:
    return rounds.begin(source, flow, round.duty, asked["reason"], anew=False)


@_ask_for.register
def _(captured: Captured, flow: Flow, source: Transaction, asked: dict[str, Any]) -> int:
    run: int = source.value(_BEGIN, asked)
    planned = source.value(_RELEASE, {**asked, "run": run})
    source.execute(_PLAN, {"run": run, "planned": planned})
    return run


@_ask_for.register
def _(aged: Aged, flow: Flow, source: Transaction, asked: dict[str, Any]) -> int:
    run: int = source.value(_BEGIN, asked)
    lanes = source.value(
        "SELECT count(*) FROM synctasks.lane WHERE flow = %(flow)s", {"flow": flow.name}
    )
    statement = _REQUEST.format(lane=lane_sql("aged.key", lanes))
    planned = 0
    for keys in _aged(aged, flow):
        source.execute(statement, {**asked, "run": run, "keys": array(keys)})
        planned += len(keys)
    source.execute(_PLAN, {"run": run, "planned": planned})
    return run


def _aged(aged: Aged, flow: Flow) -> Iterator[list[str]]:
    """The units at the target that have aged, some at a time."""
    statement = _AGED.format(
        key=sql.name(flow.target.key),
        table=sql.name(flow.target.table),
        condition=aged.condition,
        page=_PAGE,
    )
    low = ""
    while True:
        with transaction(flow.target.database, CHUNK) as target:
            keys = [key for (key,) in target.rows(statement, {"low": low})]
        if keys:
            yield keys
        if len(keys) < _PAGE:
            return
        low = keys[-1]
