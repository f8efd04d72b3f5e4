"""The guard of removals by events: many at once are more likely a mistake than a wish.

It counts those of the last ten minutes together with those now pending, and what it has held
back already; what somebody accepted is not counted, nor what came before that.
"""

from __future__ import annotations

from synctasks import sql
from synctasks.database import Transaction, array
from synctasks.engine import absent, extract
from synctasks.flow import Flow

MOST = 1_000
MOST_SHARE = 0.2

_RECENT = """\
SELECT
    coalesce(sum(history.removed - history.accepted), 0)::bigint,
    (
        SELECT count(*)
        FROM (
            SELECT
            FROM synctasks.change_log
            WHERE flow = %(flow)s
            LIMIT %(enough)s
        ) AS pending
    ),
    (
        SELECT count(*)
        FROM (
            SELECT
            FROM synctasks.held
            WHERE flow = %(flow)s
            LIMIT %(enough)s
        ) AS held
    )
FROM synctasks.history
WHERE flow = %(flow)s
    AND minute > statement_timestamp() - interval '10 minutes'
"""

# The batch's own changes are still in the log, so they are counted here, too.
_PENDING = """\
SELECT count(*), array_agg(wanted.key) FILTER (WHERE {wide})
FROM (
    SELECT key FROM synctasks.held WHERE flow = %(flow)s
    UNION
    SELECT key
    FROM synctasks.change_log
    WHERE flow = %(flow)s AND NOT removal_accepted
) AS wanted
WHERE NOT EXISTS (
    SELECT
    FROM {records}
    WHERE {wanted_row} AND ({scope}) IS TRUE
)
"""

_ROWS_OF = """\
SELECT count(*)
FROM {table} AS target
WHERE target.{key} = ANY (array_remove(%(units)s::text[], '')::{key_type}[])
"""

# Counted no further than needed to know whether the share is small.
_AT_TARGET = """\
SELECT count(*)
FROM (
    SELECT
    FROM {table} AS target
    WHERE {in_use}
    LIMIT %(enough)s
) AS counted
"""


def too_many(flow: Flow, source: Transaction, target: Transaction) -> bool:
    """Whether the flow's removals exceed 1,000 rows and a fifth of its target."""
    row = source.row(_RECENT, {"flow": flow.name, "enough": MOST + 1})
    assert row is not None, "an aggregate returns a row"
    recent, pending, held = row
    if recent + (pending + held) * _rows_of_unit(flow) <= MOST:
        return False
    removals = recent + _pending(flow, source, target)
    if removals <= MOST:
        return False
    enough = int(removals / MOST_SHARE)
    left = target.value(_at_target_sql(flow), {"enough": enough})
    return bool(removals > MOST_SHARE * (left + recent))


def _rows_of_unit(flow: Flow) -> int:
    return flow.target.best.most if flow.target.best else 1


def _pending(flow: Flow, source: Transaction, target: Transaction) -> int:
    """How many rows are about to go with their units."""
    row = source.row(_pending_sql(flow), {"flow": flow.name})
    assert row is not None, "an aggregate returns a row"
    count, units = row
    if not flow.wide:
        return int(count)
    statement = _ROWS_OF.format(
        table=sql.name(flow.target.table),
        key=sql.name(flow.target.key),
        key_type=flow.key_column.type,
    )
    return int(target.value(statement, {"units": array(units or ())}))


def _pending_sql(flow: Flow) -> str:
    return _PENDING.format(
        wide=str(flow.wide).lower(),
        records=extract.records(flow),
        wanted_row=extract.wanted_row(flow),
        scope=extract.scope(flow),
    )


def _at_target_sql(flow: Flow) -> str:
    return _AT_TARGET.format(table=sql.name(flow.target.table), in_use=absent.in_use(flow))
