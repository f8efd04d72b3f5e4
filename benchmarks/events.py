"""Commit-to-visible latency of single-row updates, against the floor: the same two commits,
made by one client one after the other, with nothing in between.
"""

from __future__ import annotations

import contextlib
import random
import select
import statistics
import threading
import time
from collections.abc import Iterator

from benchmarks.ground import Connection, Ground, run
from synctasks.embedded.waiting import wait_until
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.tasks import ask_for_all

# The target tells what became visible, and when: a trigger of the benchmark's own.
_TELL = """
CREATE OR REPLACE FUNCTION public.bench_tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('bench', city) FROM changed WHERE city LIKE 'bench %';
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER bench_tell AFTER UPDATE ON public.profile_data
REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.bench_tell()
"""

_UPDATE = "UPDATE public.golden_records SET city_village = %s, updated_at = now() WHERE gr_id = %s"
_FIRST_HALF = "SELECT record_id FROM public.profile_data WHERE record_id < '{last}' ORDER BY 1"
_DISTURB = """
UPDATE public.profile_data SET gender = gender || ' '
WHERE record_id BETWEEN '{first}' AND '{last}'
"""
_UPDATE_TARGET = "UPDATE public.profile_data SET city = %s WHERE record_id = %s"


def events(ground: Ground, records: int, seconds: float) -> None:
    """Print the percentiles at 100 updates a second, quiet and during full refreshes."""
    print("\nCommit to visible at 100 single-row updates a second, milliseconds")
    print(f"{'case':<28}{'p50':>8}{'p95':>8}{'p99':>8}{'max':>8}{'p50 ratio':>11}")
    with contextlib.closing(ground.citizen()) as citizen:
        run(citizen, _TELL)
    floor = _measure(ground, records, seconds, through_us=False)
    _tell("floor: two commits", floor, floor)
    _tell("synctasks", _measure(ground, records, seconds), floor)
    with _refreshing(ground, records):
        during = _measure(ground, records, seconds)
    _tell("synctasks, while refreshing", during, floor)
    ground.settle()


def _measure(
    ground: Ground, records: int, seconds: float, *, through_us: bool = True
) -> list[float]:
    """Milliseconds from each commit until the target's commit was told."""
    seen: dict[str, float] = {}
    stop = threading.Event()
    watcher = threading.Thread(target=_watch, args=(ground, seen, stop))
    watcher.start()
    try:
        committed = _write(ground, records, seconds, through_us=through_us)
        wait_until(lambda: committed.keys() <= seen.keys(), 30, "every update to be visible")
    finally:
        stop.set()
        watcher.join()
    return sorted((seen[token] - at) * 1000 for token, at in committed.items())


def _write(ground: Ground, records: int, seconds: float, *, through_us: bool) -> dict[str, float]:
    """A hundred updates a second of random rows; when each was committed, by its token."""
    committed: dict[str, float] = {}
    chosen = random.Random(7).sample(_keys(ground, records), int(seconds * 100))
    with contextlib.closing(ground.warehouse()) as source, source.cursor() as cursor:
        target = ground.citizen()
        began = time.monotonic()
        for number, key in enumerate(chosen):
            time.sleep(max(0.0, began + number / 100 - time.monotonic()))
            token = f"bench {began:.3f} {number}"
            cursor.execute(_UPDATE, (token, key))
            committed[token] = time.monotonic()
            if not through_us:
                with target.cursor() as direct:
                    direct.execute(_UPDATE_TARGET, (token, key))
        target.close()
    return committed


def _keys(ground: Ground, records: int) -> list[str]:
    """The first half of the records, but for those that are rejected."""
    with contextlib.closing(ground.citizen()) as citizen, citizen.cursor() as cursor:
        cursor.execute(_FIRST_HALF.format(last=f"GR-{records // 2:08}"))
        return [key for (key,) in cursor.fetchall()]


def _watch(ground: Ground, seen: dict[str, float], stop: threading.Event) -> None:
    with contextlib.closing(ground.citizen()) as citizen:
        run(citizen, "LISTEN bench")
        while not stop.is_set():
            select.select([citizen], [], [], 0.2)
            _take(citizen, seen)


def _take(citizen: Connection, seen: dict[str, float]) -> None:
    citizen.poll()
    now = time.monotonic()
    for notice in citizen.notifies:
        seen.setdefault(notice.payload, now)
    citizen.notifies.clear()


@contextlib.contextmanager
def _refreshing(ground: Ground, records: int) -> Iterator[None]:
    """Full refreshes one after the other, which find rows to write in the half without events."""
    stop, pick = threading.Event(), random.Random(11)

    def again() -> None:
        with contextlib.closing(ground.citizen()) as citizen:
            while not stop.is_set():
                first = pick.randrange(records // 2, records - 5_000)
                run(citizen, _DISTURB.format(first=f"GR-{first:08}", last=f"GR-{first + 999:08}"))
                ask_for_all(PROFILE_DATA)
                stop.wait(0.1)

    thread = threading.Thread(target=again)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _tell(case: str, sorted_ms: list[float], floor: list[float]) -> None:
    p50, p95, p99 = (sorted_ms[int(len(sorted_ms) * share)] for share in (0.5, 0.95, 0.99))
    ratio = p50 / statistics.median(floor)
    print(f"{case:<28}{p50:>8.1f}{p95:>8.1f}{p99:>8.1f}{sorted_ms[-1]:>8.1f}{ratio:>11.1f}")
