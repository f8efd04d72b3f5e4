"""Walking a table by its keys, page by page, in its own order: the index serves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from synctasks import sql
from synctasks.database import Transaction, array
from synctasks.engine import absent, extract
from synctasks.flow import Flow
from synctasks.period import Period

_TARGET_PAGE = """\
SELECT
    coalesce(array_agg(page.key::text)::text, '{{}}'),
    count(*) < %(page)s,
    (array_agg(page.key::text ORDER BY page.place DESC))[1]
FROM (
    SELECT target.{key} AS key, row_number() OVER (ORDER BY target.{key}) AS place
    FROM {rows} AS target
    WHERE {within} AND {in_use}
    ORDER BY target.{key}
    LIMIT %(page)s
) AS page
"""

_SOURCE_BOUND = """\
SELECT source.{key}::text
FROM {units}
WHERE {within}
ORDER BY source.{key}
OFFSET %(skipped)s
LIMIT 1
"""

_SOURCE_PAGE = """\
SELECT source.{key}::text
FROM {units}
WHERE {within}
ORDER BY source.{key}
LIMIT %(page)s
"""

_IN_PERIOD = """\
SELECT kept.key
FROM unnest(%(keys)s::text[]) AS kept (key)
WHERE EXISTS (
    SELECT
    FROM {records}
    WHERE {wanted_row} AND {in_period}
)
"""

_SOURCE_KEYS = """\
    SELECT source.{key}::text AS key
    FROM {units}
    WHERE {within}\
"""

_COUNT_ABOVE = """\
SELECT count(*)
FROM {units}
WHERE {within}
"""

_NOT_IN_SOURCE = """\
SELECT kept.key
FROM unnest(%(keys)s::text[]) AS kept (key)
WHERE NOT EXISTS (
    SELECT
    FROM {records}
    WHERE {wanted_row} AND ({scope}) IS TRUE
)
"""

_SOURCE_SIZE = """\
SELECT reltuples::bigint, (pg_table_size(oid) / reltuples)::integer
FROM pg_catalog.pg_class
WHERE oid = to_regclass(%(table)s) AND reltuples > 0
"""

_KEYLESS = """\
SELECT EXISTS (
    SELECT
    FROM {table} AS source
    WHERE source.{key} IS NULL OR source.{key} = ''
)
"""


@dataclass(frozen=True)
class Range:
    """Keys above `low` up to `high`, in the order of the table's index; None is unbounded."""

    low: str | None
    high: str | None


@dataclass(frozen=True)
class Page:
    """Keys as one array literal, as servers read and write them; the last one; is it the end?"""

    keys: str
    is_last: bool
    last: str | None


def within(range: Range, key: str, key_type: str) -> str:
    """The condition that a key lies in the range; parameters `low` and `high`."""
    bounds = [f"{key} IS NOT NULL"]
    if range.low is not None:
        bounds.append(f"{key} > %(low)s::{key_type}")
    if range.high is not None:
        bounds.append(f"{key} <= %(high)s::{key_type}")
    return " AND ".join(bounds)


def start(flow: Flow) -> str | None:
    """Where a walk of the source begins: the unit of the empty key is none of its ranges."""
    return "" if flow.source.key_nullable else None


def keyless_sql(flow: Flow) -> str:
    """Whether the source has rows of the empty key: without a key, or with an empty one."""
    return _KEYLESS.format(table=sql.name(flow.source.table), key=sql.name(flow.source.key))


def target_page(flow: Flow, range: Range, size: int, target: Transaction) -> Page:
    """The next keys of the target in a range, as many as `size`."""
    key, table = sql.name(flow.target.key), sql.name(flow.target.table)
    statement = _TARGET_PAGE.format(
        key=key,
        rows=f"(SELECT DISTINCT {key} FROM {table})" if flow.wide else table,
        within=within(range, f"target.{key}", flow.key_column.type),
        in_use=absent.in_use(flow),
    )
    row = target.row(statement, {"low": range.low, "high": range.high, "page": size})
    assert row is not None, "an aggregate returns a row"
    return Page(*row)


def source_size(flow: Flow, source: Transaction) -> tuple[int, int | None]:
    """About how many units the source has, and their mean size in bytes; (0, None) if unknown."""
    if flow.source.query:
        return 0, None
    row = source.row(_SOURCE_SIZE, {"table": flow.source.table})
    return (row[0], row[1]) if row else (0, None)


def source_bound(flow: Flow, low: str | None, size: int, source: Transaction) -> str | None:
    """The key that so many records end with, from `low` on; None if there are not so many."""
    key = sql.name(flow.source.key)
    statement = _SOURCE_BOUND.format(
        key=key,
        units=extract.units(flow),
        within=within(Range(low, None), f"source.{key}", flow.source.key_type),
    )
    row = source.row(statement, {"low": low, "skipped": size - 1})
    return row[0] if row else None


def source_page(flow: Flow, range: Range, size: int, source: Transaction) -> list[str]:
    """The next keys of the source in a range, as many as `size`, in its own order."""
    statement = _SOURCE_PAGE.format(
        key=sql.name(flow.source.key),
        units=extract.units(flow),
        within=within(range, f"source.{sql.name(flow.source.key)}", flow.source.key_type),
    )
    bounds = {"low": range.low, "high": range.high, "page": size}
    return [key for (key,) in source.rows(statement, bounds)]


def in_period(flow: Flow, keys: Sequence[str], period: Period, source: Transaction) -> list[str]:
    """Those of the keys whose unit has a record of a time in the period."""
    assert flow.source.time is not None, "asked of a flow that says what its time is"
    statement = _IN_PERIOD.format(
        records=extract.records(flow, "kept.key"),
        wanted_row=extract.wanted_row(flow, "kept.key"),
        in_period=period.contains(flow.source.time),
    )
    wanted = {"keys": array(keys), "since": period.since, "until": period.until}
    return [key for (key,) in source.rows(statement, wanted)]


def source_keys(flow: Flow, range: Range, source: Transaction) -> list[str]:
    """All keys of the source in a range."""
    statement = source_keys_sql(flow, range)
    return [key for (key,) in source.rows(statement, {"low": range.low, "high": range.high})]


def source_keys_sql(flow: Flow, range: Range) -> str:
    """The same as a statement with the parameters `low` and `high`; returns `key`, text."""
    key = sql.name(flow.source.key)
    return _SOURCE_KEYS.format(
        key=key,
        units=extract.units(flow),
        within=within(range, f"source.{key}", flow.source.key_type),
    )


def count_above(flow: Flow, low: str | None, source: Transaction) -> int:
    """How many records lie above a key."""
    statement = _COUNT_ABOVE.format(
        units=extract.units(flow),
        within=within(
            Range(low, None), f"source.{sql.name(flow.source.key)}", flow.source.key_type
        ),
    )
    count: int = source.value(statement, {"low": low})
    return count


def not_in_source(
    flow: Flow, page: Page, source: Transaction, *, at_all: bool = False
) -> list[str]:
    """Those of the target's keys that the source does not have in scope, or `at_all`."""
    statement = not_in_source_sql(flow, at_all=at_all)
    return [key for (key,) in source.rows(statement, {"keys": page.keys})]


def not_in_source_sql(flow: Flow, *, at_all: bool = False) -> str:
    """The same as a statement with the parameter `keys`, an array literal."""
    return _NOT_IN_SOURCE.format(
        records=extract.records(flow, "kept.key"),
        wanted_row=extract.wanted_row(flow, "kept.key"),
        scope="true" if at_all else extract.scope(flow),
    )
