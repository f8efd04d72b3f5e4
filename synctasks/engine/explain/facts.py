"""All that is known of a unit, before anybody says what it means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote
from typing import Any

from synctasks.engine.books import Books
from synctasks.engine.explain.marks import Marks
from synctasks.engine.explain.source import Record
from synctasks.engine.explain.target import Rows
from synctasks.flow import Flow

# What a reconcile would do to a record, what needs somebody's attention first.
BOXES = (
    "rejected",
    "waiting",
    "missing",
    "different",
    "extra",
    "superseded",
    "unchanged",
    "outranked",
    "filtered",
)


@dataclass(frozen=True)
class Facts:
    """Of a unit: what a reconcile would do now (`books`), the marks, some records, some rows.

    `details` are the records' references and conflict decisions, by name. `is_busy` says that
    somebody else held the lane all the time.
    """

    flow: Flow
    key: str
    books: Books
    marks: Marks
    records: list[Record]
    details: Mapping[str, dict[str, Any]]
    rows: Rows
    is_busy: bool = False

    @property
    def name(self) -> str:
        """What the unit is called: the empty key is that of rows without one."""
        return self.key or f"The unit without {self.flow.source.key}"

    @property
    def command(self) -> str:
        """What asks for it at once."""
        return f"synctasks sync {self.flow.name} --key {quote(self.key)}"

    @property
    def counts(self) -> dict[str, int]:
        """How many records, or rows where they would go, are in each box."""
        return {box: self.books.found[box] for box in BOXES if self.books.found[box]}

    @property
    def record_count(self) -> int:
        """How many records the unit has at the source."""
        return sum(count for box, count in self.counts.items() if box != "extra")

    @property
    def worst(self) -> str | None:
        """What needs attention first; None where the source has nothing, and nothing would go."""
        return next((box for box in BOXES if self.books.found[box]), None)

    @property
    def is_extra(self) -> bool:
        """Whether what is wrong is that rows are still there."""
        return self.worst == "extra"

    def box_of(self, record: str) -> str | None:
        """What a reconcile would do to a record of the unit."""
        for box in BOXES:
            if box != "extra" and record in self.books.records.get(box, ()):
                return box
        return None

    def errors(self) -> str:
        """What is wrong with the rejected records, each thing once."""
        found = Counter(letter.error for letter in self.books.letters)
        return "; ".join(found) if len(found) < 3 else f"{next(iter(found))}; and other errors"
