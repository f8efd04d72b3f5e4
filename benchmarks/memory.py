"""How much memory a worker takes for a full refresh, over what it has before."""

from __future__ import annotations

import contextlib
import threading

import psutil

from benchmarks.ground import Ground, run
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.tasks import ask_for_all


def memory(ground: Ground, records: int) -> None:
    """Print the largest growth of one worker process while every row is written."""
    with contextlib.closing(ground.citizen()) as citizen:
        run(citizen, "TRUNCATE public.profile_data")
    workers = psutil.Process(ground.worker.pid).children(recursive=True)
    before = {each.pid: each.memory_info().rss for each in workers}
    most = dict(before)
    stop = threading.Event()

    def sample() -> None:
        while not stop.wait(0.05):
            for each in workers:
                most[each.pid] = max(most[each.pid], each.memory_info().rss)

    sampler = threading.Thread(target=sample)
    sampler.start()
    ask_for_all(PROFILE_DATA)
    ground.settle()
    stop.set()
    sampler.join()
    growth = max(most[pid] - before[pid] for pid in before)
    print(f"\nRefresh of {records:,} rows: a worker process grew by {growth / 2**20:.1f} MiB")
