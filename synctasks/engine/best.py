"""Best: of a wide unit's rows only some stay, chosen among what passes and what is there already.

A record that was refused keeps the row that it has, and one that is superseded keeps the later
row: both compete by what the target holds. As long as one record of a unit is not judged yet
nobody knows which rows are the best: the unit is `undecided`.
"""

from __future__ import annotations

from synctasks import sql
from synctasks.engine.resolve import is_later, same_row
from synctasks.flow import Flow

_RANKED = """\
undecided AS MATERIALIZED (
    SELECT DISTINCT key FROM {rows} WHERE verdict = 'judge'
),
ranked AS MATERIALIZED (
    SELECT
        placed.key,
        placed.record,
        CASE
            WHEN placed.verdict <> 'judge' AND placed.key IN (SELECT key FROM undecided)
                THEN 'undecided'
            WHEN placed.place <= {most} OR NOT placed.competes THEN placed.verdict
            WHEN placed.verdict = 'pass' THEN 'outranked'
            ELSE 'refused_outranked'
        END AS verdict,
        {columns}
    FROM (
        SELECT
            staged.*,
            standing.competes,
            row_number() OVER (
                PARTITION BY staged.key, standing.competes
                ORDER BY
                    CASE WHEN standing.stays THEN target.{score} ELSE staged.standing END
                        DESC NULLS LAST,
                    CASE WHEN standing.stays THEN target.{newest} ELSE staged.{newest} END
                        DESC NULLS LAST,
                    {rest}
            ) AS place
        FROM {rows} AS staged
        LEFT JOIN {table} AS target ON {same_row}
        CROSS JOIN LATERAL (
            SELECT
                staged.verdict = 'pass'
                    OR (staged.verdict = 'refused' AND target.{key} IS NOT NULL) AS competes,
                staged.verdict = 'refused'
                    OR (target.{key} IS NOT NULL AND NOT {is_later}) AS stays
        ) AS standing
    ) AS placed
),
"""


def ranked_sql(flow: Flow, rows: str) -> str:
    """The common table expressions up to `ranked`, made from the resolved rows; "" without best."""
    best, newest = flow.target.best, flow.target.newest
    if best is None or newest is None:
        return ""
    return _RANKED.format(
        rows=rows,
        most=best.most,
        columns=sql.names((column.name for column in flow.columns), of="placed", indent=8),
        score=sql.name(best.score),
        newest=sql.name(newest),
        rest=", ".join(f'staged.{sql.name(each)} COLLATE "C"' for each in flow.target.within),
        table=sql.name(flow.target.table),
        key=sql.name(flow.target.key),
        same_row=same_row(flow, "target", "staged"),
        is_later=is_later(flow, "staged", "target", or_same=flow.target.newest_ties),
    )
