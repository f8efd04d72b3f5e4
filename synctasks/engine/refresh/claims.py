"""What becomes of a range or chunk that a worker claimed and could not finish."""

from __future__ import annotations

from synctasks.database import CHUNK, transaction
from synctasks.errors import SynctasksError
from synctasks.flow import Flow

_RELEASE = """\
UPDATE synctasks.chunk
SET claimed_at = NULL, claims = 0
WHERE run = %(run)s AND number = %(number)s AND finished_at IS NULL
"""

_FAIL = """\
UPDATE synctasks.chunk
SET error = %(error)s, finished_at = clock_timestamp()
WHERE run = %(run)s AND number = %(number)s AND finished_at IS NULL
"""


def release(flow: Flow, run: int, number: int) -> None:
    """Give it back after a failure that passes, so that the next try need not wait."""
    with transaction(flow.source.database, CHUNK) as source:
        source.execute(_RELEASE, {"run": run, "number": number})


def fail(flow: Flow, run: int, number: int, error: SynctasksError) -> None:
    """Close it with an error that trying again would not cure."""
    with transaction(flow.source.database, CHUNK) as source:
        source.execute(_FAIL, {"run": run, "number": number, "error": str(error)})
