"""The parts of a flow's declaration: where units come from, where they arrive, in which columns.

SQL fragments speak of the row as `source`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from synctasks.characters import is_blank
from synctasks.contracts import MOST_KEY_BYTES
from synctasks.period import Time
from synctasks.references import Match, Reference

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Database(StrEnum):
    """One of the two systems that are kept in step."""

    WAREHOUSE = "warehouse"
    CITIZEN = "citizen"


class Operation(StrEnum):
    """What an application did to a row, as a trigger sees it."""

    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"


class Absent(StrEnum):
    """What happens to a target row whose unit is gone from the source, or out of scope."""

    KEEP = "keep"
    DELETE = "delete"
    DEACTIVATE = "deactivate"
    #: Rows that a unit no longer has go; those of a unit that is gone stay.
    DELETE_WITHIN = "delete within"


@dataclass(frozen=True)
class Deactivation:
    """How a target row leaves use that others may refer to: it is not deleted.

    `column` gets `value` (which marks it as out of use), `stamp` the source's time.
    """

    column: str
    value: str
    stamp: str


@dataclass(frozen=True)
class Mask:
    """Hides a value inside the source's own query; `sql` holds `{value}` where it stands."""

    name: str
    sql: str


@dataclass(frozen=True)
class Condition:
    """A condition on the source row, and the source columns that it reads."""

    sql: str
    reads: tuple[str, ...]


class OnUpdate(StrEnum):
    """What becomes of a column when its row is there already."""

    REPLACE = "replace"
    #: Written with the row when it is new, and never changed.
    KEEP = "keep"
    #: A null never erases what is there.
    FILL = "fill"
    #: Written whenever the row is, but nothing to write it for.
    STAMP = "stamp"
    #: The later of the two values stays.
    LATEST = "latest"


@dataclass(frozen=True)
class Column:
    """One column of the target: its type there, and where its value comes from.

    That is a source column, masked or not; a `constant`; a `lookup`, an expression of its own at
    the source; or a `reference`, which the target resolves. `words` says what becomes of each word
    of a source column. An optional column takes part only where both tables have it.
    """

    name: str
    type: str
    source: str = ""
    mask: Mask | None = None
    optional: bool = False
    constant: str | None = None
    lookup: str | None = None
    words: tuple[tuple[str, str], ...] = ()
    reference: Reference | None = None
    on_update: OnUpdate = OnUpdate.REPLACE

    @property
    def reads(self) -> str:
        """The source column's name; empty for a constant."""
        own = self.constant is not None or self.lookup is not None
        return "" if own and not self.source else self.source or self.name

    @property
    def staged_type(self) -> str:
        """The type in which its value travels."""
        return self.reference.value_type if self.reference else self.type


@dataclass(frozen=True)
class Table:
    """A table that is captured: the unit of its row `{row}`, and which columns make an event."""

    name: str
    unit: str
    reads: tuple[str, ...]
    primary_key: tuple[str, ...]


@dataclass(frozen=True)
class Query:
    """The records of a unit that is no row of one table.

    `records` selects those of the unit `{unit}` (text); `units` all units there are, as a column
    with the name of the source's key. `record` names a record of the row `source`. So many units
    are worked `at_once` at most, where one is as much as thousands elsewhere.
    """

    records: str
    units: str
    record: str
    tables: tuple[Table, ...]
    at_once: int | None = None


@dataclass(frozen=True)
class Log:
    """An event log: every change of one of the columns `of` is kept, with the values of `keeps`.

    They stand in `synctasks.event_log` for 7 days, and as long as something of their unit is open.
    """

    of: tuple[str, ...]
    keeps: tuple[str, ...]


@dataclass(frozen=True)
class KeyForm:
    """What the keys of a source look like; `said` in words, after "it is no"."""

    said: str
    matches: Callable[[str], bool]


_FORMS = {"uuid": KeyForm("UUID in its canonical form", lambda key: bool(_UUID.fullmatch(key)))}


@dataclass(frozen=True)
class Source:
    """Where units come from: `key` identifies the unit, `primary_key` the row.

    Where the key may be null, the unit of the empty key holds the rows without one: no contract
    lets them pass, and so they are found, rejected by their primary key, and can be replayed.
    Where a unit is no row of `table`, `query` says what its records are; `log` keeps every change.
    `time` is the one that a record is of, by which those of a period can be replayed.
    """

    database: Database
    table: str
    key: str
    key_type: str = "text"
    primary_key: tuple[str, ...] = ()
    key_nullable: bool = False
    key_form: KeyForm | None = None
    query: Query | None = None
    log: Log | None = None
    time: Time | None = None

    @property
    def row_key(self) -> tuple[str, ...]:
        """The columns that identify a source row."""
        return self.primary_key or (self.key,)

    def key_problem(self, key: str) -> str | None:
        """What is wrong with a key that somebody typed, or None."""
        form = self.key_form or _FORMS.get(self.key_type)
        if form and not form.matches(key):
            return f"it is no {form.said}"
        if is_blank(key) or "\0" in key:
            return "it is blank or holds a NUL character"
        # What no terminal could decode arrives as lone surrogates.
        if any("\ud800" <= character <= "\udfff" for character in key):
            return "it is no valid text"
        if len(key.encode()) > MOST_KEY_BYTES:
            return f"it is longer than {MOST_KEY_BYTES} bytes"
        return None


@dataclass(frozen=True)
class Best:
    """Of a unit's rows only the best `most` stay: those with the highest score.

    `score` is the target's column, `exact` the score before it is rounded, at the source. Among
    equals the later in `newest` is better, then the first by the rest of the key, bytewise.
    """

    most: int
    score: str
    exact: str


@dataclass(frozen=True)
class Target:
    """Where they arrive: `key` is the column by which a row is found again.

    `identity` is a second unique column, written once and never changed. A unit that comes with
    the identity of another row was renamed: it is rejected, and that row is left as it is.
    `match` says how a unit finds its row where `key` is none of the source's. `newest` is the
    column by which the later state wins: a row is overwritten by a later one only, or where
    `newest_ties` by one of the same time, too. Where a unit may have many rows, `key` holds the
    unit, `within` are the further columns of the row's key, and `best` says which rows stay. Where
    several units may come with the same row, it is `claimed`: it belongs to the first one.
    """

    database: Database
    table: str
    key: str
    within: tuple[str, ...] = ()
    identity: str | None = None
    match: Match | None = None
    newest: str | None = None
    newest_ties: bool = False
    claimed: bool = False
    best: Best | None = None

    @property
    def row_key(self) -> tuple[str, ...]:
        """The columns that identify a row."""
        return self.key, *self.within
