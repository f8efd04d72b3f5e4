"""The books: what became of the records that were read, and how long changes took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from synctasks.counts import BOXES, COUNTS
from synctasks.dead_letters import Letter

# The verdicts of the extract that carry no row to merge, and the box they are counted in.
VERDICT_BOXES: Mapping[str, str] = {
    "out_of_scope": "filtered",
    "outranked": "outranked",
    "unknown": "filtered",
    "deferred": "deferred",
    "judge": "judge",
}
# The boxes of records that pass their contract, and of what a dry run would write of them.
PASSED = ("written", "unchanged", "superseded", "outranked", "missing", "different")


@dataclass
class Books:
    """How many records are in each box, and the units of those that are asked for by name.

    `keys` holds a unit once for each of its records, in step with `records`, which names them: by
    their unit, where that is one record.

    Beside the boxes of `COUNTS`: `outranked` (what passes, and is none of its unit's best: counted
    as filtered), `held` (removals that the guard holds back) and `locked` (left for later, since
    somebody else is at the target's row); before they are dealt with `judge` (what failed the
    gate), `undecided` (a wide unit with such a record) and those of `resolve`; `refused` (what was
    judged so, counted by its letter), `leftover` (rows that a wide unit no longer has, and which
    must not go now); of a dry run `missing` and `different` in place of `written`, `extra` in place
    of `removed`. `letters` are the dead letters of the rejected ones.
    """

    found: Counter[str] = field(default_factory=Counter)
    keys: dict[str, list[str]] = field(default_factory=dict)
    records: dict[str, list[str]] = field(default_factory=dict)
    letters: list[Letter] = field(default_factory=list)

    @classmethod
    def of(
        cls, outcomes: Iterable[tuple[str, int, Sequence[str] | None, Sequence[str] | None]]
    ) -> Books:
        """From (box, count, keys, records) rows; a box may come more than once.

        Without records they are named by their keys.
        """
        books = cls()
        for box, count, keys, records in outcomes:
            books.found[box] += count
            if keys:
                books._name(box, keys, records or keys)
        return books

    def _name(self, box: str, keys: Sequence[str], records: Sequence[str]) -> None:
        self.keys.setdefault(box, []).extend(keys)
        self.records.setdefault(box, []).extend(records)

    def add(self, other: Books) -> None:
        """Take over what another batch of the same work came to."""
        self.found.update(other.found)
        for box, keys in other.keys.items():
            self._name(box, keys, other.records[box])
        self.letters += other.letters

    def put(self, box: str, keys: Sequence[str], records: Sequence[str] | None = None) -> None:
        """Count records in a box; a key stands there once a record."""
        self.add(Books.of([(box, len(keys), keys, records)]))

    def reject(self, letters: Sequence[Letter]) -> None:
        """Count records as rejected."""
        self.put("rejected", [each.unit for each in letters], [each.record for each in letters])
        self.letters += letters

    def take_out(self, box: str) -> list[str]:
        """The keys of a box, which is counted no more."""
        return self.take_out_named(box)[0]

    def take_out_named(self, box: str) -> tuple[list[str], list[str]]:
        """The keys of a box and its records, in step; it is counted no more."""
        self.found.pop(box, None)
        return self.keys.pop(box, []), self.records.pop(box, [])

    def named(self, box: str) -> list[tuple[str, str]]:
        """The (unit, record) pairs of a box."""
        return list(zip(self.keys.get(box, ()), self.records.get(box, ()), strict=True))

    def take_some(self, box: str, records: Iterable[str]) -> None:
        """Take some records out of a box."""
        gone = frozenset(records)
        pairs = self.named(box)
        kept = [pair for pair in pairs if pair[1] not in gone]
        self.found[box] -= len(pairs) - len(kept)
        self.keys[box] = [key for key, _ in kept]
        self.records[box] = [record for _, record in kept]

    @property
    def counts(self) -> dict[str, int]:
        """The counts by box, which balance: `read` is their sum, without `removed`."""
        counts = {box: self.found[box] for box in COUNTS}
        counts["filtered"] += self.found["outranked"]
        return {**counts, "read": sum(counts[box] for box in BOXES)}

    def only(self, keys: Iterable[str]) -> Books:
        """The books of some of the keys, where all were asked for by name: those that this worker
        was the one to forget.
        """
        wanted = set(keys)
        some = Books(letters=[letter for letter in self.letters if letter.unit in wanted])
        for box in self.keys:
            pairs = [pair for pair in self.named(box) if pair[0] in wanted]
            some.put(box, [key for key, _ in pairs], [record for _, record in pairs])
        return some

    def only_boxes(self, *boxes: str) -> Books:
        """The books of some of the boxes."""
        some = Books()
        for box in boxes:
            some.put(box, self.keys.get(box, []), self.records.get(box, []))
        return some
