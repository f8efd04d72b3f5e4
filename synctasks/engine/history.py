"""The books of drains: by lane and minute, and in the runs that asked for keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from synctasks.database import Transaction
from synctasks.engine.books import COUNTS, LATENCY_BOUNDS_MS, Books

_HISTORY = f"""\
INSERT INTO synctasks.history AS kept (
    flow, lane, minute, taken, units, coalesced, {", ".join(COUNTS)}, accepted, latency
)
VALUES (
    %(flow)s,
    %(lane)s,
    date_trunc('minute', statement_timestamp()),
    %(taken)s,
    %(units)s,
    %(taken)s - %(units)s,
    {", ".join(f"%({count})s" for count in COUNTS)},
    %(accepted)s,
    %(latency)s::bigint[]
)
ON CONFLICT (flow, minute, lane) DO UPDATE SET
    taken = kept.taken + EXCLUDED.taken,
    units = kept.units + EXCLUDED.units,
    coalesced = kept.coalesced + EXCLUDED.coalesced,
    {", ".join(f"{count} = kept.{count} + EXCLUDED.{count}" for count in COUNTS)},
    accepted = kept.accepted + EXCLUDED.accepted,
    latency = ARRAY(
        SELECT pair.before + pair.now
        FROM unnest(kept.latency, EXCLUDED.latency) WITH ORDINALITY AS pair (before, now, bucket)
        ORDER BY pair.bucket
    )
"""

_RUN = f"""\
UPDATE synctasks.run
SET
    done = done + %(units)s,
    removals_held = removals_held OR %(held)s,
    {", ".join(f"{count} = {count} + %({count})s" for count in COUNTS)},
    state = CASE
        WHEN done + %(units)s < planned THEN state
        WHEN removals_held OR %(held)s THEN 'guarded'
        ELSE 'succeeded'
    END,
    finished_at = CASE WHEN done + %(units)s >= planned THEN clock_timestamp() END
WHERE id = %(run)s
"""


@dataclass(frozen=True)
class Forgotten:
    """A key whose changes this worker was the one to forget."""

    key: str
    changes: int
    runs: frozenset[int]
    latency_buckets: tuple[int, ...]


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
        "accepted": sum(key in accepted for key in books.keys.get("removed", ())),
        "latency": latency,
    }
    source.execute(_HISTORY, {**where, **books.counts, **taken})
    for run in sorted({run for each in forgotten for run in each.runs}):
        of_run = [each.key for each in forgotten if run in each.runs]
        answer(source, run, len(of_run), books.only(of_run), held=False)


def answer(source: Transaction, run: int, units: int, books: Books, *, held: bool) -> None:
    """Tell a run of keys what became of so many of its units."""
    told = {"run": run, "units": units, "held": held, **books.counts}
    source.execute(_RUN, told)
