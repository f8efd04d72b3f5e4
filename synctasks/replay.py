"""Replays: units of a period of time, or of a run's failed chunks, asked for once more.

They go into the change log some at a time, as one run, while it is worked off: so what happens
meanwhile comes by, and nothing is collected. Until all of them are asked for, the run's phase is
`source`, and it cannot end.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from synctasks import dispatch
from synctasks.audit import Act
from synctasks.capture.change_log import lane_count
from synctasks.database import CHUNK, array, transaction
from synctasks.engine import walk
from synctasks.engine.walk import Range
from synctasks.errors import SetupError
from synctasks.flow import Flow
from synctasks.lane import lane_sql
from synctasks.period import Period

_AT_ONCE = 2_000
_PAGE = 10_000

_BEGIN = """\
INSERT INTO synctasks.run (flow, kind, reason, state, phase, started_at)
VALUES (%(flow)s, 'keys', %(reason)s, 'running', 'source', clock_timestamp())
RETURNING id
"""

# One that is asked for already and open (a chunk of each pass may have it) would be done once, and
# planned twice. IS TRUE: hashed, not joined; see the engine's letters.
_ASK = """\
WITH logged AS (
    INSERT INTO synctasks.change_log (flow, lane, key, operation, origin, run)
    SELECT DISTINCT %(flow)s, {lane}, asked.key, 'request', 'replay', %(run)s
    FROM unnest(%(keys)s::text[]) AS asked (key)
    WHERE (asked.key IN (
        SELECT open.key
        FROM synctasks.change_log AS open
        WHERE open.flow = %(flow)s AND open.run = %(run)s
    )) IS NOT TRUE
    RETURNING lane
)
UPDATE synctasks.run
SET planned = planned + (SELECT count(*) FROM logged)
WHERE id = %(run)s
RETURNING (SELECT array_agg(DISTINCT logged.lane) FROM logged)
"""

_END = """\
UPDATE synctasks.run
SET
    phase = 'finish',
    state = CASE
        WHEN done < planned THEN state
        WHEN removals_held THEN 'guarded'
        ELSE 'succeeded'
    END,
    finished_at = CASE WHEN done >= planned THEN clock_timestamp() END
WHERE id = %(run)s
"""

# Of those whose program was killed.
_FORGET_DEAD = """\
UPDATE synctasks.run
SET
    state = 'failed',
    error = 'whoever asked for its units is gone',
    finished_at = clock_timestamp()
WHERE flow = %(flow)s
    AND kind = 'keys'
    AND state = 'running'
    AND phase = 'source'
    AND started_at < statement_timestamp() - interval '1 day'
"""

# It stays in its phase: what was asked for is done, and changes nothing of this.
_BREAK_OFF = """\
UPDATE synctasks.run
SET
    state = 'failed',
    error = 'broken off before all of its units were asked for',
    finished_at = clock_timestamp()
WHERE id = %(run)s
"""

_RUN = """\
SELECT flow, state
FROM synctasks.run
WHERE id = %(run)s
"""

# Of a run that has ended, nobody will do what is open. A failed chunk keeps its keys.
_FAILED = """\
SELECT chunk.number, chunk.low, chunk.high, chunk.keys
FROM synctasks.chunk
JOIN synctasks.run ON run.id = chunk.run
WHERE chunk.run = %(run)s
    AND chunk.number > %(after)s
    AND (
        chunk.error IS NOT NULL
        OR chunk.finished_at IS NULL AND run.state IN ('failed', 'stopped')
    )
ORDER BY chunk.number
LIMIT 1
"""

Lots = Iterable[list[str]]


@dataclass(frozen=True)
class Replay:
    """A run of units that are asked for lot by lot: so many `at_once`, more when most are done."""

    flow: Flow
    run: int
    at_once: int
    _lots: Iterator[list[str]]
    _ask_sql: str

    def ask(self) -> bool:
        """Ask for the next lot; False if there is none. Raises SynctasksError."""
        keys = next(self._lots, None)
        if keys is None:
            return False
        asked = {"flow": self.flow.name, "run": self.run, "keys": array(keys)}
        with transaction(self.flow.source.database, CHUNK) as source:
            lanes = source.value(self._ask_sql, asked) or ()
        dispatch.send_drains((self.flow.name, lane) for lane in lanes)
        return True


@contextlib.contextmanager
def begin(flow: Flow, lots: Lots, act: Act) -> Iterator[Replay]:
    """A replay of what the lots name, whose run can end after the block. Raises SynctasksError.

    A block that does not get to its end breaks the run off.
    """
    ask_sql = _ASK.replace("{lane}", lane_sql("asked.key", lane_count(flow)))
    with transaction(flow.source.database) as source:
        source.execute(_FORGET_DEAD, {"flow": flow.name})
        run: int = source.value(_BEGIN, {"flow": flow.name, "reason": f"replay: {act.what}"})
        act.note(source, flow.name, run)
    end, at_once = _BREAK_OFF, flow.at_once or _AT_ONCE
    try:
        yield Replay(flow, run, at_once, _cut(lots, at_once), ask_sql)
        end = _END
    finally:
        with transaction(flow.source.database) as source:
            source.execute(end, {"run": run})


def of_period(flow: Flow, period: Period) -> Lots:
    """The units that have a record of a time in the period. Raises SetupError if nobody can say."""
    if flow.source.time is None:
        raise SetupError(
            f"flow {flow.name}",
            "its records have no time that it may read",
            "Name the records with --key, or let all of it run, without --since and --until",
        )
    return _in_period(flow, period)


def of_failed_chunks(flow: Flow, run: int) -> Lots:
    """The units of a run's failed chunks. Raises SetupError if it is none of the flow's, or good.

    Those are failed that have an error, or were open when the run failed or was stopped.
    """
    with transaction(flow.source.database) as source:
        name, state = source.row(_RUN, {"run": run}) or (None, None)
        failed = source.row(_FAILED, {"run": run, "after": 0})
    remedy = f"See: synctasks runs {flow.name}"
    if name is None:
        raise SetupError(f"run {run}", f"{flow.source.database} has none of this number", remedy)
    if name != flow.name:
        raise SetupError(f"run {run}", f"it is not of {flow.name} but of {name}", remedy)
    if failed is None:
        raise SetupError(f"run {run}", f"it is {state} and has no failed chunks", remedy)
    return _of_failed_chunks(flow, run)


def _in_period(flow: Flow, period: Period) -> Lots:
    # Where a unit is as much as thousands elsewhere, each is looked at by itself.
    some = flow.at_once or _PAGE
    for page in _walk(flow, Range(walk.start(flow), None)):
        for keys in _sliced(page, some):
            yield _those_in_period(flow, keys, period)
    if flow.source.key_nullable:
        # The unit of what has no key is no part of a walk.
        yield _those_in_period(flow, [""], period)


def _those_in_period(flow: Flow, keys: list[str], period: Period) -> list[str]:
    with transaction(flow.source.database, CHUNK, by_key=True) as source:
        return walk.in_period(flow, keys, period, source)


def _of_failed_chunks(flow: Flow, run: int) -> Lots:
    number = 0
    while True:
        with transaction(flow.source.database) as source:
            row = source.row(_FAILED, {"run": run, "after": number})
        if row is None:
            return
        number, low, high, keys = row
        if keys is None:
            # A range that nobody could compare: whatever the source has in it now.
            yield from _walk(flow, Range(low, high))
        else:
            yield keys


def _walk(flow: Flow, within: Range) -> Lots:
    """The source's keys in a range, a page at a time."""
    low = within.low
    while True:
        with transaction(flow.source.database, CHUNK, by_key=True) as source:
            keys = walk.source_page(flow, Range(low, within.high), _PAGE, source)
        yield keys
        if len(keys) < _PAGE:
            return
        low = keys[-1]


def _cut(pages: Lots, size: int) -> Iterator[list[str]]:
    """The same keys in lots, none of them empty."""
    for page in pages:
        yield from _sliced(page, size)


def _sliced(keys: list[str], size: int) -> Iterator[list[str]]:
    return (keys[start : start + size] for start in range(0, len(keys), size))
