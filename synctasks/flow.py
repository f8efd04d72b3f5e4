"""The vocabulary of a flow's declaration.

A flow file says what leaves a source table, how it is masked, where it arrives and when. All
of it is data: frozen, and checked when the module is imported, so that a wrong declaration
stops the process before it touches a row. SQL fragments speak of the row as `source`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from synctasks.characters import is_blank
from synctasks.contracts import MOST_KEY_BYTES, Contract

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NAME = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?")


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


@dataclass(frozen=True)
class Column:
    """One column of the target: its type there, the source column it is read from, its mask.

    An optional column takes part only where both tables have it.
    """

    name: str
    type: str
    source: str = ""
    mask: Mask | None = None
    optional: bool = False

    @property
    def reads(self) -> str:
        """The source column's name."""
        return self.source or self.name


@dataclass(frozen=True)
class Source:
    """Where units come from: `key` identifies the unit, `primary_key` the row.

    Where the key may be null, the unit of the empty key holds the rows without one: no contract
    lets them pass, and so they are found, rejected by their primary key, and can be replayed.
    """

    database: Database
    table: str
    key: str
    key_type: str = "text"
    primary_key: tuple[str, ...] = ()
    key_nullable: bool = False

    @property
    def row_key(self) -> tuple[str, ...]:
        """The columns that identify a source row."""
        return self.primary_key or (self.key,)

    def key_problem(self, key: str) -> str | None:
        """What is wrong with a key that somebody typed, or None."""
        if self.key_type == "uuid" and not _UUID.fullmatch(key):
            return "it is no UUID in its canonical form"
        if is_blank(key) or "\0" in key:
            return "it is blank or holds a NUL character"
        # What no terminal could decode arrives as lone surrogates.
        if any("\ud800" <= character <= "\udfff" for character in key):
            return "it is no valid text"
        if len(key.encode()) > MOST_KEY_BYTES:
            return f"it is longer than {MOST_KEY_BYTES} bytes"
        return None


@dataclass(frozen=True)
class Target:
    """Where they arrive: `key` is the column by which a row is found again.

    `identity` is a second unique column, written once and never changed. A unit that comes with
    the identity of another row was renamed: it is rejected, and that row is left as it is.
    """

    database: Database
    table: str
    key: str
    identity: str | None = None


@dataclass(frozen=True)
class Schedule:
    """A moment of each day, or (without an hour) of each hour; UTC."""

    minute: int
    hour: int | None = None

    def latest(self, now: datetime) -> datetime:
        """The last moment at or before `now` (any time zone) at which the schedule was due."""
        slot = now.astimezone(UTC).replace(minute=self.minute, second=0, microsecond=0)
        if self.hour is not None:
            slot = slot.replace(hour=self.hour)
        period = timedelta(hours=1) if self.hour is None else timedelta(days=1)
        return slot if slot <= now else slot - period

    def __str__(self) -> str:
        if self.hour is None:
            return f"hourly, minute {self.minute}"
        return f"daily {self.hour:02}:{self.minute:02}"


@dataclass(frozen=True, kw_only=True)
class Flow:
    """One of the twelve flows: the whole truth about it.

    `contract` holds the validation rules; `scope` is the flow's own filter, judged before them;
    `event_filter` holds back captured changes only, until the next full run. `lanes` is the
    number of hash shares its keys are worked in at once.
    """

    name: str
    specification: str
    summary: str
    source: Source
    target: Target
    columns: tuple[Column, ...]
    contract: type[Contract]
    scope: Condition | None = None
    event_filter: Condition | None = None
    absent: Absent = Absent.KEEP
    deactivation: Deactivation | None = None
    capture: tuple[Operation, ...] = ()
    schedule: Schedule | None = None
    lanes: int = 8

    def __post_init__(self) -> None:
        problems = _problems(self)
        if problems:
            raise ValueError(f"flow {self.name!r}: {'; '.join(problems)}")

    @property
    def watched(self) -> tuple[str, ...]:
        """The source columns that the flow reads: a change in one of them is an event."""
        conditions = (c for c in (self.scope, self.event_filter) if c)
        read = [self.source.key, *(column.reads for column in self.columns)]
        read += [name for condition in conditions for name in condition.reads]
        read += self.contract.fields_by_column()
        return tuple(dict.fromkeys(read))

    @property
    def key_column(self) -> Column:
        """The target's key as a column of the flow."""
        return next(column for column in self.columns if column.name == self.target.key)

    @property
    def identity_column(self) -> Column | None:
        """The target's identity as a column of the flow, if it has one."""
        return next((each for each in self.columns if each.name == self.target.identity), None)

    @property
    def compared(self) -> tuple[Column, ...]:
        """The columns in which a target row may differ from its source, and is then written."""
        fixed = (self.target.key, self.target.identity)
        return tuple(column for column in self.columns if column.name not in fixed)

    def without(self, missing: frozenset[str]) -> Flow:
        """The same flow less the target columns named."""
        kept = tuple(column for column in self.columns if column.name not in missing)
        return replace(self, columns=kept)


def _problems(flow: Flow) -> list[str]:
    columns = [column.name for column in flow.columns]
    named = [flow.name, flow.source.table, flow.source.key, flow.target.table, *columns]
    named += [*flow.watched, *flow.source.row_key]
    problems = [f"{each!r} is no plain SQL name" for each in named if not _NAME.fullmatch(each)]
    if len(set(columns)) != len(columns):
        problems.append("a target column is declared twice")
    if flow.target.key not in columns:
        problems.append(f"the target's key {flow.target.key!r} is not among the columns")
    if flow.target.identity and flow.target.identity not in columns:
        problems.append(f"the target's identity {flow.target.identity!r} is not among the columns")
    if flow.source.key_nullable and flow.source.key_type != "text":
        problems.append("only a text key may be null: the unit of such rows is the empty text")
    if (flow.absent is Absent.DEACTIVATE) != (flow.deactivation is not None):
        problems.append("absent = deactivate and a deactivation go together")
    problems += _contract_problems(flow)
    if flow.source.database == flow.target.database:
        problems.append("source and target are the same database")
    if not 1 <= flow.lanes <= 64:
        problems.append("lanes must be between 1 and 64")
    return problems


def _contract_problems(flow: Flow) -> list[str]:
    judged = flow.contract.fields_by_column().keys()
    problems = [] if flow.source.key in judged else ["the contract has no rule for the key"]
    return problems + [
        f"the rule on {rule.column!r} reads {column!r}, which has no field"
        for rule in flow.contract.rules
        for column in rule.reads
        if column not in judged
    ]
