"""The volume guard: a source that shrank by half is more likely broken than right."""

from __future__ import annotations

from synctasks import sql
from synctasks.database import CHUNK, Transaction, transaction
from synctasks.engine import absent
from synctasks.flow import Absent, Flow

# With fewer accepted runs than this, what the target holds is all there is to go by.
_FEW_RUNS = 3

_IN_SCOPE = """\
UPDATE synctasks.run
SET in_scope = (
    SELECT coalesce(sum(read - filtered), 0)
    FROM synctasks.chunk
    WHERE chunk.run = %(run)s
)
WHERE id = %(run)s
RETURNING in_scope
"""

_HOLD = "UPDATE synctasks.run SET removals_held = true WHERE id = %(run)s"

# The history begins anew with the last run that accepted a shrink.
_ACCEPTED = """\
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY in_scope), count(*)
FROM (
    SELECT in_scope
    FROM synctasks.run
    WHERE flow = %(flow)s
        AND kind = 'full'
        AND (units IS NULL) = (SELECT run.units IS NULL FROM synctasks.run WHERE run.id = %(run)s)
        AND state = 'succeeded'
        AND id >= coalesce(
            (
                SELECT max(id)
                FROM synctasks.run
                WHERE flow = %(flow)s AND accepts_shrink AND state = 'succeeded'
            ),
            0
        )
    ORDER BY id DESC
    LIMIT 7
) AS last
"""

_UNITS = "SELECT units::text FROM synctasks.run WHERE id = %(run)s"

# Of a run of some units, those units.
_AT_TARGET = """\
SELECT count(*)
FROM {table} AS target
WHERE {in_use}
    AND (
        %(units)s::text[] IS NULL
        OR target.{key} = ANY (array_remove(%(units)s::text[], '')::{key_type}[])
    )
"""


def trips(flow: Flow, run: int, source: Transaction) -> bool:
    """Whether a run, its source walked, found less in scope than half of what is usual.

    What it found is noted in the run.
    """
    in_scope: int = source.value(_IN_SCOPE, {"run": run})
    return in_scope * 2 < _usual(flow, run, source)


def hold_removals(run: int, source: Transaction) -> None:
    """Let the run remove nothing, and say so at its end."""
    source.execute(_HOLD, {"run": run})


def _usual(flow: Flow, run: int, source: Transaction) -> float:
    """How many records in scope are usual: the median of seven runs, else what the target holds."""
    wanted = {"flow": flow.name, "run": run}
    median, runs_accepted = source.row(_ACCEPTED, wanted) or (None, 0)
    if runs_accepted >= _FEW_RUNS:
        return float(median)
    units = source.value(_UNITS, wanted)
    if _holds_more(flow, units):
        return 0.0
    statement = _AT_TARGET.format(
        table=sql.name(flow.target.table),
        in_use=absent.in_use(flow),
        key=sql.name(flow.target.key),
        key_type=flow.key_column.type,
    )
    with transaction(flow.target.database, CHUNK) as target:
        return float(target.value(statement, {"units": units}))


def _holds_more(flow: Flow, units: str | None) -> bool:
    """Whether the target holds what the source does not tell: what others brought, every event that
    there ever was, days whose raw events are purged. Its size says nothing of the source then.
    """
    keeps_gone_units = flow.absent is Absent.DELETE_WITHIN and units is None
    return bool(flow.target.match or flow.source.log) or keeps_gone_units
