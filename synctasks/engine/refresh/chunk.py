"""A chunk: some keys of one lane within a run, as work for `reconcile`."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Sequence

from synctasks import breaker, dead_letters
from synctasks.counts import BOXES, COUNTS
from synctasks.database import Limits, Transaction, array, transaction
from synctasks.engine import history, letters, lock, turn, waiting
from synctasks.engine.batch import Batch
from synctasks.engine.books import Books
from synctasks.engine.letters import Letters
from synctasks.engine.refresh import claims
from synctasks.engine.refresh.hand_on import ALONE
from synctasks.engine.refresh.runs import Standing, mismatched
from synctasks.errors import PermanentError, SynctasksError, TransientError
from synctasks.flow import Flow
from synctasks.lane import PENDING_SQL, RUNS_SQL, lately_sql

# The lane's lock ends with the target's commit, a moment before the chunk is settled: the claim
# bridges that moment, and expires where its worker died.
_FREE = f"""\
run = %(run)s
    AND finished_at IS NULL
    AND (claimed_at IS NULL OR NOT {lately_sql("claimed_at", 10)})\
"""

# A chunk is due once it is full, or once nothing more will be added to it.
_OPEN_LANES = f"""\
SELECT DISTINCT lane
FROM synctasks.chunk
WHERE {_FREE} AND lane IS NOT NULL AND size >= %(full)s
"""

# Asked under the lane's lock, as a drain does: whoever pauses a flow waits for those who hold one.
_TAKE = f"""\
SET LOCAL synchronous_commit = off;
UPDATE synctasks.chunk
SET
    claimed_at = statement_timestamp(),
    claims = claims + CASE WHEN %(mine)s IS NULL THEN 1 ELSE 0 END
WHERE run = %(run)s
    AND number = coalesce(
        %(mine)s,
        (
            SELECT min(number)
            FROM synctasks.chunk
            WHERE lane = %(lane)s AND {_FREE} AND size >= %(full)s
        )
    )
    AND finished_at IS NULL
    AND {RUNS_SQL}
RETURNING number, phase, keys, claims
"""

# IS TRUE: hashed, not joined; see the engine's letters.
_UNMARK = """\
DELETE FROM synctasks.deferred
WHERE flow = %(flow)s
    AND (key IN (
        SELECT unnest(keys)
        FROM synctasks.chunk
        WHERE run = %(run)s AND number = %(number)s
    )) IS TRUE
"""

_SETTLE = f"""\
UPDATE synctasks.chunk
SET
    keys = NULL,
    leftover = %(leftover)s::text[],
    elapsed_ms = %(elapsed_ms)s,
    finished_at = clock_timestamp(),
    {", ".join(f"{count} = %({count})s" for count in COUNTS)}
WHERE run = %(run)s AND number = %(number)s AND finished_at IS NULL
RETURNING number
"""

# So many workers claim a chunk and are not heard of again, before it is taken apart.
_CLAIMS = 3

_IS_OPEN = """\
SELECT number
FROM synctasks.chunk
WHERE run = %(run)s AND number = %(number)s AND finished_at IS NULL
FOR UPDATE
"""

_SO_FAR = """\
SELECT coalesce(sum(read), 0)::bigint, coalesce(sum(rejected), 0)::bigint
FROM synctasks.chunk
WHERE run = %(run)s
"""


class Chunk:
    """The next due chunk of a run whose lane is free; `last`: those that are not full, too."""

    def __init__(self, flow: Flow, standing: Standing, limits: Limits, *, last: bool) -> None:
        self.limits = limits
        self._flow = flow
        self._run = standing.run
        self._full = 0 if last else standing.chunk_rows
        self._number: int | None = None
        self._keys: Sequence[str] = ()
        self._lane: int | None = None
        self.new_waiting: list[tuple[str, str]] = []
        self._phase = "source"
        self._letters = Letters()
        self._turn = 0
        self._began = time.monotonic()

    def enter(self, target: Transaction) -> int | None:
        if self._lane is not None:
            # Taken once more, since a row made it fail as a whole.
            lock.wait_for(target, self._flow, self._lane, self.limits)
            return self._lane
        with transaction(self._flow.source.database) as source:
            rows = source.rows(_OPEN_LANES, {"run": self._run, "full": self._full})
        open_lanes = [lane for (lane,) in rows]
        # In random order: workers that start together do not all ask for the same lane.
        random.shuffle(open_lanes)
        return lock.take_any(target, self._flow, open_lanes)

    def take(self, lane: int) -> tuple[int, Batch] | None:
        wanted = {"flow": self._flow.name, "run": self._run, "lane": lane, "full": self._full}
        with transaction(self._flow.source.database, self.limits) as source:
            row = source.row(_TAKE, {**wanted, "mine": self._number})
            if row is None:
                return None
            number, self._phase, self._keys, claims = row
            self._number, self._lane = number, lane
            if claims > _CLAIMS:
                self._leave_to_drains(source)
                return None
            self._letters = letters.of_chunk(self._flow, self._run, number, source)
            self._turn = turn.take(source, self._flow, lane)
        # What becomes of the units that have letters is asked for by name.
        named = self._letters.units
        return number, Batch(self._keys, remove=self._phase == "target", run=self._run, named=named)

    def _leave_to_drains(self, source: Transaction) -> None:
        """Workers died of the chunk: drains halve their batches until the guilty key is alone."""
        assert self._lane is not None
        turn.look_again(source, self._flow, self._lane, self._keys)
        settled = {"run": self._run, "number": self._number, "elapsed_ms": None}
        source.execute(_SETTLE, {**settled, "leftover": None, **Books().counts})

    def held(
        self, absent: Sequence[str], source: Transaction, target: Transaction
    ) -> Sequence[str]:
        """Nothing: a run's removals were judged as a whole, before the first of them."""
        return ()

    def settle(self, lane: int, taken: int, books: Books) -> bool:
        # Rows that a unit no longer has go in the second pass, once the guard has judged.
        leftover = list(dict.fromkeys(books.take_out("leftover")))
        elapsed_ms = round((time.monotonic() - self._began) * 1000)
        settled = {
            "run": self._run,
            "number": taken,
            "elapsed_ms": elapsed_ms,
            "leftover": array(leftover) if leftover else None,
        }
        with transaction(self._flow.source.database, self.limits) as source:
            if turn.end(source, self._flow, lane, self._turn):
                rejected = (letter.unit for letter in books.letters)
                doubtful = (*self._letters.units, *rejected, *books.keys.get("waiting", ()))
                turn.look_again(source, self._flow, lane, doubtful)
            else:
                self._mark(source, lane, taken, books)
            locked = books.keys.get("locked", ())
            turn.look_again(source, self._flow, lane, locked, seconds=1)
            waiting.wake(source, self._flow, self._keys)
            counts = self._counts(books)
            if source.row(_SETTLE, {**settled, **counts}):
                history.keep_of_run(source, self._flow, counts, lane=lane)
            source.execute(breaker.CLOSE, {"flow": self._flow.name})
            return bool(source.value(PENDING_SQL, {"flow": self._flow.name, "lane": lane}))

    def _counts(self, books: Books) -> dict[str, int]:
        """What was counted where the source was walked is not counted again in the second pass:
        what is out of scope, and of a wide unit everything but what goes.
        """
        if self._phase == "source":
            return books.counts
        again = BOXES if self._flow.wide else ("filtered",)
        counts = {**books.counts, **dict.fromkeys(again, 0)}
        return {**counts, "read": sum(counts[box] for box in BOXES)}

    def _mark(self, source: Transaction, lane: int, number: int, books: Books) -> None:
        """Put marks and letters as the keys now want them, if nobody else has closed the chunk.

        No letters where the contract does not fit: one message says so instead.
        """
        chunk = {"flow": self._flow.name, "run": self._run, "number": number}
        if source.row(_IS_OPEN, chunk) is None:
            return
        source.execute(_UNMARK, chunk)
        self.new_waiting = waiting.settle(source, self._flow, lane, books, keys=self._keys)
        # Of a wide unit the first pass has told already.
        told = self._phase == "target" and self._flow.wide
        if books.letters and not told and not self._mismatched(source, books):
            dead_letters.store(source, self._flow.name, books.letters)
        self._letters.settle(source, books, removing=self._phase == "target")

    def _mismatched(self, source: Transaction, books: Books) -> bool:
        """Whether the contract does not fit the run so far, this chunk and all before it."""
        so_far = source.row(ALONE + _SO_FAR, {"run": self._run})
        assert so_far is not None, "an aggregate returns a row"
        read, rejected = so_far
        counts = books.counts
        return mismatched(read + counts["read"], rejected + counts["rejected"])

    def give_back(self, error: SynctasksError) -> None:
        """Say what becomes of the chunk that was taken, if any was, after an error."""
        if self._number is None:
            return
        if isinstance(error, PermanentError):
            claims.fail(self._flow, self._run, self._number, error)
        else:
            # With the source itself gone, the claim expires instead.
            with contextlib.suppress(TransientError):
                claims.release(self._flow, self._run, self._number)
