"""What is counted: the boxes of the books, and how long changes took."""

from __future__ import annotations

import math
from collections.abc import Sequence

# Every record that was read is in exactly one of these; `removed` is counted beside them.
BOXES = ("written", "unchanged", "filtered", "deferred", "rejected", "waiting", "superseded")
COUNTS = ("read", *BOXES, "removed")

# Upper bounds of the latency buckets in milliseconds: 1 ms to 50 s, each about a fifth above the
# last. The round ones are those that people ask for, in place of the nearest.
ROUND_BOUNDS_MS = (10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
_ROUND = {round(math.log(bound, 1.2)): bound for bound in ROUND_BOUNDS_MS}
LATENCY_BOUNDS_MS: tuple[float, ...] = tuple(
    float(_ROUND.get(power, round(1.2**power, 3))) for power in range(60)
)


def percentile(histogram: Sequence[int], share: float) -> float | None:
    """The latency in seconds below which `share` (0..1) of the changes lie; None without any.

    Interpolated within a bucket: exact to a fifth.
    """
    total = sum(histogram)
    if not total:
        return None
    wanted, seen = share * total, 0
    bounds = (0.0, *LATENCY_BOUNDS_MS, LATENCY_BOUNDS_MS[-1])
    for bucket, count in enumerate(histogram):
        if count and seen + count >= wanted:
            low, high = bounds[bucket], bounds[bucket + 1]
            return (low + (high - low) * (wanted - seen) / count) / 1000
        seen += count
    return bounds[-1] / 1000
