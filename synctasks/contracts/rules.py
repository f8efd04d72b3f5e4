"""Rules between values: an order, a reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from synctasks import sql
from synctasks.contracts.complaint import MISSING, Category, Complaint


class Rule(Protocol):
    """A rule on some of a contract's columns; it holds where one of them is null."""

    @property
    def column(self) -> str:
        """The column that a complaint is about."""

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns that it is about; it is judged only where each of them is accepted."""

    @property
    def complaint(self) -> Complaint:
        """What is said where it does not hold."""

    @property
    def fact(self) -> str | None:
        """A name under which the server's own verdict is asked for, if Python cannot know it."""

    @property
    def said(self) -> str:
        """The rule in words, after its column's name."""

    def sql(self, of: str) -> str:
        """The condition on the row `of`; true only where the rule holds."""

    def holds(self, values: Mapping[str, Any], facts: Mapping[str, bool]) -> bool:
        """The same in Python; no value is null."""


@dataclass(frozen=True)
class NotBefore:
    """One moment is not before another."""

    column: str
    earlier: str
    fact = None

    @property
    def reads(self) -> tuple[str, ...]:
        return self.column, self.earlier

    @property
    def said(self) -> str:
        return f"not before {self.earlier}"

    @property
    def complaint(self) -> Complaint:
        return Complaint(f"is before {self.earlier}", Category.CONSISTENCY)

    def sql(self, of: str) -> str:
        later, earlier = (sql.name(f"{of}.{each}") for each in self.reads)
        return f"({later} IS NULL OR {earlier} IS NULL OR {later} >= {earlier})"

    def holds(self, values: Mapping[str, Any], facts: Mapping[str, bool]) -> bool:
        return bool(values[self.column] >= values[self.earlier])


@dataclass(frozen=True)
class Known:
    """A value stands in another table of the source database: only the server can say so."""

    column: str
    table: str
    key: str

    @property
    def fact(self) -> str:
        return f"{self.column} is known"

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.column,)

    @property
    def said(self) -> str:
        return f"known to {self.table}"

    @property
    def complaint(self) -> Complaint:
        return Complaint(f"is unknown to {self.table}", Category.CONSISTENCY)

    def sql(self, of: str) -> str:
        value = sql.name(f"{of}.{self.column}")
        known = f"SELECT known.{sql.name(self.key)} FROM {sql.name(self.table)} AS known"
        return f"({value} IS NULL OR {value} IN ({known}))"

    def holds(self, values: Mapping[str, Any], facts: Mapping[str, bool]) -> bool:
        return facts[self.fact]


@dataclass(frozen=True)
class Needed:
    """A value is required where another one `is_` this word."""

    column: str
    where: str
    is_: str
    fact = None

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.where,)

    @property
    def said(self) -> str:
        return f"required where {self.where} is {self.is_}"

    @property
    def complaint(self) -> Complaint:
        return MISSING

    def sql(self, of: str) -> str:
        value, where = sql.name(f"{of}.{self.column}"), sql.name(f"{of}.{self.where}")
        return f"({where} IS DISTINCT FROM {sql.literal(self.is_)} OR {value} IS NOT NULL)"

    def holds(self, values: Mapping[str, Any], facts: Mapping[str, bool]) -> bool:
        # A value that was refused for itself is not there to be looked at.
        missing = self.column in values and values[self.column] is None
        return not (missing and values[self.where] == self.is_)
