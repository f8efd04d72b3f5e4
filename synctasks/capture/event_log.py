"""The event logs of flows in which every change counts: what is old and done with is forgotten."""

from __future__ import annotations

from synctasks.database import Transaction

# Some at a time. As long as something of a unit is open, all its entries stay: a replay reads them.
_FORGET = """\
DELETE FROM synctasks.event_log
WHERE id IN (
    SELECT entry.id
    FROM synctasks.event_log AS entry
    WHERE entry.captured_at < statement_timestamp() - interval '7 days'
        AND NOT EXISTS (
            SELECT
            FROM synctasks.change_log AS change
            WHERE change.flow = entry.flow AND change.key = entry.key
        )
        AND NOT EXISTS (
            SELECT
            FROM synctasks.waiting
            WHERE waiting.flow = entry.flow AND waiting.unit = entry.key
        )
        AND NOT EXISTS (
            SELECT
            FROM synctasks.dead_letter
            WHERE dead_letter.flow = entry.flow
                AND dead_letter.unit = entry.key
                AND dead_letter.state IN ('open', 'replayed')
        )
    ORDER BY entry.captured_at
    LIMIT 5000
)
"""


def forget_old(source: Transaction) -> None:
    """Forget entries of 7 days ago whose unit has nothing open. Raises SynctasksError."""
    source.execute(_FORGET)
