"""A batch: the keys of one lane that are reconciled together."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import compress


@dataclass(frozen=True)
class Batch:
    """Keys in step with whether only captured changes ask for them (the event filter's say).

    Without `captured`, none of them does. `remove` lets the merge remove what is gone. `judged`
    says that the contract has judged what failed the gate, and accepted the records `accepted`:
    the gate is not asked again. `run` is the full run that this is part of. `dry` only counts what
    the merge would write and remove. `named` are the keys whose outcome is asked for by name, None
    all of them.
    """

    keys: Sequence[str]
    captured: Sequence[bool] = ()
    remove: bool = True
    judged: bool = False
    accepted: Sequence[str] = ()
    run: int | None = None
    dry: bool = False
    named: Sequence[str] | None = None

    def halves(self) -> tuple[Batch, Batch]:
        """The batch in two parts; it holds two keys at least."""
        middle = len(self.keys) // 2
        first = replace(self, keys=self.keys[:middle], captured=self.captured[:middle])
        return first, replace(self, keys=self.keys[middle:], captured=self.captured[middle:])

    def only(self, key: str) -> Batch:
        """One of its keys, by itself."""
        place = self.keys.index(key)
        return replace(self, keys=[key], captured=self.captured[place : place + 1])

    def without(self, keys: Collection[str]) -> Batch:
        """The batch less some of its keys."""
        gone = frozenset(keys)
        kept = [key not in gone for key in self.keys]
        captured = list(compress(self.captured, kept))
        return replace(self, keys=list(compress(self.keys, kept)), captured=captured)

    def judged_valid(self, pairs: Sequence[tuple[str, str]]) -> Batch:
        """(unit, record) pairs that failed the gate and are valid; nothing else of these units."""
        return replace(self.decided(pairs, [key for key, _ in pairs]), remove=False)

    def decided(self, pairs: Sequence[tuple[str, str]], keys: Sequence[str]) -> Batch:
        """Whole units; of their records that failed the gate the (unit, record) pairs are valid."""
        units = list(dict.fromkeys(keys))
        records = [record for _, record in pairs]
        return replace(self, keys=units, captured=(), judged=True, accepted=records)
