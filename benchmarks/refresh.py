"""A full refresh against the raw pipeline: COPY out, COPY into a temporary table, one upsert."""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.ground import Ground, run, tidy, value
from synctasks.embedded.binaries import postgres_binaries
from synctasks.engine import extract
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA as FLOW
from synctasks.tasks import ask_for_all

_COLUMNS = [column.name for column in FLOW.columns]
_OTHERS = [name for name in _COLUMNS if name != FLOW.target.key]

_MERGE = f"""
INSERT INTO {FLOW.target.table} SELECT * FROM raw ORDER BY {FLOW.target.key}
ON CONFLICT ({FLOW.target.key}) DO UPDATE SET
    {", ".join(f"{name} = EXCLUDED.{name}" for name in _OTHERS)}
"""

_LSN = "SELECT pg_current_wal_insert_lsn()"
_TRANSACTION = "SELECT pg_current_xact_id()"
# The rows written since, as they stand.
_REWRITTEN = "SELECT count(*) FROM public.profile_data WHERE xmin::text::bigint > {transaction}"

# What stands before each timed run, in the target: no trigger is there to see it.
CASES = {
    "nothing changed": "SELECT",
    "10 % changed": "UPDATE public.profile_data SET full_name = full_name || ' (old)' "
    "WHERE right(record_id, 1) = '7'",
    "all changed": "UPDATE public.profile_data SET full_name = full_name || ' (old)'",
    "empty target": "TRUNCATE public.profile_data",
}


@dataclass(frozen=True)
class _Measured:
    """One run of a pipeline: seconds, and what it wrote at the target."""

    seconds: float
    wal_mb: float
    rows: int


def refresh(ground: Ground, records: int, rounds: int) -> None:
    """Print seconds and ratios of each case, and what was written at the target."""
    print(f"\nFull refresh of {records:,} rows (median of {rounds}; raw is 1)")
    print(
        f"{'case':<18}{'raw s':>8}{'ours s':>8}{'ratio':>8}{'raw WAL MB':>12}{'our WAL MB':>12}"
        f"{'our rows':>11}   ratios"
    )
    for case, before in CASES.items():
        pairs = [
            (_measured(ground, before, _raw), _measured(ground, before, _ours))
            for _ in range(rounds)
        ]
        ratios = [ours.seconds / raw.seconds for raw, ours in pairs]
        raw, ours = (_median(list(each)) for each in zip(*pairs, strict=True))
        print(
            f"{case:<18}{raw.seconds:>8.2f}{ours.seconds:>8.2f}{statistics.median(ratios):>8.2f}"
            f"{raw.wal_mb:>12.2f}{ours.wal_mb:>12.2f}{ours.rows:>11,}   "
            + " ".join(f"{ratio:.2f}" for ratio in ratios),
            flush=True,
        )


def _median(runs: Sequence[_Measured]) -> _Measured:
    return _Measured(
        statistics.median(each.seconds for each in runs),
        statistics.median(each.wal_mb for each in runs),
        statistics.median_low(each.rows for each in runs),
    )


def _measured(ground: Ground, before: str, pipeline: Callable[[Ground], None]) -> _Measured:
    with contextlib.closing(ground.citizen()) as citizen:
        run(citizen, before)
        tidy(ground)
        lsn, transaction = value(citizen, _LSN), value(citizen, _TRANSACTION)
        began = time.monotonic()
        pipeline(ground)
        seconds = time.monotonic() - began
        wal = value(citizen, f"SELECT pg_current_wal_insert_lsn() - '{lsn}'")
        rows = value(citizen, _REWRITTEN.format(transaction=transaction))
    return _Measured(seconds, float(str(wal)) / 1e6, int(str(rows)))


def _ours(ground: Ground) -> None:
    run_id = ask_for_all(FLOW)
    ground.settle()
    with contextlib.closing(ground.warehouse()) as warehouse:
        state = value(warehouse, f"SELECT state FROM synctasks.run WHERE id = {run_id}")
    if state != "succeeded":
        raise SystemExit(f"the run ended as {state}")


def _raw(ground: Ground) -> None:
    """Two psql processes and a pipe, as anybody would write it, with the same masks."""
    psql = str(postgres_binaries() / "psql")
    columns = ",\n".join(extract.expression(FLOW, column) for column in FLOW.columns)
    copy_out = f"COPY (SELECT {columns} FROM {FLOW.source.table} AS source) TO STDOUT"
    create = f"CREATE TEMPORARY TABLE raw AS SELECT * FROM {FLOW.target.table} WHERE false"
    out = subprocess.Popen([psql, "-Xqc", copy_out, ground.warehouse_url], stdout=subprocess.PIPE)
    steps = ["-c", create, "-c", "COPY raw FROM STDIN", "-c", _MERGE]
    subprocess.run([psql, "-Xq", *steps, ground.citizen_url], stdin=out.stdout, check=True)
    assert out.stdout is not None
    out.stdout.close()
    if out.wait():
        raise SystemExit("psql failed")
