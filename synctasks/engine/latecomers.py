"""References that came between the look for them and the note that somebody waits for them.

Whoever brought them looked who waits, and saw nobody yet. So, once it is noted, they are looked
for again.
"""

from __future__ import annotations

from collections.abc import Sequence

from synctasks.database import CHUNK, transaction
from synctasks.engine import turn
from synctasks.engine.batch import Batch
from synctasks.engine.reconcile import count
from synctasks.flow import Flow


def look_once_more(flow: Flow, lane: int, waiting: Sequence[tuple[str, str]]) -> bool:
    """Ask again for (unit, record) pairs that need not wait after all; True if there are any."""
    if not waiting:
        return False
    with (
        transaction(flow.target.database, CHUNK, by_key=not flow.scans) as target,
        transaction(flow.source.database, CHUNK, snapshot=True, by_key=True) as source,
    ):
        units = list(dict.fromkeys(unit for unit, _ in waiting))
        books = count(flow, Batch(units), source, target)
    came = {unit for unit, _ in set(waiting).difference(books.named("waiting"))}
    with transaction(flow.source.database) as source:
        turn.look_again(source, flow, lane, came)
    return bool(came)
