"""Changes: what is due in a lane, read under its lock, and who was there before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress

from synctasks.database import Transaction, array
from synctasks.engine import letters, turn
from synctasks.engine.books import Books
from synctasks.engine.letters import Letters
from synctasks.flow import Flow
from synctasks.lane import RUNS_SQL, due_sql

# All changes of a key within the window are taken together, so a hot key costs one write.
_WINDOW = 10_000
# A worker that dies so often over one single key has found its poison.
_DEATHS = 2
# How often a change is tried again by itself where its record's reference is missing.
LADDER_STEPS = 5

# Whoever was here before has neither settled nor given up: it died of the work, or was killed.
_DIED = "(started_at IS NOT NULL AND NOT %(again)s)"

# Not every one: it may live, between the target's commit, with which the lane's lock ends, and its
# settling. That costs a batch's size for a moment; but a record is buried only for deaths that are
# certain. So over a single key the first mark stands until it is old.
_CERTAIN = f"""\
({_DIED} AND batch_limit = 1 AND started_at < statement_timestamp() - interval '5 seconds')"""
_UNCERTAIN = f"({_DIED} AND batch_limit = 1 AND NOT {_CERTAIN})"

# The mark is there for a worker that dies, not for a server that does: it need not reach disk.
# Whoever finds nothing leaves none, since nobody would take it away.
_TAKE = f"""\
SET LOCAL synchronous_commit = off;
WITH due AS MATERIALIZED (
    SELECT change.id, change.key, change.origin, change.removal_accepted, change.attempts
    FROM synctasks.change_log AS change
    WHERE change.flow = %(flow)s
        AND change.lane = %(lane)s
        AND {due_sql("change")}
        AND {RUNS_SQL}
    ORDER BY change.id
    LIMIT {_WINDOW}
),
mark AS (
    UPDATE synctasks.lane
    SET
        started_at = CASE WHEN {_UNCERTAIN} THEN started_at ELSE statement_timestamp() END,
        turn = {turn.NEXT},
        batch_limit = CASE
            WHEN {_DIED} THEN greatest(1, batch_limit / 2)
            ELSE batch_limit
        END,
        deaths = CASE WHEN {_CERTAIN} THEN deaths + 1 ELSE deaths END
    WHERE flow = %(flow)s AND lane = %(lane)s AND EXISTS (SELECT FROM due)
    RETURNING batch_limit, turn, deaths
)
SELECT
    key,
    bool_and(origin = 'captured'),
    bool_or(removal_accepted),
    EXISTS (
        SELECT
        FROM synctasks.dead_letter
        WHERE flow = %(flow)s AND state <> 'resolved'
    ),
    array_agg(id),
    array_agg(id) FILTER (WHERE origin = 'captured' AND attempts < {LADDER_STEPS}),
    (SELECT mark.turn FROM mark),
    (SELECT mark.deaths FROM mark)
FROM due
GROUP BY key
ORDER BY min(id)
LIMIT (SELECT batch_limit FROM mark)
"""


@dataclass(frozen=True)
class Changes:
    """The due changes of a batch.

    By key: all ids, and those that are tried again by themselves where a reference is missing.
    Whether only captures ask for the key, in step; keys whose removal somebody has accepted; the
    dead letters of all of them; the lane's turn in which they were read. `poisonous` says that
    workers died of the one key that they are about.
    """

    turn: int
    captured: Sequence[bool]
    ids: Mapping[str, list[int]]
    patient: Mapping[str, list[int]]
    accepted: frozenset[str]
    letters: Letters
    poisonous: bool

    @property
    def keys(self) -> list[str]:
        return list(self.ids)

    def ids_of(self, keys: Iterable[str]) -> list[int]:
        return [each for key in keys for each in self.ids[key]]

    def postponed(self, books: Books) -> list[int]:
        """The changes that come again by themselves, after a while."""
        locked = self.ids_of(books.keys.get("locked", ()))
        waiting = books.keys.get("waiting", ())
        return locked + [each for key in waiting for each in self.patient[key]]


def take(
    source: Transaction, flow: Flow, where: Mapping[str, object], *, again: bool
) -> Changes | None:
    """The due changes of a lane, as many keys as its limit allows; None if there are none.

    `where` is flow and lane; `again` says that this worker has taken the lane before.
    """
    rows = source.rows(_TAKE, {**where, "again": again})
    if not rows:
        return None
    keys, captured, accepted, with_letters, ids, patient, turns, deaths = zip(*rows, strict=True)
    found = letters.of_keys(flow, array(keys), source) if any(with_letters) else Letters()
    return Changes(
        turn=turns[0],
        captured=captured,
        ids=dict(zip(keys, ids, strict=True)),
        patient={key: some or [] for key, some in zip(keys, patient, strict=True)},
        accepted=frozenset(compress(keys, accepted)),
        letters=found,
        poisonous=deaths[0] >= _DEATHS,
    )
