"""The books by lane and minute, and in the runs that asked for keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from synctasks.counts import COUNTS, LATENCY_BOUNDS_MS
from synctasks.database import Transaction
from synctasks.engine.books import Books
from synctasks.flow import Flow

_HISTORY = f"""\
INSERT INTO synctasks.history AS kept (
    flow, lane, minute, taken, units, coalesced, captured, {", ".join(COUNTS)}, accepted, latency
)
VALUES (
    %(flow)s,
    %(lane)s,
    date_trunc('minute', statement_timestamp()),
    %(taken)s,
    %(units)s,
    %(taken)s - %(units)s,
    %(captured)s,
    {", ".join(f"%({count})s" for count in COUNTS)},
    %(accepted)s,
    %(latency)s::bigint[]
)
ON CONFLICT (flow, minute, lane) DO UPDATE SET
    taken = kept.taken + EXCLUDED.taken,
    units = kept.units + EXCLUDED.units,
    coalesced = kept.coalesced + EXCLUDED.coalesced,
    captured = kept.captured + EXCLUDED.captured,
    {", ".join(f"{count} = kept.{count} + EXCLUDED.{count}" for count in COUNTS)},
    accepted = kept.accepted + EXCLUDED.accepted,
    latency = ARRAY(
        SELECT pair.before + pair.now
        FROM unnest(kept.latency, EXCLUDED.latency) WITH ORDINALITY AS pair (before, now, bucket)
        ORDER BY pair.bucket
    )
"""

# What was captured on a day that is over counts for that day.
_CAPTURED_BEFORE = """\
INSERT INTO synctasks.day AS kept (flow, day, captured)
VALUES (%(flow)s, %(day)s, %(captured)s)
ON CONFLICT (flow, day) DO UPDATE SET captured = kept.captured + EXCLUDED.captured
"""

# Ranges are of no lane.
_NO_LANE = -1

# In its phase `source` a run is still being asked for: a replay, see there.
_RUN = f"""\
UPDATE synctasks.run
SET
    done = done + %(units)s,
    removals_held = removals_held OR %(held)s,
    {", ".join(f"{count} = {count} + %({count})s" for count in COUNTS)},
    state = CASE
        WHEN phase = 'source' OR done + %(units)s < planned THEN state
        WHEN removals_held OR %(held)s THEN 'guarded'
        ELSE 'succeeded'
    END,
    finished_at = CASE
        WHEN phase = 'source' OR done + %(units)s < planned THEN finished_at
        ELSE clock_timestamp()
    END
WHERE id = %(run)s
"""


@dataclass(frozen=True)
class Forgotten:
    """A key whose changes this worker was the one to forget.

    Of the changes, how many were captured today, and the days of those captured before.
    """

    key: str
    changes: int
    runs: frozenset[int]
    latency_buckets: tuple[int, ...]
    captured: int = 0
    captured_before: tuple[date, ...] = ()


def keep(
    source: Transaction,
    where: Mapping[str, object],
    forgotten: Sequence[Forgotten],
    books: Books,
    accepted: frozenset[str],
) -> None:
    """Keep the books of a batch; `where` is its flow and lane, `accepted` removals somebody wanted.

    Raises SynctasksError.
    """
    latency = [0] * (len(LATENCY_BOUNDS_MS) + 1)
    for bucket in (bucket for each in forgotten for bucket in each.latency_buckets):
        latency[bucket] += 1
    taken = {
        "taken": sum(each.changes for each in forgotten),
        "units": len(forgotten),
        "captured": sum(each.captured for each in forgotten),
        "accepted": sum(key in accepted for key in books.keys.get("removed", ())),
        "latency": latency,
    }
    source.execute(_HISTORY, {**where, **books.counts, **taken})
    before = Counter(day for each in forgotten for day in each.captured_before)
    for day, captured in sorted(before.items()):
        source.execute(_CAPTURED_BEFORE, {**where, "day": day, "captured": captured})
    for run in sorted({run for each in forgotten for run in each.runs}):
        of_run = [each.key for each in forgotten if run in each.runs]
        answer(source, run, len(of_run), books.only(of_run), held=False)


def keep_of_run(
    source: Transaction, flow: Flow, counts: Mapping[str, int], *, lane: int | None = None
) -> None:
    """Keep what a part of a full run came to. The guard of removals by events has no say in it."""
    nothing = {"taken": 0, "units": 0, "captured": 0, "latency": [0] * (len(LATENCY_BOUNDS_MS) + 1)}
    where = {"flow": flow.name, "lane": _NO_LANE if lane is None else lane}
    source.execute(_HISTORY, {**where, **nothing, **counts, "accepted": counts["removed"]})


def answer(source: Transaction, run: int, units: int, books: Books, *, held: bool) -> None:
    """Tell a run of keys what became of so many of its units."""
    told = {"run": run, "units": units, "held": held, **books.counts}
    source.execute(_RUN, told)
