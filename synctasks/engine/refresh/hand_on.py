"""Handing keys on: they go into chunks of one lane each, until a chunk is full."""

from __future__ import annotations

from collections.abc import Mapping

from synctasks.database import Transaction
from synctasks.engine.refresh.runs import Standing
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
    SELECT {lane} AS lane, array_agg(selected.key) AS keys
    FROM selected
    GROUP BY 1
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
    JOIN begun ON begun.lane = handed.lane
    WHERE chunk.run = %(run)s
        AND chunk.number = begun.number
        AND chunk.claimed_at IS NULL
        AND chunk.finished_at IS NULL
    RETURNING chunk.lane
)
INSERT INTO synctasks.chunk (run, number, lane, phase, keys, size)
SELECT
    %(run)s,
    numbered.last + row_number() OVER (ORDER BY handed.lane),
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
WHERE handed.lane NOT IN (SELECT added_to.lane FROM added_to)
"""


def hand_on(
    source: Transaction,
    standing: Standing,
    lanes: int,
    phase: str,
    selection: str,
    parameters: Mapping[str, object],
) -> None:
    """Put the keys that a statement selects (as `key`, text) into the run's chunks."""
    statement = ALONE + _HAND_ON.format(selection=selection, lane=lane_sql("selected.key", lanes))
    own = {"run": standing.run, "phase": phase, "full": standing.chunk_rows}
    source.execute(statement, {**parameters, **own})
