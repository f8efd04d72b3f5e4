"""Judge: records that the gate did not let through are read as text and judged by the contract."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache

from synctasks import sql
from synctasks.contracts import Category, Json
from synctasks.database import Transaction, array
from synctasks.dead_letters import Letter
from synctasks.engine.extract import record_name, records, scope, wanted_row
from synctasks.errors import RowError
from synctasks.flow import Flow

# Rows become Python objects here, so they come a few at a time.
_ROWS = 200
# Of a longer value a dead letter keeps the beginning. What is judged is read whole; but of a JSON
# document only the first character is judged.
_MOST_CHARACTERS = 16_384

_READ = """\
SELECT
    wanted.key,
    {record},
    statement_timestamp(),
    ARRAY[{facts}]::boolean[],
    ARRAY[
        {values}
    ]::text[]
FROM unnest(%(keys)s::text[]) AS wanted (key)
JOIN {records} ON {wanted_row}
WHERE ({scope}) IS TRUE
{named}"""

# A wide unit may have very many records, and only some of them are asked for.
_NAMED = """\
    AND {record} = ANY (%(records)s::text[])
"""


def judge(
    flow: Flow, pairs: Sequence[tuple[str, str]], source: Transaction
) -> tuple[list[tuple[str, str]], list[Letter]]:
    """Of (unit, record) pairs those that the contract accepts, and the letters of the others.

    What is out of scope is not judged. Raises SynctasksError.
    """
    accepted: list[tuple[str, str]] = []
    letters: list[Letter] = []
    contract, names = flow.contract(), _facts(flow)
    for key, record, now, facts, row in _read(flow, pairs, source):
        refusal = contract.refusal(row, now=now, facts=dict(zip(names, facts, strict=True)))
        if refusal is None:
            accepted.append((key, record))
        else:
            letters.append(
                Letter(key, record, refusal.category, refusal.error, refusal.messages, _cut(row))
            )
    return accepted, letters


def refused(
    flow: Flow, pairs: Sequence[tuple[str, str]], column: str, said: str, source: Transaction
) -> list[Letter]:
    """The letters of records that the target cannot take; what is said, and of which column."""
    return [
        Letter(key, record, Category.CONSISTENCY, f"{column}: {said}", {column: [said]}, _cut(row))
        for key, record, _, _, row in _read(flow, pairs, source)
    ]


def guilty(flow: Flow, key: str, error: RowError, trace: str, source: Transaction) -> Letter:
    """The letter of the one record that made its batch fail, with the error it raised."""
    # Which of a wide unit's records it was, nobody knows.
    rows = [] if flow.wide else [row for _, _, _, _, row in _read(flow, [(key, key)], source)]
    row = _cut(rows[0]) if rows else None
    messages = {"": [str(error)]}
    return Letter(key, key, error.category, str(error), messages, row, stack_trace=trace)


def _read(
    flow: Flow, pairs: Sequence[tuple[str, str]], source: Transaction
) -> Iterator[tuple[str, str, datetime, list[bool], dict[str, str | None]]]:
    """Key, record, the server's time, its verdicts, and what the flow reads of each row."""
    columns = flow.watched
    distinct = list(dict.fromkeys(pairs))
    for start in range(0, len(distinct), _ROWS):
        some = distinct[start : start + _ROWS]
        wanted = {
            "keys": array(dict.fromkeys(key for key, _ in some)),
            "records": array(record for _, record in some),
        }
        for key, record, now, facts, values in source.rows(_read_sql(flow), wanted):
            yield key, record, now, facts, dict(zip(columns, values, strict=True))


@cache
def _read_sql(flow: Flow) -> str:
    by_fact = {rule.fact: rule for rule in flow.contract.rules if rule.fact is not None}
    return _READ.format(
        record=record_name(flow),
        facts=", ".join(by_fact[fact].sql("source") for fact in _facts(flow)),
        values=sql.lines((_text(flow, column) for column in flow.watched), indent=8),
        records=records(flow),
        wanted_row=wanted_row(flow),
        scope=scope(flow),
        named=_NAMED.format(record=record_name(flow)) if flow.source.query else "",
    )


def _text(flow: Flow, column: str) -> str:
    """A value as text: whole where its rule looks at all of it."""
    text = f"{sql.name(f'source.{column}')}::text"
    field = flow.contract.fields_by_column().get(column, Json())
    return f"left({text}, {_MOST_CHARACTERS})" if isinstance(field, Json) else text


def _cut(row: dict[str, str | None]) -> dict[str, str | None]:
    return {column: value and value[:_MOST_CHARACTERS] for column, value in row.items()}


def _facts(flow: Flow) -> list[str]:
    """What only the server can say of a row, by name, in the order of the query."""
    return [rule.fact for rule in flow.contract.rules if rule.fact is not None]
