"""Keys by the lane that they are worked in."""

from __future__ import annotations

from collections.abc import Sequence

from synctasks.database import array, transaction
from synctasks.flow import Flow
from synctasks.lane import lane_sql

_BY_LANE = """\
SELECT grouped.lane, array_agg(grouped.key)
FROM (
    SELECT {lane} AS lane, found.key
    FROM unnest(%(keys)s::text[]) AS found (key)
) AS grouped
GROUP BY grouped.lane
"""


def by_lane(flow: Flow, lanes: int, keys: Sequence[str]) -> list[tuple[int, list[str]]]:
    """(lane, its keys): the source knows which lane a key is in."""
    statement = _BY_LANE.format(lane=lane_sql("found.key", lanes))
    with transaction(flow.source.database) as source:
        return [(lane, found) for lane, found in source.rows(statement, {"keys": array(keys)})]
