"""A full refresh against the raw pipeline: COPY out, COPY into a temporary table, one upsert."""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import time
from collections.abc import Callable

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

# What stands before each timed run, in the target: no trigger is there to see it.
CASES = {
    "nothing changed": "SELECT",
    "10 % changed": "UPDATE public.profile_data SET full_name = full_name || ' (old)' "
    "WHERE right(record_id, 1) = '7'",
    "all changed": "UPDATE public.profile_data SET full_name = full_name || ' (old)'",
    "empty target": "TRUNCATE public.profile_data",
}


def refresh(ground: Ground, records: int, rounds: int) -> None:
    """Print seconds and ratios of each case."""
    print(f"\nFull refresh of {records:,} rows, seconds (median of {rounds}; raw is 1)")
    print(f"{'case':<18}{'raw':>8}{'synctasks':>11}{'ratio':>8}   ratios")
    for case, before in CASES.items():
        pairs = [
            (_timed(ground, before, _raw), _timed(ground, before, _ours)) for _ in range(rounds)
        ]
        ratios = [ours / raw for raw, ours in pairs]
        raw, ours = (statistics.median(each) for each in zip(*pairs, strict=True))
        told = " ".join(f"{ratio:.2f}" for ratio in ratios)
        print(f"{case:<18}{raw:>8.2f}{ours:>11.2f}{statistics.median(ratios):>8.2f}   {told}")


def _timed(ground: Ground, before: str, pipeline: Callable[[Ground], None]) -> float:
    with contextlib.closing(ground.citizen()) as citizen:
        run(citizen, before)
    tidy(ground)
    began = time.monotonic()
    pipeline(ground)
    return time.monotonic() - began


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
    columns = ",\n".join(extract.expression(column) for column in FLOW.columns)
    copy_out = f"COPY (SELECT {columns} FROM {FLOW.source.table} AS source) TO STDOUT"
    create = f"CREATE TEMPORARY TABLE raw AS SELECT * FROM {FLOW.target.table} WHERE false"
    out = subprocess.Popen([psql, "-Xqc", copy_out, ground.warehouse_url], stdout=subprocess.PIPE)
    steps = ["-c", create, "-c", "COPY raw FROM STDIN", "-c", _MERGE]
    subprocess.run([psql, "-Xq", *steps, ground.citizen_url], stdin=out.stdout, check=True)
    assert out.stdout is not None
    out.stdout.close()
    if out.wait():
        raise SystemExit("psql failed")
