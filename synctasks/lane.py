"""A lane: a hash share of a flow's keys, worked by one worker at a time."""

from __future__ import annotations

#: How many lanes a flow may have.
MOST_LANES = 64
# Of the ladder, and a little more.
_LONGEST_WAIT_SECONDS = 10


def lane_sql(key: str, lanes: int) -> str:
    """The lane of a key, as SQL: computed in the source only, so all paths agree on it."""
    return f"abs(mod(hashtextextended({key}, 0), {lanes}))::smallint"


def lately_sql(moment: str, seconds: int) -> str:
    """The condition that a moment of ours lies in the last `seconds`, or just ahead.

    One that lies further ahead than any wait of ours was noted before the server's clock was put
    back. It says nothing: believed, it would hold things up for as long.
    """
    return (
        f"{moment} BETWEEN statement_timestamp() - interval '{seconds} seconds' "
        f"AND statement_timestamp() + interval '{_LONGEST_WAIT_SECONDS} seconds'"
    )


def due_sql(change: str) -> str:
    """The condition under which a change may be worked on now; `change` is the row's alias."""
    ripe = f"({change}.not_before IS NULL OR NOT {lately_sql(f'{change}.not_before', 0)})"
    return f"(NOT {change}.rests AND {ripe})"


#: The condition that nobody has paused the flow, parameter `flow`: asked once a statement.
RUNS_SQL = """\
NOT (SELECT EXISTS (SELECT FROM synctasks.pause WHERE flow = %(flow)s AND resumed_at IS NULL))"""

# Whether changes of a lane are due: parameters `flow`, `lane`.
PENDING_SQL = f"""\
SELECT EXISTS (
    SELECT
    FROM synctasks.change_log AS change
    WHERE change.flow = %(flow)s
        AND change.lane = %(lane)s
        AND {due_sql("change")}
        AND {RUNS_SQL}
)
"""
