"""What both sides of a contract say of rows on a real server: the gate there, marshmallow here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from synctasks import sql
from synctasks.contracts import Contract, Field, Refusal
from tests.conftest import connected
from tests.contract_case import Case
from tests.rows import Connection, execute, rows
from tests.workspace import WAREHOUSE, Workspace

# Values are shown as in synctasks' own transactions.
AS_OURS = "SET TimeZone = 'UTC'; SET DateStyle = 'ISO'"


@dataclass(frozen=True)
class Verdict:
    """A row as the server shows it, whether the gate lets it through, and what marshmallow says."""

    row: Mapping[str, str | None]
    gate: bool
    refusal: Refusal | None

    @property
    def agreed(self) -> bool:
        return self.gate == (self.refusal is None)

    @property
    def told(self) -> str:
        """The row in few words, with the way in which the sides differ, if they do."""
        values = ", ".join(
            f"{column}={'NULL' if text is None else ascii(text[:80])}"
            for column, text in self.row.items()
        )
        kind = "agreed" if self.agreed else "UNSOUND" if self.gate else "needless"
        return f"{kind}: {values}" + (f" ({self.refusal.error})" if self.refusal else "")


def verdicts(
    server: Connection, contract: type[Contract], source: str, parameters: Any = None
) -> list[Verdict]:
    """What both sides say of each row of `source` (what follows FROM), at the server's time."""
    columns = list(contract.fields_by_column())
    facts = {rule.fact: rule.sql("source") for rule in contract.rules if rule.fact is not None}
    shown = ", ".join(f"{sql.name(f'source.{column}')}::text" for column in columns)
    statement = f"""
        SELECT
            ({contract.gate()}) IS TRUE,
            statement_timestamp(),
            ARRAY[{", ".join(facts.values())}]::boolean[],
            ARRAY[{shown}]::text[]
        FROM """
    found = []
    judge = contract()
    for gate, now, known, values in rows(server, statement.replace("%", "%%") + source, parameters):
        row = dict(zip(columns, values, strict=True))
        said = dict(zip(facts, known, strict=True))
        found.append(Verdict(row, gate, judge.refusal(row, now=now, facts=said)))
    return found


def verdicts_of_field(
    server: Connection, case: Case, values: Sequence[str | None]
) -> list[Verdict]:
    """What both sides say of the values in a column of their own, in the order of the values."""
    source = f"""(
            SELECT {case.made} AS held
            FROM unnest(%s::text[]) WITH ORDINALITY AS given (text, place)
            ORDER BY given.place
        ) AS source"""
    return verdicts(server, contract_of(held=case.field), source, [list(values)])


def disagreements(found: Iterable[Verdict]) -> list[str]:
    """Where the sides differ: UNSOUND breaks the promise, needless asks marshmallow in vain."""
    return [verdict.told for verdict in found if not verdict.agreed]


def unsound(found: Iterable[Verdict]) -> list[str]:
    """What the gate lets through and marshmallow refuses."""
    return [verdict.told for verdict in found if verdict.gate and verdict.refusal]


def contract_of(**fields: Field) -> type[Contract]:
    """A contract of these fields, without rules."""
    made = Contract.from_dict(dict(fields))
    assert issubclass(made, Contract)
    return made


@contextmanager
def warehouse_session(place: Workspace) -> Iterator[Connection]:
    """A fresh warehouse, in a session that shows values as synctasks' own transactions do."""
    place.renew()
    with connected(place.environment[WAREHOUSE]) as connection:
        execute(connection, AS_OURS)
        yield connection


@contextmanager
def undone(server: Connection) -> Iterator[None]:
    """What the block writes is rolled back."""
    execute(server, "BEGIN")
    try:
        yield
    finally:
        execute(server, "ROLLBACK")
