"""The books, held against what was counted independently, and against each other."""

from __future__ import annotations

from tests.integration.machine.broken import BooksWrong
from tests.refreshing import COUNTS
from tests.rows import Connection, rows, value

_TAKEN = """\
SELECT
    (SELECT coalesce(sum(taken), 0)::bigint FROM synctasks.history),
    (SELECT coalesce(sum(changes), 0)::bigint FROM public.forgotten)
"""

# Balances of single rows are constraints of the tables.
_ENDED = f"""\
SELECT run.id, run.state, {", ".join(f"run.{count}" for count in COUNTS)}
FROM synctasks.run
CROSS JOIN LATERAL (
    SELECT {", ".join(f"coalesce(sum({count}), 0) AS {count}" for count in COUNTS)}
    FROM synctasks.chunk
    WHERE chunk.run = run.id
) AS sums
WHERE run.kind = 'full'
    AND run.finished_at IS NOT NULL
    AND ({", ".join(f"run.{count}" for count in COUNTS)})
        IS DISTINCT FROM ({", ".join(f"sums.{count}" for count in COUNTS)})
"""

_FAILED = """\
SELECT id, state, error
FROM synctasks.run
WHERE state IN ('failed', 'stopped') OR done > planned AND kind = 'keys'
UNION ALL
SELECT run, 'chunk', error
FROM synctasks.chunk
WHERE error IS NOT NULL
"""

_UNANSWERED = """\
SELECT id, state, done, planned
FROM synctasks.run
WHERE kind IN ('keys', 'slot') AND (state, done) IS DISTINCT FROM ('succeeded', planned)
"""


def look(warehouse: Connection) -> None:
    """What must hold at any time. Raises BooksWrong."""
    taken, forgotten = value(warehouse, _TAKEN)
    if taken != forgotten:
        raise BooksWrong(f"{taken} changes taken by the books, {forgotten} forgotten")
    for what, statement in (("not their chunks' sums", _ENDED), ("failed", _FAILED)):
        wrong = rows(warehouse, statement)
        if wrong:
            raise BooksWrong(f"runs, {what}: {wrong}")


def look_at_answers(warehouse: Connection) -> None:
    """Whoever asked for keys, and every slot, was told of each of them. Raises BooksWrong."""
    unanswered = rows(warehouse, _UNANSWERED)
    if unanswered:
        raise BooksWrong(f"runs of keys without an answer: {unanswered}")
