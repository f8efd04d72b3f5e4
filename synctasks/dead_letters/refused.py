"""Letters of messages that the door refused: somebody wanted something, and it was not done.

What was in the message is not kept: nobody knows whose values they are. The letter says when,
for which task or in which queue, and what was wrong; the same again is counted. No success of any
task says that it is settled, so none closes it: whoever has found the sender discards it. The next
such message opens it again. Where the message names no flow, the warehouse keeps the letter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synctasks.database import Transaction
from synctasks.dead_letters.letter import Kind
from synctasks.flow import UNKNOWN as UNKNOWN

#: How the unit of such a letter begins, unlike that of a task which gave up.
PREFIX = "message "

_STORE = """\
INSERT INTO synctasks.dead_letter AS kept (
    flow, kind, unit, record, error, messages, attempts
)
VALUES (
    %(flow)s,
    'task',
    %(what)s,
    %(record)s,
    %(problem)s,
    jsonb_build_object('', jsonb_build_array(%(problem)s::text)),
    jsonb_build_array(jsonb_build_object(
        'at', statement_timestamp(), 'what', 'refused', 'error', %(problem)s::text
    ))
)
ON CONFLICT (
    flow, kind, hashtextextended(record, 0), hashtextextended(record, 1)
) WHERE state <> 'resolved' DO UPDATE SET
    state = 'open',
    count = kept.count + 1,
    last_seen = EXCLUDED.last_seen,
    attempts = CASE
        WHEN kept.state = 'open' THEN kept.attempts
        ELSE kept.attempts || EXCLUDED.attempts
    END
"""


def store(tx: Transaction, flow: str, what: str, problem: str) -> None:
    """Open the letter of a message, or count it again. Raises SynctasksError."""
    told = {"flow": flow, "what": what, "record": f"{what}: {problem}", "problem": problem}
    tx.execute(_STORE, told)


def is_refused(letter: Mapping[str, Any]) -> bool:
    """Whether a letter is one of these."""
    return letter["kind"] == Kind.TASK and str(letter["unit"]).startswith(PREFIX)
