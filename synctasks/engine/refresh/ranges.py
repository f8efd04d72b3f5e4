"""A range of a run: compared on both sides, without a lock; what is not alike is handed on."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import Any

from synctasks.bind import bound
from synctasks.counts import COUNTS
from synctasks.database import CHUNK, Limits, Transaction, transaction
from synctasks.engine import compare, history, walk
from synctasks.engine.compare import Compared
from synctasks.engine.likeness import Prefilter
from synctasks.engine.refresh import claims
from synctasks.engine.refresh.hand_on import hand_on
from synctasks.engine.refresh.runs import Standing
from synctasks.engine.walk import Range
from synctasks.errors import PermanentError, RowError, TransientError
from synctasks.flow import Flow
from synctasks.lane import lately_sql

# How the last ranges came out says how the next one is best compared; now and then one is
# compared in full all the same, since tables differ in stretches.
_LOOK_BACK = 4
_TRY_AGAIN = 16

_CLAIM = f"""\
UPDATE synctasks.chunk
SET claimed_at = statement_timestamp()
WHERE run = %(run)s
    AND number = (
        SELECT number
        FROM synctasks.chunk
        WHERE run = %(run)s
            AND phase = 'range'
            AND finished_at IS NULL
            AND (claimed_at IS NULL OR NOT {lately_sql("claimed_at", 10)})
        ORDER BY number
        LIMIT 1
        FOR UPDATE SKIP LOCKED
    )
RETURNING number, low, high, size
"""

_LAST = f"""\
SELECT coalesce(sum(size), 0), coalesce(sum(differing), 0)
FROM (
    SELECT size, differing
    FROM synctasks.chunk
    WHERE run = %(run)s AND phase = 'range' AND finished_at IS NOT NULL
    ORDER BY number DESC
    LIMIT {_LOOK_BACK}
) AS last
"""

_SETTLE = f"""\
UPDATE synctasks.chunk
SET
    differing = %(differing)s,
    handed = %(handed)s,
    extras = %(extras)s,
    elapsed_ms = %(elapsed_ms)s,
    finished_at = clock_timestamp(),
    {", ".join(f"{count} = %({count})s" for count in COUNTS)}
WHERE run = %(run)s AND number = %(number)s AND finished_at IS NULL
RETURNING number
"""

_COUNT = "SELECT cardinality(%(marked)s::text[])"

_NOT_ALIKE = """\
    SELECT key
    FROM unnest(%(keys)s::text[] || %(marked)s::text[]) AS found (key)\
"""

_NOTHING = dict.fromkeys(COUNTS, 0)


@dataclass(frozen=True)
class _Claimed:
    number: int
    range: Range
    size: int
    began: float


def compare_next(flow: Flow, standing: Standing, lanes: int, limits: Limits = CHUNK) -> bool:
    """Compare the run's next range within these limits. False if there is none to claim.

    Raises SynctasksError.
    """
    with transaction(flow.source.database) as source:
        row = source.row(_CLAIM, {"run": standing.run})
        if row is None:
            return False
        number, low, high, size = row
        claimed = _Claimed(number, Range(low, high), size, time.monotonic())
        size_before, differing = source.row(_LAST, {"run": standing.run}) or (0, 0)
    all_differ = differing * 2 > size_before and number % _TRY_AGAIN
    try:
        if standing.prefilter is Prefilter.NONE or all_differ:
            _hand_on_all(flow, standing, lanes, claimed)
        else:
            digests = not differing or not number % _TRY_AGAIN
            _compare_claimed(flow, standing, lanes, claimed, limits, digests=digests)
    except PermanentError as error:
        claims.fail(flow, standing.run, number, error)
    except TransientError:
        with contextlib.suppress(TransientError):
            claims.release(flow, standing.run, number)
        raise
    return True


def _compare_claimed(
    flow: Flow,
    standing: Standing,
    lanes: int,
    claimed: _Claimed,
    limits: Limits,
    *,
    digests: bool,
) -> None:
    try:
        found = _compare(bound(flow), standing, claimed.range, limits, digests=digests)
    except RowError:
        # A row that cannot be mapped: the chunk that it goes into finds out which one.
        _hand_on_all(flow, standing, lanes, claimed)
    else:
        _hand_on_compared(flow, standing, lanes, claimed, found)


def _compare(
    flow: Flow, standing: Standing, within: Range, limits: Limits, *, digests: bool
) -> Compared:
    with (
        transaction(flow.source.database, limits, snapshot=True, by_key=True) as source,
        transaction(flow.target.database, limits, snapshot=True, by_key=True) as target,
    ):
        way = compare.compare if digests else compare.compare_rows
        return way(flow, within, standing.prefilter, source, target)


def _hand_on_all(flow: Flow, standing: Standing, lanes: int, claimed: _Claimed) -> None:
    selection = walk.source_keys_sql(flow, claimed.range)
    extras = None if _target_holds_any(flow, standing, claimed.range) else False
    settled = {"differing": claimed.size, "handed": claimed.size, "extras": extras, **_NOTHING}
    with transaction(flow.source.database, CHUNK, by_key=True) as source:
        if _settle(source, standing, claimed, settled):
            bounds = {"low": claimed.range.low, "high": claimed.range.high}
            hand_on(source, flow, standing, lanes, "source", selection, bounds)


def _target_holds_any(flow: Flow, standing: Standing, within: Range) -> bool:
    """Whether the target may have keys in the range at all: where it is filled, it has none."""
    if standing.prefilter is not Prefilter.RANGES:
        return True
    with transaction(flow.target.database, CHUNK, by_key=True) as target:
        return not walk.target_page(flow, within, 1, target).is_last


def _hand_on_compared(
    flow: Flow, standing: Standing, lanes: int, claimed: _Claimed, found: Compared
) -> None:
    counts = {
        **_NOTHING,
        "read": found.agreeing + found.filtered,
        "unchanged": found.agreeing,
        "filtered": found.filtered,
    }
    with transaction(flow.source.database, CHUNK) as source:
        handed = found.differing_count + source.value(_COUNT, {"marked": found.marked})
        settled = {"differing": found.differing_count, "handed": handed, "extras": found.extras}
        if not _settle(source, standing, claimed, {**settled, **counts}):
            return
        history.keep_of_run(source, flow, counts)
        if handed:
            keys = {"keys": found.differing, "marked": found.marked}
            hand_on(source, flow, standing, lanes, "source", _NOT_ALIKE, keys)


def _settle(
    source: Transaction, standing: Standing, claimed: _Claimed, settled: dict[str, Any]
) -> bool:
    """Close the range; False if another worker did, whose findings count."""
    own = {
        "run": standing.run,
        "number": claimed.number,
        "elapsed_ms": round((time.monotonic() - claimed.began) * 1000),
    }
    return source.row(_SETTLE, {**settled, **own}) is not None
