"""Rounds: looks at all records of a flow that the clock asks for beside its sync.

A round's state is a run: where it has come to, and what it found. Any worker takes its next step;
one that dies leaves a step to be repeated, and of two that take the same step one is believed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import structlog

from synctasks.database import Transaction
from synctasks.flow import Duty, Flow

log = structlog.get_logger()

_UNDER_WAY = """\
SELECT id
FROM synctasks.run
WHERE flow = %(flow)s AND kind = %(duty)s AND state = 'running'
ORDER BY id DESC
LIMIT 1
"""

_BEGIN = """\
WITH replaced AS (
    UPDATE synctasks.run
    SET state = 'stopped', error = 'a later one took its place', finished_at = clock_timestamp()
    WHERE flow = %(flow)s AND kind = %(duty)s AND state = 'running'
)
INSERT INTO synctasks.run (flow, kind, reason, state, started_at, expected, found)
VALUES (%(flow)s, %(duty)s, %(reason)s, 'running', clock_timestamp(), %(expected)s, '{}')
RETURNING id
"""

_STANDING = """\
SELECT id, phase, cursor_key, bound_key, done, found
FROM synctasks.run
WHERE flow = %(flow)s AND kind = %(duty)s AND state = 'running'
ORDER BY id DESC
LIMIT 1
"""

# Whoever has taken the same step meanwhile has counted it.
_SAVE = """\
UPDATE synctasks.run
SET phase = %(phase)s, cursor_key = %(low)s, bound_key = %(high)s, done = %(done)s,
    found = %(found)s
WHERE id = %(run)s
    AND state = 'running'
    AND (phase, cursor_key, bound_key)
        IS NOT DISTINCT FROM (%(was_phase)s, %(was_low)s::text, %(was_high)s::text)
RETURNING id
"""

_END = """\
UPDATE synctasks.run
SET state = %(state)s, error = %(error)s, finished_at = clock_timestamp()
WHERE id = %(run)s AND state = 'running'
RETURNING flow, kind, found
"""

_LATEST = """\
SELECT state, error, found
FROM synctasks.run
WHERE flow = %(flow)s AND kind = %(duty)s
ORDER BY id DESC
LIMIT 1
"""


#: The duties whose work is a round.
ROUNDS = (Duty.VERIFY, Duty.REVIEW)


class Phase(StrEnum):
    """What a round looks at: the source's records, those of the target, what is left then."""

    SOURCE = "source"
    TARGET = "target"
    FINISH = "finish"


@dataclass(frozen=True)
class Place:
    """Where a round has come to: what is next lies above `low`, and not above `high`."""

    phase: Phase = Phase.SOURCE
    low: str | None = None
    high: str | None = None


@dataclass(frozen=True)
class Standing:
    """Where a round stands: its place, how many records it has looked at, and what it found."""

    run: int
    place: Place
    done: int
    found: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Ended:
    """How a flow's latest round ended, or that it runs."""

    state: str
    error: str | None
    found: Mapping[str, int]


def begin(
    source: Transaction, flow: Flow, duty: Duty, reason: str, *, anew: bool, expected: int = 0
) -> int:
    """Begin a round, and return its run; one that is under way goes on unless it is begun anew."""
    asked = {"flow": flow.name, "duty": str(duty), "reason": reason, "expected": expected or None}
    row = None if anew else source.row(_UNDER_WAY, asked)
    if row:
        under_way: int = row[0]
        return under_way
    run: int = source.value(_BEGIN, asked)
    log.info("round.started", flow=flow.name, duty=str(duty), run=run, reason=reason)
    return run


def standing(source: Transaction, flow: Flow, duty: Duty) -> Standing | None:
    """Where the flow's round stands that is under way, or None."""
    row = source.row(_STANDING, {"flow": flow.name, "duty": str(duty)})
    if row is None:
        return None
    run, phase, low, high, done, found = row
    return Standing(run, Place(Phase(phase), low, high), done, found)


def save(
    source: Transaction, was: Standing, place: Place, done: int, found: Mapping[str, int]
) -> bool:
    """Note the step from where it stood; False if somebody else has taken it."""
    noted = {
        "run": was.run,
        "phase": str(place.phase),
        "low": place.low,
        "high": place.high,
        "done": done,
        "found": json.dumps(dict(found)),
        "was_phase": str(was.place.phase),
        "was_low": was.place.low,
        "was_high": was.place.high,
    }
    return source.row(_SAVE, noted) is not None


def end(source: Transaction, run: int, state: str, error: str | None = None) -> None:
    """End a round that is under way."""
    row = source.row(_END, {"run": run, "state": state, "error": error})
    if row is None:
        return
    flow, duty, found = row
    told = {"flow": flow, "duty": duty, "run": run, "state": state, **found}
    if state == "succeeded":
        log.info("round.ended", **told)
    else:
        log.error("round.ended", **told, cause=error)


def latest(source: Transaction, flow: Flow, duty: Duty) -> Ended | None:
    """The flow's latest round, under way or not."""
    row = source.row(_LATEST, {"flow": flow.name, "duty": str(duty)})
    return Ended(*row) if row else None
