"""What monitoring costs the event path's throughput: rounds with it and without, in turns."""

from __future__ import annotations

import contextlib
import random
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from benchmarks.ground import Connection, Ground, tidy, value
from benchmarks.processes import answers, milliseconds, program, serving, start
from synctasks.embedded.waiting import wait_until

_CLIENTS = 4
_SCRAPE_SECONDS = 5.0
_STATUS_SECONDS = 10.0
# Before a round is measured: each worker process has then read its code and has its connections.
_WARM_UP = 2_000
# What the round that is thrown away carries; it says how many changes take a round's seconds.
_FIRST = 10_000

_KEYS = "SELECT record_id FROM public.profile_data"
_UPDATE = """\
UPDATE public.golden_records SET city_village = %s, updated_at = now() WHERE gr_id = %s
"""
_CARRIED = "SELECT NOT EXISTS (SELECT FROM synctasks.change_log WHERE flow = 'profile_data')"


def monitoring(ground: Ground, rounds: int, seconds: float) -> None:
    """Print the throughput of each pair of rounds, their ratio, the median one and the worst."""
    ground.stop_working()
    with contextlib.closing(ground.citizen()) as citizen, citizen.cursor() as cursor:
        cursor.execute(_KEYS)
        keys = [key for (key,) in cursor.fetchall()]
    first = _round(ground, keys, _FIRST, monitored=True)
    changes = max(_FIRST, int(first * seconds))
    print(
        f"\nThroughput of single-row updates by {_CLIENTS} clients, {changes:,} a round: "
        "changes carried over a second"
    )
    print(f"{'pair':<8}{'monitored':>12}{'without':>12}{'ratio':>8}")
    ratios = []
    for number in range(rounds):
        # Whoever comes second finds the machine as the first has left it.
        order = (True, False) if number % 2 == 0 else (False, True)
        speed = {each: _round(ground, keys, changes, monitored=each) for each in order}
        ratios.append(speed[True] / speed[False])
        print(
            f"{number + 1:<8}{speed[True]:>12,.0f}{speed[False]:>12,.0f}{ratios[-1]:>8.3f}",
            flush=True,
        )
    print(f"median ratio {statistics.median(ratios):.3f}, worst {min(ratios):.3f}")


def _round(ground: Ground, keys: Sequence[str], changes: int, *, monitored: bool) -> float:
    """Changes a second, from the first commit until the last change is carried over."""
    tidy(ground)
    with _monitored(ground) if monitored else _bare(ground):
        _carry(ground, keys, _WARM_UP)
        with _looked_at(ground) if monitored else contextlib.nullcontext():
            return changes / _carry(ground, keys, changes)


@contextlib.contextmanager
def _monitored(ground: Ground) -> Iterator[None]:
    """Worker and listener as they are shipped."""
    worker = start(ground.logs, "celery", "-A", "synctasks", "worker", *_QUIET)
    with worker, start(ground.logs, "synctasks", "listen"):
        yield


@contextlib.contextmanager
def _bare(ground: Ground) -> Iterator[None]:
    """The same without monitoring."""
    worker = start(
        ground.logs, "celery", "-A", "benchmarks.bare", "worker", "-l", "WARNING", *_QUIET
    )
    with worker, start(ground.logs, "python", "-m", "benchmarks.bare", "listen"):
        yield


_QUIET = ("--without-gossip", "--without-mingle")


@contextlib.contextmanager
def _looked_at(ground: Ground) -> Iterator[None]:
    """Somebody scrapes, and somebody looks at the status, every few seconds."""
    stop = threading.Event()

    def again(pause: float, look: Callable[[], object]) -> None:
        # Rounds of any length see their share of it.
        wait = pause / 2
        while not stop.wait(wait):
            look()
            wait = pause

    with serving(ground.logs) as url:
        looks = (
            (_SCRAPE_SECONDS, partial(answers, f"{url}/metrics")),
            (_STATUS_SECONDS, partial(milliseconds, program("synctasks"), "status")),
        )
        threads = [threading.Thread(target=again, args=each) for each in looks]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join()


def _carry(ground: Ground, keys: Sequence[str], changes: int) -> float:
    """Seconds until so many changes of all clients are carried over."""
    chosen = random.sample(keys, min(changes, len(keys)))
    shares = [
        [chosen[place % len(chosen)] for place in range(client, changes, _CLIENTS)]
        for client in range(_CLIENTS)
    ]
    with contextlib.ExitStack() as at_the_end:
        connections = [
            at_the_end.enter_context(contextlib.closing(ground.warehouse())) for _ in shares
        ]
        threads = [
            threading.Thread(target=_update, args=each)
            for each in zip(connections, shares, strict=True)
        ]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wait_until(lambda: bool(value(connections[0], _CARRIED)), 600, "every change")
        return time.perf_counter() - began


def _update(connection: Connection, keys: Sequence[str]) -> None:
    with connection.cursor() as cursor:
        for key in keys:
            cursor.execute(_UPDATE, (f"City {random.randrange(10**9)}", key))
