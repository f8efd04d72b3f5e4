"""A flow's source as a table to try its contract on: a good row, a case for each column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from synctasks import sql
from synctasks.contracts import Contract
from synctasks.flow import Flow
from tests.contract_case import Case
from tests.contract_values import CANONICAL

Row = Mapping[str, str | None]
OPTIONAL, REQUIRED = 0, 1
# Larger values are tried one by one (test_gate.py).
MOST = 20_000
# The scheme that there is.
KNOWN_SCHEME = CANONICAL


@dataclass(frozen=True)
class Table:
    """A flow's source: a good row (without its primary key), and a case for each column.

    `ruled` are columns whose values are the business of a rule between columns, or whose words are
    the flow's own: their examples are told by name. Where a record is no row of a table, `made` is
    true and the record is tried in a table of its own.
    """

    flow: Flow
    key: str
    good: Row
    cases: Mapping[str, Case]
    # A unique column, and how a row's number becomes its value.
    unique: Row = field(default_factory=dict)
    ruled: frozenset[str] = frozenset()

    @property
    def made(self) -> bool:
        return self.flow.source.query is not None

    @property
    def name(self) -> str:
        return f"pg_temp.{self.flow.name}" if self.made else self.flow.source.table

    @property
    def contract(self) -> type[Contract]:
        return self.flow.contract

    @property
    def types(self) -> dict[str, str]:
        """The columns that are tried, with their types."""
        of_key = self.cases[self.key].column if self.key in self.cases else "uuid"
        return {self.key: of_key, **{each: self.cases[each].column for each in self.good}}

    @property
    def creation(self) -> str:
        """What makes the table where it is none of the application's."""
        columns = ", ".join(f"{sql.name(each)} {type_}" for each, type_ in self.types.items())
        return f"CREATE TEMPORARY TABLE {self.flow.name} ({columns}) ON COMMIT DROP"

    def row(self, number: int, changes: Row) -> Row:
        """A row, good but for the changes, with a primary key of its own."""
        key = f"00000000-0000-4000-8000-{number:012}"
        own = {column: form and form.format(number) for column, form in self.unique.items()}
        return {**self.good, self.key: key, **own, **changes}

    def examples(self, column: str) -> dict[str | None, bool]:
        """The values to try in a column, and whether each is acceptable."""
        found = self.cases[column].examples.items()
        return {text: good for text, good in found if text is None or len(text) <= MOST}
