"""Faults of our own processes: killed, stopped politely, frozen."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

import psutil

from tests.faults.fault import Fault
from tests.faults.ground import PROCESSES, Ground


@contextmanager
def killed(ground: Ground, _: random.Random, *, name: str) -> Iterator[None]:
    """kill -9 for all of a process' family; a supervisor starts it again."""
    ground.kill(name)
    try:
        yield
    finally:
        ground.supervise(name)


@contextmanager
def all_killed(ground: Ground, _: random.Random) -> Iterator[None]:
    """kill -9 for everything of ours at once, as the end of a machine is."""
    ground.kill(*PROCESSES)
    try:
        yield
    finally:
        ground.supervise(*PROCESSES)


@contextmanager
def main_killed(ground: Ground, _: random.Random, *, name: str) -> Iterator[None]:
    """kill -9 for a worker's main process only."""
    ground.kill_main(name)
    try:
        yield
    finally:
        ground.supervise(name)


@contextmanager
def child_killed(ground: Ground, draw: random.Random, *, name: str) -> Iterator[None]:
    """kill -9 for one of a worker's children; the worker is its own supervisor."""
    draw.choice(ground.program(name).children()).kill()
    yield


@contextmanager
def stopped(ground: Ground, _: random.Random, *, name: str) -> Iterator[None]:
    """SIGTERM, as with every new release; a supervisor starts it again."""
    ground.stop(name)
    try:
        yield
    finally:
        ground.supervise(name)


@contextmanager
def frozen(ground: Ground, draw: random.Random, *, name: str, part: str = "") -> Iterator[None]:
    """SIGSTOP, and SIGCONT at the end: for all of it, for its main process, or for a child."""
    program = ground.program(name)
    children = program.children()
    main = psutil.Process(program.pid)
    chosen = {"": [main, *children], "main": [main], "child": [draw.choice(children or [main])]}
    for each in chosen[part]:
        each.suspend()
    try:
        yield
    finally:
        for each in chosen[part]:
            with suppress(psutil.NoSuchProcess):
                each.resume()


def _of(kind: str, name: str, inflict: object, **more: str) -> Fault:
    told = " ".join(filter(None, (name, more.get("part", ""))))
    return Fault(kind, told, (name,), partial(inflict, name=name, **more))  # type: ignore[arg-type]


FAULTS = (
    *(_of("kill -9", name, killed) for name in ("worker", "listener", "beat")),
    Fault("kill -9", "worker main", ("worker",), partial(main_killed, name="worker")),
    Fault(
        "kill -9", "worker child", ("worker",), partial(child_killed, name="worker"), seconds=1.0
    ),
    Fault("kill -9", "everything", PROCESSES, all_killed),
    *(_of("SIGTERM", name, stopped) for name in ("worker", "listener", "beat")),
    *(_of("SIGSTOP", name, frozen) for name in ("worker", "listener", "beat")),
    _of("SIGSTOP", "worker", frozen, part="main"),
    _of("SIGSTOP", "worker", frozen, part="child"),
)
