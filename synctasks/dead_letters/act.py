"""What a person does about dead letters; each act is noted in the letter and in the audit."""

from __future__ import annotations

from collections.abc import Sequence

from synctasks import audit
from synctasks.audit import Action
from synctasks.database import transaction
from synctasks.flow import Database

_REPLAYED = """\
UPDATE synctasks.dead_letter
SET
    state = 'replayed',
    acted_by = %(actor)s,
    attempts = attempts || jsonb_build_object(
        'at', statement_timestamp(), 'what', 'replayed', 'by', %(actor)s::text
    )
WHERE id = ANY (%(ids)s) AND state IN ('open', 'replayed', 'discarded')
RETURNING id
"""

_DISCARDED = """\
UPDATE synctasks.dead_letter
SET
    state = 'discarded',
    acted_by = %(actor)s,
    reason = %(reason)s,
    attempts = attempts || jsonb_build_object(
        'at', statement_timestamp(),
        'what', 'discarded',
        'by', %(actor)s::text,
        'reason', %(reason)s::text
    )
WHERE id = ANY (%(ids)s) AND state IN ('open', 'replayed')
RETURNING id
"""


def mark_replayed(
    database: Database, flow: str, ids: Sequence[int], reason: str | None = None
) -> list[int]:
    """Note that letters of a flow are replayed; the ids of those that were not resolved."""
    return _act(_REPLAYED, Action.REPLAY, database, flow, ids, reason)


def discard(database: Database, flow: str, ids: Sequence[int], reason: str) -> list[int]:
    """Give letters up; the ids of those that were open. They stay quiet while nothing changes."""
    return _act(_DISCARDED, Action.DISCARD, database, flow, ids, reason)


def _act(
    statement: str,
    action: Action,
    database: Database,
    flow: str,
    ids: Sequence[int],
    reason: str | None,
) -> list[int]:
    with transaction(database) as tx:
        noted = {"ids": list(ids), "actor": audit.actor(), "reason": reason}
        done = sorted(number for (number,) in tx.rows(statement, noted))
        if done:
            subject = f"dead letter {done[0]}"
            if len(done) > 1:
                subject = f"{len(done)} dead letters, from {done[0]} to {done[-1]}"
            audit.add(tx, action, flow, subject, reason)
    return done
