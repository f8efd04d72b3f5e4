"""Counts by flow: exact as long as that is quick, else estimated from a sample of pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from synctasks import sql
from synctasks.database import Transaction

# Of 8 KiB: so many are read in a few milliseconds.
_EXACT_PAGES = 2_000
# A page of an index may stand for a thousand rows, each of which has to be looked at where nobody
# has vacuumed yet.
_EXACT_INDEX_PAGES = 40
_SAMPLED_PAGES = 400

_PAGES = """\
SELECT pg_relation_size(%(relation)s::regclass) / current_setting('block_size')::integer
"""

_COUNT = """\
SELECT flow, {counts}
FROM {table} {sample}
WHERE {condition}
GROUP BY flow
"""


@dataclass(frozen=True)
class Counted:
    """Counts of rows by flow, one for each condition that was asked; `estimated` from a sample."""

    by_flow: Mapping[str, tuple[int, ...]]
    estimated: bool


def count(
    tx: Transaction, table: str, *filters: str, condition: str = "true", index: str = ""
) -> Counted:
    """Count a table's rows by flow, for each of the filters.

    `index` is one that holds just these rows: then its size says how quick that is, however many
    others the table has. Raises SynctasksError.
    """
    most = _EXACT_INDEX_PAGES if index else _EXACT_PAGES
    quick = tx.value(_PAGES, {"relation": index or table}) <= most
    share = 1.0 if quick else min(1.0, _SAMPLED_PAGES / tx.value(_PAGES, {"relation": table}))
    statement = _COUNT.format(
        counts=", ".join(f"count(*) FILTER (WHERE {each})" for each in filters or ("true",)),
        table=sql.name(table),
        sample="" if share == 1.0 else f"TABLESAMPLE SYSTEM ({100 * share:.6f})",
        condition=condition,
    )
    rows = tx.rows(statement)
    found = {flow: tuple(round(each / share) for each in counts) for flow, *counts in rows}
    return Counted(found, estimated=share < 1.0)
