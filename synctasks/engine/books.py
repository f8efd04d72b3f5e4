"""The books: what became of the records that were read, and how long changes took."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

# Every record that was read is in exactly one of these; `removed` is counted beside them.
BOXES = ("written", "unchanged", "filtered", "deferred", "rejected", "waiting", "superseded")
COUNTS = ("read", *BOXES, "removed")

# Upper bounds of the latency buckets in milliseconds: 1 ms to 47 s, each a fifth above the last.
LATENCY_BOUNDS_MS: tuple[float, ...] = tuple(round(1.2**power, 3) for power in range(60))

# The verdicts of the extract that carry no row to merge, and the box they are counted in.
VERDICT_BOXES: Mapping[str, str] = {"out_of_scope": "filtered", "deferred": "deferred"}


@dataclass
class Books:
    """Counts by box, and the keys behind them where somebody asked for those."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    keys: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, outcomes: Iterable[tuple[str, int, Sequence[str] | None]]) -> Books:
        """From (box, count, keys) rows."""
        books = cls()
        for box, count, keys in outcomes:
            books.counts[box] += count
            if keys:
                books.keys.setdefault(box, []).extend(keys)
        books.counts["read"] = sum(books.counts[box] for box in BOXES)
        return books

    def only(self, keys: Iterable[str]) -> dict[str, int]:
        """The counts of some of the keys: those that this worker was the one to forget."""
        wanted = set(keys)
        counts = {box: len(wanted.intersection(self.keys.get(box, ()))) for box in COUNTS}
        counts["read"] = sum(counts[box] for box in BOXES)
        return counts


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
