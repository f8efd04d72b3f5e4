"""Handing keys on: they go into chunks of one lane each, until a chunk is full."""

from __future__ import annotations

from collections.abc import Mapping

from synctasks.database import Transaction
from synctasks.engine.refresh.runs import Standing
from synctasks.flow import Flow
from synctasks.lane import lane_sql

# One worker at a time adds chunks to a run: they are numbered, and two that add to each other's
# chunks could wait for each other. A statement of its own: the next one sees what others added.
ALONE = "SELECT pg_advisory_xact_lock(hashtextextended('synctasks run', %(run)s));\n"

# A chunk that a worker claims meanwhile takes no more keys: a new one begins.
_HAND_ON = """\
WITH selected AS MATERIALIZED (
{selection}
),
handed AS MATERIALIZED (
    SELECT in_lane.lane, in_lane.part, array_agg(in_lane.key) AS keys
    FROM (
        SELECT {lane} AS lane, {part} AS part, selected.key
        FROM selected
    ) AS in_lane
    GROUP BY in_lane.lane, in_lane.part
),
begun AS MATERIALIZED (
    SELECT lane, min(number) AS number
    FROM synctasks.chunk
    WHERE run = %(run)s
        AND phase = %(phase)s
        AND size < %(full)s
        AND claimed_at IS NULL
        AND finished_at IS NULL
    GROUP BY lane
),
added_to AS (
    UPDATE synctasks.chunk
    SET keys = chunk.keys || handed.keys, size = chunk.size + cardinality(handed.keys)
    FROM handed
    JOIN begun ON begun.lane = handed.lane AND handed.part = 0
    WHERE chunk.run = %(run)s
        AND chunk.number = begun.number
        AND chunk.claimed_at IS NULL
        AND chunk.finished_at IS NULL
    RETURNING chunk.lane
)
INSERT INTO synctasks.chunk (run, number, lane, phase, keys, size)
SELECT
    %(run)s,
    numbered.last + row_number() OVER (ORDER BY handed.lane, handed.part),
    handed.lane,
    %(phase)s,
    handed.keys,
    cardinality(handed.keys)
FROM handed,
(
    SELECT coalesce(max(number), 0) AS last
    FROM synctasks.chunk
    WHERE run = %(run)s
) AS numbered
WHERE handed.part > 0 OR handed.lane NOT IN (SELECT added_to.lane FROM added_to)
"""

# Where few units are a chunk's fill, one statement may hand on more of them.
_PARTS = "(row_number() OVER (PARTITION BY {lane}) - 1) / %(full)s"


def hand_on(
    source: Transaction,
    flow: Flow,
    standing: Standing,
    lanes: int,
    phase: str,
    selection: str,
    parameters: Mapping[str, object],
) -> None:
    """Put the keys that a statement selects (as `key`, text) into the run's chunks."""
    lane = lane_sql("selected.key", lanes)
    part = _PARTS.format(lane=lane) if flow.at_once else "0"
    statement = ALONE + _HAND_ON.format(selection=selection, lane=lane, part=part)
    own = {"run": standing.run, "phase": phase, "full": standing.chunk_rows}
    source.execute(statement, {**parameters, **own})
