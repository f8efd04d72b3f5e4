"""The two databases' servers: do they answer, are they new enough, what time is it there?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from synctasks.capture import preflight
from synctasks.checks.finding import Finding, problem, verdict, warning
from synctasks.database import Transaction, connect, transaction
from synctasks.flow import Database

_WARN_SECONDS = 1.0
_PROBLEM_SECONDS = 60.0
_TRIES = 3

_NOW = "SELECT extract(epoch FROM clock_timestamp())::float"


def connection(database: Database) -> Iterator[Finding]:
    """Whether it answers and lets us in."""
    connect(database, role="check").close()
    yield Finding(f"{database} database")


def version(database: Database) -> Iterator[Finding]:
    """Whether it is new enough."""
    with transaction(database) as tx:
        found = preflight.version_problems(tx, database)
        yield from verdict(f"{database} database, version", found)


@dataclass(frozen=True)
class Offset:
    """How far a clock is ahead of ours, and how far that may be wrong, in seconds."""

    ahead: float
    unsure: float


def clock(database: Database) -> Iterator[Finding]:
    """Whether its clock and ours agree."""
    with transaction(database) as tx:
        offset = _offset(tx)
    yield compared(f"{database} database", "this machine", offset)


def clocks() -> Iterator[Finding]:
    """Whether the two servers' clocks agree: what one stamps, the other judges."""
    with transaction(Database.WAREHOUSE) as tx:
        left = _offset(tx)
    with transaction(Database.CITIZEN) as tx:
        right = _offset(tx)
    apart = Offset(left.ahead - right.ahead, left.unsure + right.unsure)
    yield compared("warehouse database", "the citizen database", apart)


def compared(thing: str, other: str, offset: Offset) -> Finding:
    """What is to be said of two clocks; what the way there may have taken is forgiven."""
    apart = abs(offset.ahead) - offset.unsure
    if apart <= _WARN_SECONDS:
        return Finding(f"{thing}, clock against {other}")
    say = problem if apart > _PROBLEM_SECONDS else warning
    way = "ahead of" if offset.ahead > 0 else "behind"
    return say(
        f"{thing}, clock against {other}",
        f"its clock is {abs(offset.ahead):.1f} s {way} that of {other}",
        "Let both take the time from one source, at each: timedatectl set-ntp true",
    )


def measured(ask: Callable[[], float], now: Callable[[], float] = time.time) -> Offset:
    """The offset of the clock that `ask` reads, by the quickest of some tries."""
    tries = []
    for _ in range(_TRIES):
        before = now()
        there = ask()
        after = now()
        tries.append(Offset(there - (before + after) / 2, (after - before) / 2))
    return min(tries, key=lambda each: each.unsure)


def _offset(tx: Transaction) -> Offset:
    tx.execute("SELECT")
    return measured(lambda: float(tx.value(_NOW)))
