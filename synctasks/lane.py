"""A lane: a hash share of a flow's keys, worked by one worker at a time."""

from __future__ import annotations


def lane_sql(key: str, lanes: int) -> str:
    """The lane of a key, as SQL: computed in the source only, so all paths agree on it."""
    return f"abs(mod(hashtextextended({key}, 0), {lanes}))::smallint"


def due_sql(change: str) -> str:
    """The condition under which a change may be worked on now; `change` is the row's alias."""
    return f"({change}.not_before IS NULL OR {change}.not_before <= statement_timestamp())"


# Whether changes of a lane are due: parameters `flow`, `lane`.
PENDING_SQL = f"""\
SELECT EXISTS (
    SELECT
    FROM synctasks.change_log AS change
    WHERE change.flow = %(flow)s AND change.lane = %(lane)s AND {due_sql("change")}
)
"""
