"""The vocabulary of a flow's declaration.

A flow file says what leaves a source table, how it is masked, where it arrives and when. All
of it is data: frozen, and checked when the module is imported, so that a wrong declaration
stops the process before it touches a row. SQL fragments speak of the row as `source`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from synctasks.contracts import Contract
from synctasks.lane import MOST_LANES
from synctasks.parts import (
    Absent,
    Best,
    Column,
    Condition,
    Database,
    Deactivation,
    KeyForm,
    Log,
    Mask,
    OnUpdate,
    Operation,
    Query,
    Source,
    Table,
    Target,
)
from synctasks.period import Time
from synctasks.references import Match, Missing, Need, Reference, Wake
from synctasks.schedule import (
    DAILY_REVIEW,
    NIGHTLY_VERIFY,
    Aged,
    Captured,
    Duty,
    Everything,
    Round,
    Schedule,
    Selected,
    Stale,
)

__all__ = [
    "Absent",
    "Aged",
    "Best",
    "Captured",
    "Column",
    "Condition",
    "Database",
    "Deactivation",
    "Duty",
    "Everything",
    "Flow",
    "KeyForm",
    "Log",
    "Mask",
    "Match",
    "Missing",
    "Need",
    "OnUpdate",
    "Operation",
    "Query",
    "Reference",
    "Round",
    "Schedule",
    "Selected",
    "Source",
    "Stale",
    "Table",
    "Target",
    "Time",
    "Wake",
]

#: Stands for the flow where a message names none.
UNKNOWN = "unknown"

_NAME = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?")


@dataclass(frozen=True, kw_only=True)
class Flow:
    """One of the twelve flows: the whole truth about it.

    `contract` holds the validation rules; `scope` is the flow's own filter, judged before them;
    `event_filter` holds back captured changes only, until the next full run. `unripe` is what the
    application's next statement may still complete: such a record is left for the ladder, and
    judged after it. `lanes` is the number of hash shares its keys are worked in at once. `wakes`
    says what other flows' records wait for that this one brings. `stale` says which source rows
    are flagged for review; what it reads is no event.
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
    unripe: Condition | None = None
    absent: Absent = Absent.KEEP
    deactivation: Deactivation | None = None
    capture: tuple[Operation, ...] = ()
    schedule: Schedule | None = None
    lanes: int = 8
    wakes: tuple[Wake, ...] = ()
    stale: Stale | None = None

    def __post_init__(self) -> None:
        problems = _problems(self)
        if problems:
            raise ValueError(f"flow {self.name!r}: {'; '.join(problems)}")

    @property
    def watched(self) -> tuple[str, ...]:
        """The columns that the flow reads of a record; of a row of one table each is an event."""
        conditions = (c for c in (self.scope, self.event_filter, self.unripe) if c)
        read = [self.source.key, *(column.reads for column in self.columns if column.reads)]
        read += [name for condition in conditions for name in condition.reads]
        read += self.contract.fields_by_column()
        return tuple(dict.fromkeys(read))

    @property
    def key_column(self) -> Column:
        """The target's key as a column of the flow."""
        return next(column for column in self.columns if column.name == self.target.key)

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables that its records come from."""
        source = self.source
        if source.query:
            return source.query.tables
        return (Table(source.table, f"{{row}}.{source.key}", self.watched, source.row_key),)

    @property
    def at_once(self) -> int | None:
        """How many units are worked at once at most, if that is few."""
        return self.source.query.at_once if self.source.query else None

    @property
    def wide(self) -> bool:
        """Whether a unit may have many rows."""
        return bool(self.target.within)

    @property
    def keyed_by_unit(self) -> bool:
        """Whether a unit's key is the key by which its rows are found at the target."""
        return not self.target.match and self.key_column.reads == self.source.key

    @property
    def rests(self) -> bool:
        """Whether what is captured rests until its slot."""
        return self.schedule is not None and isinstance(self.schedule.asks_for, Captured)

    @property
    def duties(self) -> dict[Duty, Schedule]:
        """What the clock asks of it, and when."""
        due = {
            Duty.SYNC: self.schedule,
            Duty.VERIFY: NIGHTLY_VERIFY if self.capture else None,
            Duty.REVIEW: DAILY_REVIEW if self.stale else None,
        }
        return {duty: schedule for duty, schedule in due.items() if schedule}

    @property
    def identity_column(self) -> Column | None:
        """The target's identity as a column of the flow, if it has one."""
        return next((each for each in self.columns if each.name == self.target.identity), None)

    @property
    def compared(self) -> tuple[Column, ...]:
        """The columns in which a target row may differ from its source, and is then written."""
        return tuple(
            column
            for column in self.written
            if column.on_update is not OnUpdate.STAMP and column.name != self.target.newest
        )

    @property
    def written(self) -> tuple[Column, ...]:
        """The columns that are written over a row that is there."""
        fixed = [*self.target.row_key, self.target.identity]
        if self.target.match:
            fixed.append(self.target.match.review)
        return tuple(
            column
            for column in self.columns
            if column.name not in fixed and column.on_update is not OnUpdate.KEEP
        )

    @property
    def references(self) -> tuple[Column, ...]:
        """The columns whose values the target resolves."""
        return tuple(column for column in self.columns if column.reference)

    @property
    def scans(self) -> bool:
        """Whether the target has to read a whole table to find a reference."""
        return any(column.reference and column.reference.scans for column in self.columns)

    @property
    def needs(self) -> tuple[Need, ...]:
        """What its records may have to wait for."""
        return tuple(
            need for column in self.columns if column.reference for need in column.reference.needs
        )

    @property
    def resolves(self) -> bool:
        """Whether only the target knows what a source row comes to."""
        return bool(self.target.match or self.references)

    def without(self, missing: frozenset[str]) -> Flow:
        """The same flow less the target columns named."""
        kept = tuple(column for column in self.columns if column.name not in missing)
        return replace(self, columns=kept)


def _problems(flow: Flow) -> list[str]:
    columns = [column.name for column in flow.columns]
    named = [flow.name, flow.source.table, flow.source.key, flow.target.table, *columns]
    named += [*flow.watched, *flow.source.row_key]
    named += [flow.stale.column] if flow.stale else []
    named += [name for table in flow.tables for name in (table.name, *table.reads)]
    problems = [f"{each!r} is no plain SQL name" for each in named if not _NAME.fullmatch(each)]
    if len(set(columns)) != len(columns):
        problems.append("a target column is declared twice")
    if flow.target.key not in columns:
        problems.append(f"the target's key {flow.target.key!r} is not among the columns")
    if flow.target.identity and flow.target.identity not in columns:
        problems.append(f"the target's identity {flow.target.identity!r} is not among the columns")
    if flow.target.best and not (flow.wide and flow.target.newest):
        problems.append("the best rows are chosen among those of a wide unit, by their newest")
    if flow.source.key_nullable and flow.source.key_type != "text":
        problems.append("only a text key may be null: the unit of such rows is the empty text")
    if (flow.absent is Absent.DEACTIVATE) != (flow.deactivation is not None):
        problems.append("absent = deactivate and a deactivation go together")
    problems += [
        f"{each!r} is not among the columns" for each in _named_elsewhere(flow) - {*columns}
    ]
    if flow.source.time and flow.source.time.column not in flow.watched:
        # Else a replay would read what the flow does not: of some tables it must not.
        problems.append(f"the time {flow.source.time.column!r} is no column that it reads")
    if flow.stale and (flow.source.query or len(flow.source.row_key) != 1):
        problems.append("only rows of one table with a key of one column are looked at for review")
    problems += [
        f"the reference of {column.name!r} does not read {column.reads!r}"
        for column in flow.columns
        if column.reference and column.reads not in column.reference.reads
    ]
    problems += _contract_problems(flow)
    if flow.source.database == flow.target.database:
        problems.append("source and target are the same database")
    if not 1 <= flow.lanes <= MOST_LANES:
        problems.append(f"lanes must be between 1 and {MOST_LANES}")
    return problems


def _named_elsewhere(flow: Flow) -> set[str]:
    """The columns that the target's rules and the wakes speak of."""
    match, best = flow.target.match, flow.target.best
    named = {flow.target.newest, *flow.target.within, *(wake.column for wake in flow.wakes)}
    named |= {best.score} if best else set()
    named |= {match.column, match.review} if match else set()
    return {each for each in named if each is not None}


def _contract_problems(flow: Flow) -> list[str]:
    judged = flow.contract.fields_by_column().keys()
    problems = [] if flow.source.key in judged else ["the contract has no rule for the key"]
    return problems + [
        f"the rule on {rule.column!r} reads {column!r}, which has no field"
        for rule in flow.contract.rules
        for column in rule.reads
        if column not in judged
    ]
