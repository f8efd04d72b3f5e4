"""Drain: work off the pending changes of a lane."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence

import structlog

from synctasks import breaker, dead_letters
from synctasks.counts import LATENCY_BOUNDS_MS
from synctasks.database import DRAIN, Limits, Transaction, array, transaction
from synctasks.dead_letters import crashed, failed
from synctasks.engine import changes, history, lock, removals, turn, waiting
from synctasks.engine.batch import Batch
from synctasks.engine.books import Books
from synctasks.engine.changes import Changes
from synctasks.engine.history import Forgotten
from synctasks.engine.latecomers import look_once_more
from synctasks.engine.reconcile import reconcile
from synctasks.flow import Flow
from synctasks.lane import PENDING_SQL

log = structlog.get_logger()

_FULL_BATCH = 500

# Whether a change's transaction went on for more than a second after the capture: the first of the
# listener's ticks after that second did not see it yet.
_OUTLIVED = """\
    SELECT NOT pg_visible_in_snapshot(change.transaction, tick.snapshot)
    FROM synctasks.tick
    WHERE tick.at > change.captured_at + interval '1 second'
    ORDER BY tick.at
    LIMIT 1\
"""

# Latency runs from the source's commit where the server tracks it, else from the capture, and
# is measured here, after the target's commit, so it errs on the long side; where it would count a
# long transaction's time, or that of a pause, it says nothing. Whether a later turn has settled is
# said even if nothing is forgotten.
_FORGET = f"""\
WITH {turn.ENDED},
forgotten AS (
    DELETE FROM synctasks.change_log AS change
    WHERE flow = %(flow)s AND lane = %(lane)s AND id = ANY (%(ids)s)
    RETURNING
        key,
        run,
        CASE WHEN origin = 'captured' THEN captured_at::date END AS captured_on,
        CASE
            WHEN origin <> 'captured'
                OR not_before IS NOT NULL
                OR removal_accepted
                OR key = ANY (%(deferred)s::text[])
                OR captured_at < (SELECT resumed_at FROM synctasks.pause WHERE flow = %(flow)s)
            THEN NULL
            WHEN current_setting('track_commit_timestamp')::boolean
            THEN pg_xact_commit_timestamp(transaction::xid)
            WHEN captured_at < statement_timestamp() - interval '1 second' AND ({_OUTLIVED})
            THEN NULL
            ELSE captured_at
        END AS committed_at
)
SELECT
    ended.overtaken,
    forgotten.key,
    count(*),
    array_agg(forgotten.run) FILTER (WHERE forgotten.run IS NOT NULL),
    array_agg(
        width_bucket(
            extract(epoch FROM clock_timestamp() - forgotten.committed_at) * 1000,
            %(bounds)s::numeric[]
        )
    ) FILTER (WHERE forgotten.committed_at IS NOT NULL),
    count(*) FILTER (WHERE forgotten.captured_on >= statement_timestamp()::date),
    array_agg(forgotten.captured_on)
        FILTER (WHERE forgotten.captured_on < statement_timestamp()::date)
FROM ended
LEFT JOIN forgotten ON true
GROUP BY ended.overtaken, forgotten.key
"""

# A success: the lane grows to its batches' full size again, and what said that it failed is over.
_SETTLE = f"""\
UPDATE synctasks.lane
SET
    started_at = NULL,
    retry_at = NULL,
    deaths = 0,
    batch_limit = least(batch_limit * 2, {_FULL_BATCH})
WHERE flow = %(flow)s AND lane = %(lane)s;

{failed.CLOSE};

{breaker.CLOSE}
"""

# The ladder of a single record: 1, 2, 4, 8, 8 s, then every 8 s.
_POSTPONE = """\
UPDATE synctasks.change_log
SET
    attempts = least(attempts + 1, 100),
    not_before = clock_timestamp() + make_interval(secs => least(8, 2 ^ least(attempts, 3)))
WHERE flow = %(flow)s AND lane = %(lane)s AND id = ANY (%(ids)s)
"""

_MARK = """\
DELETE FROM synctasks.held
WHERE flow = %(flow)s AND key = ANY (%(keys)s::text[]);

DELETE FROM synctasks.deferred
WHERE flow = %(flow)s AND key = ANY (%(keys)s::text[]) AND key <> ALL (%(deferred)s::text[]);

INSERT INTO synctasks.deferred (flow, key)
SELECT %(flow)s, key
FROM unnest(%(deferred)s::text[]) AS held_back (key)
ON CONFLICT DO NOTHING
"""

_HOLD = """\
WITH moved AS (
    DELETE FROM synctasks.change_log
    WHERE flow = %(flow)s AND lane = %(lane)s AND id = ANY (%(ids)s)
    RETURNING key, captured_at, run
),
held AS (
    INSERT INTO synctasks.held (flow, lane, key, captured_at)
    SELECT %(flow)s, %(lane)s, key, min(captured_at)
    FROM moved
    GROUP BY key
    ON CONFLICT DO NOTHING
)
SELECT run, count(DISTINCT key)
FROM moved
WHERE run IS NOT NULL
GROUP BY run
"""


class Drain:
    """The pending changes of one lane, as work for `reconcile`."""

    def __init__(self, flow: Flow, lane: int, limits: Limits = DRAIN) -> None:
        self.limits = limits
        self._flow = flow
        self._lane = lane
        self._where = {"flow": flow.name, "lane": lane, "task": failed.drain_of(lane)}
        self._again = False
        self._accepted: frozenset[str] = frozenset()
        self.new_waiting: list[tuple[str, str]] = []
        self.counts: Mapping[str, int] = {}

    def enter(self, target: Transaction) -> int | None:
        lock.wait_for(target, self._flow, self._lane, self.limits)
        return self._lane

    def take(self, lane: int) -> tuple[Changes, Batch] | None:
        with transaction(self._flow.source.database, self.limits) as source:
            taken = changes.take(source, self._flow, self._where, again=self._again)
            self._again = True
            if taken is None:
                return None
            if taken.poisonous:
                self._bury(source, taken)
                return None
        self._accepted = taken.accepted
        return taken, Batch(taken.keys, taken.captured)

    def _bury(self, source: Transaction, taken: Changes) -> None:
        """Workers died of this one key: it is set aside, and nobody touches it again."""
        books = Books()
        books.reject([crashed(key) for key in taken.ids])
        forgotten, _ = self._forget(source, taken, taken.ids_of(taken.ids), books)
        dead_letters.store(source, self._flow.name, books.letters)
        breaker.closed(self._flow, source.rows(_SETTLE, self._where))
        history.keep(source, self._where, forgotten, books, frozenset())

    def held(
        self, absent: Sequence[str], source: Transaction, target: Transaction
    ) -> Sequence[str]:
        unaccepted = [key for key in absent if key not in self._accepted]
        if unaccepted and removals.too_many(self._flow, source, target):
            return unaccepted
        return ()

    def settle(self, lane: int, taken: Changes, books: Books) -> bool:
        held = books.keys.get("held", ())
        postponed = taken.postponed(books)
        gone = set(taken.ids_of(taken.ids)).difference(postponed, taken.ids_of(held))
        with transaction(self._flow.source.database, self.limits) as source:
            forgotten, overtaken = self._forget(source, taken, gone, books)
            ours = books.only(each.key for each in forgotten)
            if overtaken:
                self._look_again(source, taken, ours)
            else:
                self._mark(source, taken, forgotten, books, ours)
            breaker.closed(self._flow, source.rows(_SETTLE, self._where))
            if postponed:
                source.execute(_POSTPONE, {**self._where, "ids": postponed})
            if held:
                log.warning("removals.held", flow=self._flow.name, lane=lane, removals=len(held))
                self._hold(source, taken.ids_of(held))
            staying = {*books.keys.get("waiting", ()), *held} - {each.key for each in forgotten}
            # What was done of a wide unit whose changes stay is not there to be counted later.
            ours.add(books.only(staying).only_boxes("written", "removed"))
            if forgotten:
                waiting.wake(source, self._flow, [each.key for each in forgotten])
            self.counts = ours.counts
            if forgotten or ours.keys:
                history.keep(source, self._where, forgotten, ours, taken.accepted)
            return bool(source.value(PENDING_SQL, self._where))

    def _look_again(self, source: Transaction, taken: Changes, ours: Books) -> None:
        """Somebody has settled a later state: the keys that want marks are looked at once more."""
        doubtful = {*taken.letters.units, *(letter.unit for letter in ours.letters)}
        doubtful.update(*(ours.keys.get(box, ()) for box in ("deferred", "waiting")))
        mine = {key for keys in ours.keys.values() for key in keys}
        turn.look_again(source, self._flow, self._lane, doubtful & mine)

    def _forget(
        self, source: Transaction, taken: Changes, ids: Iterable[int], books: Books
    ) -> tuple[list[Forgotten], bool]:
        """Forget the changes; of which keys they were, and whether a later turn has settled."""
        wanted = {
            "turn": taken.turn,
            "ids": list(ids),
            "deferred": array(books.keys.get("deferred", ())),
            "bounds": list(LATENCY_BOUNDS_MS),
        }
        rows = source.rows(_FORGET, {**self._where, **wanted})
        forgotten = [
            Forgotten(
                key, changes, frozenset(runs or ()), tuple(buckets or ()), today, tuple(days or ())
            )
            for _, key, changes, runs, buckets, today, days in rows
            if key is not None
        ]
        return forgotten, rows[0][0]

    def _mark(
        self,
        source: Transaction,
        taken: Changes,
        forgotten: Sequence[Forgotten],
        books: Books,
        ours: Books,
    ) -> None:
        """Put marks and letters as the keys now want them, `ours` those that were forgotten."""
        keys = [each.key for each in forgotten]
        forgotten_keys = set(keys)
        trying = [
            (key, record)
            for key, record in books.named("waiting")
            if taken.patient[key] and key not in forgotten_keys
        ]
        self.new_waiting = waiting.settle(
            source, self._flow, self._lane, ours, keys=keys, trying=trying
        )
        if not keys:
            return
        deferred = ours.keys.get("deferred", ())
        source.execute(_MARK, {**self._where, "keys": array(keys), "deferred": array(deferred)})
        dead_letters.store(source, self._flow.name, ours.letters)
        taken.letters.settle(source, ours, removing=True, units=set(keys))

    def _hold(self, source: Transaction, ids: list[int]) -> None:
        """Put changes aside whose removals are held; a run that asked for them has its answer."""
        for run, units in source.rows(_HOLD, {**self._where, "ids": ids}):
            history.answer(source, run, units, Books(), held=True)


def drain(flow: Flow, lane: int, limits: Limits = DRAIN) -> bool:
    """Work off one batch of a lane's changes within these limits. True if more is pending.

    Raises LaneBusy while another worker holds the lane, and SynctasksError.
    """
    work = Drain(flow, lane, limits)
    began = time.monotonic()
    done = reconcile(flow, work)
    ms = round((time.monotonic() - began) * 1000)
    if done is not None:
        log.debug("drain.done", flow=flow.name, lane=lane, ms=ms, **work.counts)
    came = look_once_more(flow, lane, work.new_waiting)
    return done is not None and (done.pending or came)
