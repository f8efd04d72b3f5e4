"""Storing and closing dead letters, in the transaction that settles the work."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

import structlog

from synctasks.database import Transaction
from synctasks.dead_letters.letter import Letter
from synctasks.dead_letters.seal import seal

log = structlog.get_logger()

# A log is for reading: of a flood the first ones are enough, the table holds them all.
_MOST_LINES = 20

# Rejected again, a letter is counted. Its attempts grow only by what somebody asked for, or
# where the record is wrong in another way: a nightly run must not make them grow for ever.
_STORE = """\
INSERT INTO synctasks.dead_letter AS kept (
    flow, kind, category, unit, record, error, messages, stack_trace, source_row, attempts
)
SELECT
    %(flow)s,
    letter.kind,
    letter.category,
    letter.unit,
    letter.record,
    letter.error,
    letter.messages,
    letter.stack_trace,
    letter.source_row,
    jsonb_build_array(jsonb_build_object(
        'at', statement_timestamp(), 'what', letter.happened, 'error', letter.error
    ))
FROM jsonb_to_recordset(%(letters)s::jsonb) AS letter (
    kind text,
    category text,
    unit text,
    record text,
    error text,
    messages jsonb,
    stack_trace text,
    source_row text,
    happened text
)
ORDER BY letter.record
ON CONFLICT (
    flow, kind, hashtextextended(record, 0), hashtextextended(record, 1)
) WHERE state <> 'resolved' DO UPDATE SET
    category = EXCLUDED.category,
    unit = EXCLUDED.unit,
    error = EXCLUDED.error,
    messages = EXCLUDED.messages,
    stack_trace = EXCLUDED.stack_trace,
    source_row = EXCLUDED.source_row,
    count = kept.count + 1,
    last_seen = EXCLUDED.last_seen,
    state = CASE
        WHEN kept.state = 'discarded' AND kept.error = EXCLUDED.error THEN 'discarded'
        ELSE 'open'
    END,
    attempts = CASE
        WHEN kept.state = 'replayed' OR kept.error <> EXCLUDED.error
            THEN kept.attempts || EXCLUDED.attempts
        ELSE kept.attempts
    END
RETURNING record, count = 1
"""

_CLOSE = """\
UPDATE synctasks.dead_letter
SET
    state = 'resolved',
    attempts = attempts || jsonb_build_object('at', statement_timestamp(), 'what', 'passed')
WHERE id = ANY (%(numbers)s) AND state <> 'resolved'
"""

_REOPEN = """\
UPDATE synctasks.dead_letter
SET
    state = 'open',
    attempts = attempts
        || jsonb_build_object('at', statement_timestamp(), 'what', outcome.what)
FROM jsonb_to_recordset(%(outcomes)s::jsonb) AS outcome (number bigint, what text)
WHERE dead_letter.id = outcome.number AND dead_letter.state = 'replayed'
"""


def store(source: Transaction, flow: str, letters: Sequence[Letter]) -> None:
    """Open a letter for each rejected record, or count it again. Raises SynctasksError."""
    by_record = {letter.record: letter for letter in letters}
    if not by_record:
        return
    document = json.dumps([_columns(letter) for letter in by_record.values()])
    rows = source.rows(_STORE, {"flow": flow, "letters": document})
    opened = [record for record, is_new in rows if is_new]
    for record in opened[:_MOST_LINES]:
        letter = by_record[record]
        told = {"flow": flow, "kind": str(letter.kind), "record": record}
        log.warning("letter.opened", **told, cause=letter.error)
    if len(opened) > _MOST_LINES:
        log.warning("letter.more_opened", flow=flow, letters=len(opened) - _MOST_LINES)


def close(source: Transaction, numbers: Collection[int]) -> None:
    """Resolve letters whose records passed. Raises SynctasksError."""
    if numbers:
        source.execute(_CLOSE, {"numbers": list(numbers)})


def reopen(source: Transaction, outcomes: Collection[tuple[int, str]]) -> None:
    """Note what came of replays whose records neither passed nor were rejected: (number, what)."""
    if outcomes:
        document = json.dumps([{"number": number, "what": what} for number, what in outcomes])
        source.execute(_REOPEN, {"outcomes": document})


def _columns(letter: Letter) -> dict[str, object]:
    return {
        "kind": letter.kind,
        "category": letter.category,
        "unit": letter.unit,
        "record": letter.record,
        "error": letter.error,
        "messages": letter.messages,
        "stack_trace": letter.stack_trace,
        "happened": letter.happened,
        "source_row": None if letter.row is None else seal(letter.row),
    }
