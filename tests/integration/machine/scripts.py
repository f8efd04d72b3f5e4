"""Lives of the machine written by hand: the shortest that show what a part is there for."""

from __future__ import annotations

from collections.abc import Callable

from synctasks.engine import refresh
from tests.integration.machine.application import AT_ONCE
from tests.integration.machine.ground import FLOW, Ground
from tests.integration.machine.protocol import Protocol, Write

FIRST = Write("save", (0,), "good")


def live(ground: Ground, script: Callable[[Protocol], None]) -> None:
    """One life: the script, then rest, and all that is checked then."""
    machine = Protocol(ground)
    try:
        script(machine)
        machine.looks_right()
        machine.rest()
    finally:
        machine.leave()


def overtaken_while_staged(machine: Protocol) -> None:
    """One worker has read a state; another one carries the next state meanwhile."""
    machine.write_and_drain(FIRST, "staged")
    machine.write_and_drain(FIRST, None)
    machine.go_on(0, None)


def overtaken_before_the_lock(machine: Protocol) -> None:
    """One worker is about to take the lane; another one works in it meanwhile."""
    machine.write_and_drain(FIRST, "lock wanted")
    machine.write_and_drain(FIRST, None)
    machine.write(AT_ONCE, FIRST)
    machine.go_on(0, None)


def moved(machine: Protocol) -> None:
    """A record that is at the portal gets another key."""
    machine.write_and_drain(FIRST, None)
    machine.write(AT_ONCE, Write("move", (0,), "good"))


def changed_while_merged(machine: Protocol) -> None:
    """The application commits between what a worker reads and what it forgets."""
    machine.write_and_drain(FIRST, "merged")
    machine.write(AT_ONCE, FIRST)
    machine.go_on(0, None)


def drained_twice(machine: Protocol) -> None:
    """Between a worker's target commit and its settling, another one does the same work."""
    machine.write_and_drain(FIRST, "target committed")
    machine.drain(0, None)
    machine.go_on(0, None)


def put_right_before_it_settles(machine: Protocol) -> None:
    """A run finds a record wrong; before it can say so, an event carries it, put right."""
    machine.write(AT_ONCE, Write("save", (0,), "bad"))
    refresh.request(FLOW, "test")
    while not machine.crew.paused:
        machine.steps(asks=False, accepts_shrink=False, before=0, stop="target committed")
    machine.write_and_drain(FIRST, None)
    machine.go_on(0, None)
