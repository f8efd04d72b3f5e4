"""One record for each value of a column, synced in one go: which crossed, and what was said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from synctasks.flow import Flow
from tests.flows.told import letters_of
from tests.rows import Connection, rows, value
from tests.syncing import by_events

MISSING = ("completeness", "is missing")
BLANK = ("accuracy", "is blank")
LONG_WORD = ("accuracy", "is longer than 64 characters")
NO_UUID = ("accuracy", "is no UUID in its canonical form")
NO_NUMBER = ("accuracy", "is no number")
NO_MOMENT = ("accuracy", "is no moment of our era")
AHEAD = ("accuracy", "lies more than 5 minutes ahead")

Bad = tuple[str, Any, tuple[str, str]]
Good = tuple[str, Any]
#: Makes a record of this number with these columns, and returns its name.
Given = Callable[..., str]

NO_MOMENTS: list[tuple[Any, tuple[str, str]]] = [
    (None, MISSING),
    *((bad, NO_MOMENT) for bad in ("infinity", "-infinity", "0044-03-15 BC")),
    (timedelta(minutes=6), AHEAD),
]
MOMENTS: list[Any] = [timedelta(minutes=4), "0001-01-01 00:00+00"]
NO_UUIDS: list[tuple[Any, tuple[str, str]]] = [
    *((bad, MISSING) for bad in (None, "", " ")),
    *(
        (bad, NO_UUID)
        for bad in ("7", "7D444840-9DC0-41E0-9A5B-30D4C2F5C8A1", "7d4448409dc041e09a5b30d4c2f5c8a1")
    ),
]


@dataclass(frozen=True)
class Judged:
    """The names in the order in which the values were given; who crossed; the letters by name."""

    names: list[str]
    crossed: set[str]
    said: dict[str, tuple[str, str]]

    def refused(self, number: int, bad: Bad) -> bool:
        """Whether the record stayed at its source, and its letter says this."""
        name, (column, _, (category, message)) = self.names[number], bad
        told = self.said.get(name)
        assert told == (category, f"{column}: {message}"), told
        return name not in self.crossed

    def accepted(self, number: int) -> bool:
        """Whether the record crossed, and has no letter."""
        return self.names[number] in self.crossed - self.said.keys()


def judge(
    flow: Flow, source: Connection, target: Connection, given: Given, values: Sequence[Any]
) -> Judged:
    """What becomes of records that have these values; those relative to now are made so."""
    now = value(source, "SELECT statement_timestamp()")
    names = []
    for number, (column, chosen, *_) in enumerate(values):
        there = now + chosen if isinstance(chosen, timedelta) else chosen
        names.append(given(source, number, **{column: there}))
    bad = sum(len(each) == 3 for each in values)
    counts = by_events(source, flow)
    assert counts == {"read": len(values), "written": len(values) - bad, "rejected": bad}
    keys = rows(target, f"SELECT {flow.target.key}::text FROM {flow.target.table}")
    said = {record: (category, error) for record, category, error in letters_of(source, flow)}
    return Judged(names, set(keys), said)


def names_of(values: Sequence[Any]) -> list[str]:
    """What tests of these values are called."""
    return [f"{column}={chosen!a:.40}" for column, chosen, *_ in values]
