"""A chunk: some keys of one lane within a run, as work for `reconcile`."""

from __future__ import annotations

import random
import time

from synctasks.database import CHUNK, Limits, Transaction, transaction
from synctasks.engine import lock
from synctasks.engine.batch import Batch
from synctasks.engine.books import COUNTS, Books
from synctasks.errors import SynctasksError
from synctasks.flow import Flow
from synctasks.lane import PENDING_SQL

# The lane's lock ends with the target's commit, a moment before the chunk is settled: the claim
# bridges that moment, and expires where its worker died.
_FREE = """\
run = %(run)s
    AND finished_at IS NULL
    AND (claimed_at IS NULL OR claimed_at < statement_timestamp() - interval '10 seconds')\
"""

_OPEN_LANES = f"""\
SELECT DISTINCT lane
FROM synctasks.chunk
WHERE {_FREE}
"""

_TAKE = f"""\
SET LOCAL synchronous_commit = off;
UPDATE synctasks.chunk
SET claimed_at = statement_timestamp()
WHERE run = %(run)s
    AND number = (
        SELECT min(number)
        FROM synctasks.chunk
        WHERE lane = %(lane)s AND {_FREE}
    )
RETURNING number, phase, keys
"""

_SETTLE = f"""\
DELETE FROM synctasks.deferred
WHERE flow = %(flow)s
    AND key IN (
        SELECT unnest(keys)
        FROM synctasks.chunk
        WHERE run = %(run)s AND number = %(number)s
    );

UPDATE synctasks.chunk
SET
    keys = NULL,
    elapsed_ms = %(elapsed_ms)s,
    finished_at = clock_timestamp(),
    {", ".join(f"{count} = %({count})s" for count in COUNTS)}
WHERE run = %(run)s AND number = %(number)s AND finished_at IS NULL
"""

_RELEASE = """\
UPDATE synctasks.chunk
SET claimed_at = NULL
WHERE run = %(run)s AND number = %(number)s AND finished_at IS NULL
"""

_FAIL = """\
UPDATE synctasks.chunk
SET error = %(error)s, finished_at = clock_timestamp()
WHERE run = %(run)s AND number = %(number)s AND finished_at IS NULL
"""


class Chunk:
    """The next open chunk of a run whose lane is free."""

    limits: Limits = CHUNK

    def __init__(self, flow: Flow, run: int) -> None:
        self._flow = flow
        self._run = run
        self._number: int | None = None
        self._began = time.monotonic()

    def enter(self, target: Transaction) -> int | None:
        with transaction(self._flow.source.database) as source:
            open_lanes = [lane for (lane,) in source.rows(_OPEN_LANES, {"run": self._run})]
        # In random order: workers that start together do not all ask for the same lane.
        random.shuffle(open_lanes)
        return lock.take_any(target, self._flow, open_lanes)

    def take(self, lane: int) -> tuple[int, Batch] | None:
        with transaction(self._flow.source.database, self.limits) as source:
            row = source.row(_TAKE, {"run": self._run, "lane": lane})
        if row is None:
            return None
        number, phase, keys = row
        self._number = number
        return number, Batch(keys, remove=phase == "target", with_keys=False)

    def settle(self, lane: int, taken: int, books: Books) -> bool:
        settled = {
            "flow": self._flow.name,
            "run": self._run,
            "number": taken,
            "elapsed_ms": max(1, round((time.monotonic() - self._began) * 1000)),
        }
        with transaction(self._flow.source.database, self.limits) as source:
            source.execute(_SETTLE, {**settled, **books.counts})
            return bool(source.value(PENDING_SQL, {"flow": self._flow.name, "lane": lane}))

    def release(self) -> None:
        """Give the chunk back after a failure that passes, so that the next try need not wait."""
        with transaction(self._flow.source.database, self.limits) as source:
            source.execute(_RELEASE, {"run": self._run, "number": self._number})

    def fail(self, error: SynctasksError) -> None:
        """Close the chunk with an error that trying again would not cure."""
        failed = {"run": self._run, "number": self._number, "error": str(error)}
        with transaction(self._flow.source.database, self.limits) as source:
            source.execute(_FAIL, failed)
