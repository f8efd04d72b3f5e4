"""A batch: the keys of one lane that are reconciled together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Batch:
    """Keys in step with whether only captured changes ask for them (the event filter's say).

    Without `captured`, none of them does. `remove` lets the merge remove what is gone;
    `with_keys` asks for the keys behind the counts.
    """

    keys: Sequence[str]
    captured: Sequence[bool] = ()
    remove: bool = True
    with_keys: bool = True
