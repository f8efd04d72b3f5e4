"""A transaction of an application, and what it comes to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

#: A psycopg2 cursor, which has no type of its own for mypy.
Cursor: TypeAlias = Any


def _nothing() -> None:
    """Nothing has to be remembered."""


class Done(NamedTuple):
    """What a transaction comes to, once it is committed.

    `changes` are those that the sync has to carry, by flow; `remember` is called after the commit.
    """

    changes: Mapping[str, int] = {}
    remember: Callable[[], None] = _nothing


Act: TypeAlias = Callable[[Cursor], Done]
#: A kind of transaction, and how often it comes beside the others.
Weighted: TypeAlias = tuple[Act, int]


class Subject:
    """What an application is about: its transactions."""

    def everyday(self) -> tuple[Weighted, ...]:
        """Those of the everyday, with their weights."""
        return ()

    def bulk(self) -> tuple[Act, ...]:
        """Those of many rows."""
        return ()

    def closing(self) -> tuple[Act, ...]:
        """What must not be left undone when the application ends."""
        return ()


class Abandoned(Exception):
    """The application changed its mind: its transaction is rolled back."""


def choose(random: Random, acts: Sequence[Weighted]) -> Act:
    """One of them, the likelier the more weight it has."""
    kinds, weights = zip(*acts, strict=True)
    chosen: Act = random.choices(kinds, weights)[0]
    return chosen


def new_id(random: Random) -> str:
    """An id for something new."""
    return str(UUID(int=random.getrandbits(128), version=4))
