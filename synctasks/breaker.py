"""Breakers: where a flow's source or target does not work, one probe now and then is enough.

A breaker opens when a lane has climbed its whole ladder in vain. While it is open nobody is sent
to the flow's lanes but a probe every 5 seconds; what succeeds first closes it. It is a row at the
flow's source: with the source itself gone there is nothing to send for anyhow.
"""

from __future__ import annotations

from synctasks.database import Transaction, transaction
from synctasks.flow import Flow

PROBE_SECONDS = 5

_OPEN = """\
INSERT INTO synctasks.breaker (flow, side, reason)
VALUES (%(flow)s, %(side)s, %(reason)s)
ON CONFLICT (flow, side) DO UPDATE SET reason = EXCLUDED.reason
"""

_IS_OPEN = "SELECT EXISTS (SELECT FROM synctasks.breaker WHERE flow = %(flow)s)"

# For whoever has just done the flow's work; it is empty nearly always. Parameter `flow`.
CLOSE = "DELETE FROM synctasks.breaker WHERE flow = %(flow)s"

# Many listeners may look: one of them gets it.
_PROBE = f"""\
UPDATE synctasks.breaker
SET probed_at = statement_timestamp()
WHERE probed_at <= statement_timestamp() - interval '{PROBE_SECONDS} seconds'
RETURNING flow
"""


def open_for(flow: Flow, place: str, reason: str) -> None:
    """Open the breaker of the flow's side at a database, if it is one of its sides."""
    sides = {str(flow.source.database): "source", str(flow.target.database): "target"}
    if place in sides:
        with transaction(flow.source.database) as source:
            opened = {"flow": flow.name, "side": sides[place], "reason": reason}
            source.execute(_OPEN, opened)


def is_open(flow: Flow) -> bool:
    """Whether any side of the flow is known not to work."""
    with transaction(flow.source.database) as source:
        return bool(source.value(_IS_OPEN, {"flow": flow.name}))


def to_probe(source: Transaction) -> list[str]:
    """The flows of a database whose breakers are due for a probe, which is noted."""
    return [flow for (flow,) in source.rows(_PROBE)]
