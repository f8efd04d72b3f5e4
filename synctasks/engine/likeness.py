"""How far the two servers of a flow are alike: do they hash rows alike, do they order keys alike?

What is found only decides how much work a full run and `verify` can save.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from synctasks.database import Transaction
from synctasks.flow import Flow


class Prefilter(StrEnum):
    """How what differs is found: digests of key ranges, hashes of rows, or not beforehand."""

    RANGES = "ranges"
    ROWS = "rows"
    NONE = "none"


# One value of each type that our tables know.
_PROBE = """\
SELECT hash_record_extended(
    ROW(
        'जयपुर'::text,
        NULL::text,
        -12::integer,
        9007199254740993::bigint,
        1.50::numeric,
        true,
        '1999-12-31'::date,
        '2026-01-02 03:04:05.678+00'::timestamptz,
        '6ba7b810-9dad-11d1-80b4-00c04fd430c8'::uuid,
        '{"a": [1, "b", null]}'::jsonb
    ),
    0
)
"""

# As JSON, since the columns differ from version to version.
_COLLATION = """\
SELECT
    type.typname::text,
    to_jsonb(collation_of) - 'oid',
    to_jsonb(database),
    pg_collation_actual_version(collation_of.oid)
FROM pg_catalog.pg_attribute AS attribute
JOIN pg_catalog.pg_type AS type ON type.oid = attribute.atttypid
JOIN pg_catalog.pg_database AS database ON database.datname = current_database()
LEFT JOIN pg_catalog.pg_collation AS collation_of ON collation_of.oid = attribute.attcollation
WHERE attribute.attrelid = to_regclass(%(table)s) AND attribute.attname = %(column)s
"""

_TEXTS = ("text", "varchar", "bpchar", "name")
_BYTEWISE = ("C", "POSIX")


def prefilter(flow: Flow, source: Transaction, target: Transaction) -> Prefilter:
    """The best prefilter that the two servers allow. Raises SynctasksError."""
    if flow.source.query or flow.resolves or source.value(_PROBE) != target.value(_PROBE):
        return Prefilter.NONE
    left = _order(source, flow.source.table, flow.source.key)
    right = _order(target, flow.target.table, flow.target.key)
    return Prefilter.RANGES if left is not None and left == right else Prefilter.ROWS


def _order(tx: Transaction, table: str, column: str) -> tuple[str, ...] | None:
    """What the column is ordered by, comparable between servers; None if that is unsure."""
    row = tx.row(_COLLATION, {"table": table, "column": column})
    if row is None:
        return None
    type_name, collation, database, version = row
    return _text_order(collation, database, version) if type_name in _TEXTS else (type_name,)


def _text_order(
    collation: Mapping[str, Any], database: Mapping[str, Any], version: str | None
) -> tuple[str, ...] | None:
    provider, locale = _locale(collation, database)
    if locale in _BYTEWISE or provider == "b":
        return ("bytewise",)
    if version is None:
        # Not versioned: the C library's own C locales, of which C.UTF-8 is the usual one.
        version = database.get("datcollversion") or ("" if locale.startswith("C.") else None)
    return None if version is None else (provider, locale, version)


def _locale(collation: Mapping[str, Any], database: Mapping[str, Any]) -> tuple[str, str]:
    """The provider (c, i or b) and the locale's name; `default` means the database's own."""
    if collation["collprovider"] != "d":
        names: tuple[str, ...] = ("colllocale", "colliculocale", "collcollate")
        return collation["collprovider"], _first(collation, names)
    provider = database.get("datlocprovider", "c")
    names = ("datcollate",) if provider == "c" else ("datlocale", "daticulocale")
    return provider, _first(database, names)


def _first(row: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return next((row[name] for name in names if row.get(name)), "")
