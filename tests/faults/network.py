"""Faults of the network between our processes and the servers."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from tests.faults.fault import Fault
from tests.faults.ground import BROKER, CITIZEN, WAREHOUSE, Ground

WAYS = {"warehouse": WAREHOUSE, "portal": CITIZEN, "redis": BROKER}


@contextmanager
def cut(ground: Ground, _: random.Random, *, way: str) -> Iterator[None]:
    """All connections are reset, at the beginning and at the end."""
    ground.links[WAYS[way]].cut()
    yield
    ground.links[WAYS[way]].cut()


@contextmanager
def refused(ground: Ground, _: random.Random, *, way: str) -> Iterator[None]:
    with ground.links[WAYS[way]].refusing():
        yield


@contextmanager
def swallowed(ground: Ground, _: random.Random, *, way: str, lost: bool) -> Iterator[None]:
    """A black hole; at its end everything arrives late, or (`lost`) never."""
    with ground.links[WAYS[way]].swallowing(lost=lost):
        yield


FAULTS = (
    *(Fault("connections cut", way, (way,), partial(cut, way=way), seconds=2.0) for way in WAYS),
    *(Fault("connections refused", way, (way,), partial(refused, way=way)) for way in WAYS),
    *(
        Fault(
            "black hole",
            f"{way}{', lost' if lost else ''}",
            (way,),
            partial(swallowed, way=way, lost=lost),
            seconds=5.0,
        )
        for way in WAYS
        for lost in (False, True)
    ),
)
