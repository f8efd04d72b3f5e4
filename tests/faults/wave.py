"""Several faults that overlap, and the recovery after the last of them."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.faults.fault import Fault
from tests.faults.ground import Ground
from tests.faults.recovery import await_recovery

MOST_AT_ONCE = 3
# How long the recovery is watched: whoever is later than this is counted with it.
PATIENCE_SECONDS = 120


def draw_wave(draw: random.Random, faults: Sequence[Fault]) -> list[Fault]:
    """One to three faults, of different kinds, that do not meddle with the same thing.

    Kinds are equally likely, however many faults there are of each.
    """
    kinds = sorted({each.kind for each in faults})
    wave: list[Fault] = []
    for kind in draw.sample(kinds, draw.choices((1, 2, 3), (2, 3, 2))[0]):
        taken = {thing for each in wave for thing in each.things}
        free = [each for each in faults if each.kind == kind and taken.isdisjoint(each.things)]
        if free:
            wave.append(draw.choice(free))
    return wave


def ride(ground: Ground, wave: Sequence[Fault], draw: random.Random) -> float:
    """Let all of them happen, each at its own time; how long everything took to arrive then.

    Raises whatever a fault itself could not do, and TimeoutError if it does not arrive at all.
    """
    plans = [
        (fault, draw.uniform(0, 2), fault.seconds * draw.uniform(0.5, 1.2), random.Random(seed))
        for fault, seed in ((each, draw.random()) for each in wave)
    ]
    stop = threading.Event()
    with ThreadPoolExecutor(MOST_AT_ONCE) as threads:
        try:
            running = [threads.submit(_inflict, ground, stop, *plan) for plan in plans]
            for each in running:
                each.result()
        finally:
            # Stopped by hand: what is at work ends soon, and its cause with it.
            stop.set()
    ended = time.monotonic()
    await_recovery(ground, PATIENCE_SECONDS)
    return time.monotonic() - ended


def _inflict(
    ground: Ground,
    stop: threading.Event,
    fault: Fault,
    delay: float,
    seconds: float,
    draw: random.Random,
) -> None:
    stop.wait(delay)
    with fault.inflict(ground, draw):
        stop.wait(seconds)
