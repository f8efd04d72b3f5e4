"""Overwrite: what differs is written over the target's rows, each column by its own rule."""

from __future__ import annotations

from collections.abc import Iterator

from synctasks import sql
from synctasks.flow import Flow, OnUpdate

_WRITE = """\
written AS (
    INSERT INTO {table} AS target (
        {plain_columns}
    )
    SELECT
        {plain_columns}
    FROM differing
    WHERE NOT superseded
    ORDER BY {row_key}
    ON CONFLICT ({row_key}) DO UPDATE SET
        {assignments}
),
"""

# The row that was once made for a unit which comes to another one now: two rows of one person,
# until somebody makes them one. It keeps its time: it holds nothing new, and whoever has its number
# now may well come with an earlier state.
_FLAGGED = """\
flagged AS (
    UPDATE {table} AS made
    SET
        {assignments}
    FROM resolved AS staged
    JOIN differing ON differing.unit = staged.key AND NOT differing.superseded
    WHERE staged.verdict = 'pass'
        AND made.{key} = staged.made_key
        AND staged.made_key <> staged.{key}
        AND made.{review} IS DISTINCT FROM staged.{review}
),
"""

# Who waits in this database for what was written, is looked at again.
_WOKEN = """\
woken AS (
    INSERT INTO synctasks.change_log (flow, lane, key, operation, origin)
    SELECT waiting.flow, waiting.lane, waiting.unit, 'request', 'woken'
    FROM synctasks.waiting
    WHERE waiting.needs && (
        SELECT array_agg(announced.name)
        FROM (
            {names}
        ) AS announced (name)
    )
),
"""


def written_sql(flow: Flow) -> str:
    """The common table expression `written`: what differs, unless it is superseded."""
    return _WRITE.format(
        table=sql.name(flow.target.table),
        row_key=", ".join(map(sql.name, flow.target.row_key)),
        plain_columns=sql.names((column.name for column in flow.columns), indent=8),
        assignments=sql.lines(_assignments(flow), indent=8),
    )


def _assignments(flow: Flow) -> Iterator[str]:
    for column in flow.written:
        name = sql.name(column.name)
        if column.on_update is OnUpdate.FILL:
            yield f"{name} = coalesce(EXCLUDED.{name}, target.{name})"
        elif column.on_update is OnUpdate.LATEST:
            yield f"{name} = greatest(EXCLUDED.{name}, target.{name})"
        else:
            yield f"{name} = EXCLUDED.{name}"
    if flow.target.match:
        review, matched = sql.name(flow.target.match.review), sql.name(flow.target.match.column)
        yield (
            f"{review} = CASE WHEN target.{matched} IS DISTINCT FROM EXCLUDED.{matched}"
            f" THEN EXCLUDED.{review} ELSE target.{review} END"
        )


def flagged_sql(flow: Flow) -> str:
    """The common table expression `flagged`, of a match."""
    match = flow.target.match
    if match is None:
        return ""
    stamped = [column.name for column in flow.written if column.on_update is OnUpdate.STAMP]
    assignments = (
        f"{sql.name(each)} = staged.{sql.name(each)}" for each in (*stamped, match.review)
    )
    return _FLAGGED.format(
        table=sql.name(flow.target.table),
        key=sql.name(flow.target.key),
        review=sql.name(match.review),
        assignments=sql.lines(assignments, indent=8),
    )


def woken_sql(flow: Flow) -> str:
    """The common table expression `woken`: who waits at the target for what is written."""
    names = [
        f"SELECT {sql.literal(wake.kind + ' ')} || {sql.name(wake.column)}\n"
        "            FROM differing\n"
        f"            WHERE NOT superseded AND {sql.name(wake.column)} IS NOT NULL"
        for wake in flow.wakes
        if wake.column is not None
    ]
    if not names:
        return ""
    return _WOKEN.format(names=sql.lines(names, separator="\nUNION ALL", indent=12))
