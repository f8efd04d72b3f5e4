"""What a fault is: something that goes wrong for the length of a block, and then does not."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from tests.faults.ground import Ground

Inflicting = Callable[[Ground, random.Random], AbstractContextManager[None]]


@dataclass(frozen=True)
class Fault:
    """One way in which things go wrong.

    `inflict` does it; when its block has ended the cause is gone, and nobody helps any further.
    `seconds` is how long it usually lasts. Of two faults that disturb one of the same `things`
    only one can be at work at a time.
    """

    kind: str
    name: str
    things: tuple[str, ...]
    inflict: Inflicting
    seconds: float = 2.0

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}"
