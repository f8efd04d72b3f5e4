"""References of a declaration: what a record needs at the target before it can be written.

SQL fragments speak of the source's row as `source`, and of a row of the target's table that may
be meant as `known`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Missing(StrEnum):
    """What becomes of a record whose reference the target does not know."""

    WAIT = "wait"
    REJECT = "reject"
    #: Counted as filtered, and no more is said of it.
    FILTER = "filter"


@dataclass(frozen=True)
class Need:
    """A name under which somebody announces that what a record waits for may be there now.

    `kind` and the value of `sql` (at the waiting record's source) make the name. It is stored, so
    it holds nothing sensitive: what is masked elsewhere is masked here. `run_of` is the flow (from
    the same source) of which a full run is asked for as soon as something waits, since it may bring
    what is missing.
    """

    kind: str
    sql: str
    run_of: str | None = None


@dataclass(frozen=True)
class Reference:
    """How a value of the source becomes the key of a row that the target knows.

    `value` is taken from the source's row, in the source's query; `meant` says which row of
    `table` it means, with `{value}` where the value stands. Where several rows may be meant,
    `first` orders them, and the first one is; else they are too many. An optional reference may be
    null. `scans` says that no index of the table serves: it is read once for all of a batch.
    """

    table: str
    key: str
    meant: str
    value: str
    reads: tuple[str, ...]
    value_type: str = "text"
    missing: Missing = Missing.WAIT
    optional: bool = False
    first: str | None = None
    scans: bool = False
    needs: tuple[Need, ...] = ()

    @property
    def is_by_key(self) -> bool:
        """Whether the value is the key itself, known or not."""
        return self.meant == f"known.{self.key} = {{value}}"

    @property
    def unknown(self) -> str:
        """What is said of a record whose reference is not there, and never comes."""
        return f"is unknown to {self.table}"

    @property
    def ambiguous(self) -> str:
        """What is said of a record that means more than one row."""
        return f"means several rows of {self.table}"


@dataclass(frozen=True)
class Wake:
    """What a flow announces: records that wait for `kind` are looked at again.

    With a `column`, its values in the rows that were written name what came, and those wake that
    wait in the flow's target database; without one the unit's key does, at its source.
    """

    kind: str
    column: str | None = None


@dataclass(frozen=True)
class Match:
    """How a unit finds its row in a target that has keys of its own.

    The row is the one that holds the unit's value of `column`. Without such a row, it is the one
    that was made for this unit (whose key is derived from the unit's); that one is corrected.
    Without either a row is made. What is made or corrected gets the constant of `review`, and so
    does the row once made for a unit that matches another one now.
    """

    column: str
    review: str
