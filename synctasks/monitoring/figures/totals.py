"""Totals: all that was ever done, so that it only grows, whoever did it and whatever has died."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from synctasks import ledger
from synctasks.counts import COUNTS, LATENCY_BOUNDS_MS
from synctasks.database import Transaction

# Two bounds: of one that it cannot see the planner expects a third of the table, and reads it all.
_NOT_CLOSED = """\
minute BETWEEN (SELECT closed_through FROM synctasks.installation) AND 'infinity'"""

# In one snapshot: what is closed meanwhile is in neither part twice, and missing from none.
_TOTALS = f"""\
SELECT flow, latency, {", ".join(COUNTS)}
FROM synctasks.total
UNION ALL
SELECT flow, latency, {", ".join(COUNTS)}
FROM (
{ledger.summed(_NOT_CLOSED)}
) AS not_closed
"""

_BUCKETS = len(LATENCY_BOUNDS_MS) + 1


@dataclass(frozen=True)
class Total:
    """Records by what became of them, and changes by latency bucket, since we were installed."""

    counts: Mapping[str, int]
    latency: Sequence[int]

    def __add__(self, other: Total) -> Total:
        return Total(
            {count: self.counts[count] + other.counts[count] for count in COUNTS},
            [a + b for a, b in zip_longest(self.latency, other.latency, fillvalue=0)],
        )


NOTHING = Total(dict.fromkeys(COUNTS, 0), (0,) * _BUCKETS)


def totals(snapshot: Transaction) -> dict[str, Total]:
    """By flow, those that have done anything. Raises SynctasksError."""
    found: dict[str, Total] = {}
    for flow, latency, *counts in snapshot.rows(_TOTALS):
        part = Total(dict(zip(COUNTS, counts, strict=True)), latency)
        found[flow] = found.get(flow, NOTHING) + part
    return found
