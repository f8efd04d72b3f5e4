"""Turns: who held a lane when, so that nobody who settles late speaks of an older state.

A lane's lock ends with the target's commit, and what came of the work is written at the source a
moment later: another worker may take the lane and settle in between. So every holder takes a
number, under the lock. Whoever settles after a later number has settled leaves marks and letters
alone, and asks for his doubtful keys once more instead.
"""

from __future__ import annotations

from collections.abc import Iterable

from synctasks.database import Transaction, array
from synctasks.flow import Flow

# Numbers follow the clock, so that they grow even if a crashed server has forgotten the last ones.
NEXT = "greatest(turn + 1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)"

_TAKE = f"""\
UPDATE synctasks.lane
SET turn = {NEXT}
WHERE flow = %(flow)s AND lane = %(lane)s
RETURNING turn
"""

# For a statement with the parameters `flow`, `lane`, `turn`: `ended.overtaken` says whether a
# later turn has settled. The row's lock keeps the settling of a lane in a line.
ENDED = """\
before AS MATERIALIZED (
    SELECT settled_turn
    FROM synctasks.lane
    WHERE flow = %(flow)s AND lane = %(lane)s
    FOR UPDATE
),
ended AS (
    UPDATE synctasks.lane
    SET settled_turn = greatest(before.settled_turn, %(turn)s)
    FROM before
    WHERE flow = %(flow)s AND lane = %(lane)s
    RETURNING before.settled_turn > %(turn)s AS overtaken
)"""

_END = f"WITH {ENDED}\nSELECT overtaken FROM ended"

_LOOK_AGAIN = """\
INSERT INTO synctasks.change_log (flow, lane, key, operation, origin, not_before)
SELECT
    %(flow)s,
    %(lane)s,
    doubtful.key,
    'request',
    'repair',
    CASE WHEN %(seconds)s > 0 THEN clock_timestamp() + make_interval(secs => %(seconds)s) END
FROM unnest(%(keys)s::text[]) AS doubtful (key)
"""


def take(source: Transaction, flow: Flow, lane: int) -> int:
    """The number of the turn that begins now; the caller holds the lane."""
    number: int = source.value(_TAKE, {"flow": flow.name, "lane": lane})
    return number


def end(source: Transaction, flow: Flow, lane: int, turn: int) -> bool:
    """Settle a turn; True if a later one has settled already."""
    return bool(source.value(_END, {"flow": flow.name, "lane": lane, "turn": turn}))


def look_again(
    source: Transaction, flow: Flow, lane: int, keys: Iterable[str], *, seconds: int = 0
) -> None:
    """Ask for keys once more, in the transaction that leaves them as they are.

    `seconds` is how long they are left alone.
    """
    doubtful = sorted(set(keys))
    if doubtful:
        asked = {"flow": flow.name, "lane": lane, "keys": array(doubtful), "seconds": seconds}
        source.execute(_LOOK_AGAIN, asked)
