"""The suspicious values of a table that a flow writes, page by page in the order of its key."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from synctasks import sql
from synctasks.checks import patterns
from synctasks.database import CHUNK, Row, Transaction, transaction
from synctasks.flow import Column, Database, Flow

PAGE_ROWS = 2_000

# Which hold text, and which of them are documents.
_COLUMNS = """\
SELECT
    attname::text,
    atttypid::regtype::text,
    typcategory = 'S' OR typname IN ('json', 'jsonb'),
    typname IN ('json', 'jsonb')
FROM pg_catalog.pg_attribute
JOIN pg_catalog.pg_type AS type ON type.oid = atttypid
WHERE attrelid = to_regclass(%(table)s) AND attnum > 0 AND NOT attisdropped
"""

# A page of the table in the order of its key; of what is not suspicious nothing comes along. The
# last row always does: the next page begins behind it.
_PAGE = """\
WITH page AS MATERIALIZED (
    SELECT {columns}
    FROM {table} AS target
    WHERE {behind}
    ORDER BY {order}
    LIMIT {rows}
),
looked AS (
    SELECT
        row_number() OVER (ORDER BY {order}) AS place,
        {keys},
        {suspects}
    FROM page AS target
)
SELECT looked.*, max(looked.place) OVER ()
FROM looked
WHERE num_nonnulls({names}) > 0 OR looked.place = (SELECT max(place) FROM looked)
ORDER BY looked.place
"""


@dataclass(frozen=True)
class Searched:
    """A column that is searched, and how its values are read."""

    column: Column
    is_document: bool
    is_key: bool

    @property
    def suspicious(self) -> str:
        """The condition under which a value is looked at."""
        text = f"target.{sql.name(self.column.name)}::text"
        if self.column.constant is not None:
            return f"{text} <> {sql.literal(self.column.constant)}"
        if self.column.mask:
            form = f"^(?:{patterns.MASKED[self.column.mask]})$"
            return f"{text} !~ {sql.literal(form)}"
        return f"{text} ~ {sql.literal(patterns.SUSPICIOUS)}"

    def kinds(self, text: str) -> Iterator[str]:
        """What a suspicious value holds that it should not."""
        if self.column.constant is not None:
            yield patterns.UNMASKED
        elif self.column.mask:
            yield from patterns.in_masked(self.column.mask, text)
        elif self.is_document:
            yield from _in_document(text)
        elif self.is_key:
            yield from patterns.in_key(text)
        else:
            yield from patterns.in_text(text)


def searched(flow: Flow, tx: Transaction) -> list[Searched]:
    """The texts and documents that the flow writes, as far as they are there."""
    forms = {
        name: is_document
        for name, _, holds_text, is_document in tx.rows(_COLUMNS, _table(flow))
        if holds_text
    }
    return [
        Searched(column, forms[column.name], column.name in flow.target.row_key)
        for column in flow.columns
        if column.name in forms
    ]


def key_types(flow: Flow, tx: Transaction) -> list[str] | None:
    """The types of the key's columns, or None if it is not there."""
    types = {name: kind for name, kind, *_ in tx.rows(_COLUMNS, _table(flow))}
    found = [types[key] for key in flow.target.row_key if key in types]
    return found if len(found) == len(flow.target.row_key) else None


def pages(
    flow: Flow, key_types: Sequence[str], searched: Sequence[Searched]
) -> Iterator[tuple[list[Row], int]]:
    """The suspicious rows of each page, and how many rows it had."""
    keys = flow.target.row_key
    last: tuple[str, ...] | None = None
    while True:
        statement = _page_sql(flow, key_types, searched, first=last is None)
        parameters = dict(zip((f"key_{n}" for n in range(len(keys))), last or (), strict=False))
        with transaction(Database.CITIZEN, CHUNK, snapshot=True) as tx:
            rows = tx.rows(statement, parameters)
        if not rows:
            return
        count: int = rows[-1][-1]
        yield rows, count
        if count < PAGE_ROWS:
            return
        last = rows[-1][1 : 1 + len(keys)]


def _page_sql(
    flow: Flow, key_types: Sequence[str], searched: Sequence[Searched], *, first: bool
) -> str:
    keys = [f"target.{sql.name(key)}" for key in flow.target.row_key]
    bounds = [f"%(key_{n})s::{kind}" for n, kind in enumerate(key_types)]
    wanted = dict.fromkeys([*flow.target.row_key, *(each.column.name for each in searched)])
    return _PAGE.format(
        columns=sql.names(wanted, of="target", indent=8),
        table=sql.name(flow.target.table),
        behind="true" if first else f"({', '.join(keys)}) > ({', '.join(bounds)})",
        order=", ".join(keys),
        rows=PAGE_ROWS,
        keys=sql.lines((f"{key}::text AS key_{n}" for n, key in enumerate(keys)), indent=8),
        suspects=sql.lines(
            (
                f"CASE WHEN {each.suspicious} THEN target.{sql.name(each.column.name)}::text END"
                f" AS suspect_{n}"
                for n, each in enumerate(searched)
            ),
            indent=8,
        ),
        names=", ".join(f"looked.suspect_{n}" for n in range(len(searched))),
    )


def _in_document(text: str) -> Iterator[str]:
    try:
        yield from list(patterns.in_document(json.loads(text)))
    except RecursionError:
        # Nested deeper than anybody means it.
        yield from patterns.in_text(text)


def _table(flow: Flow) -> dict[str, str]:
    return {"table": flow.target.table}
