"""The dead letters of the units that are being reconciled, and what becomes of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache

from synctasks import dead_letters, sql
from synctasks.database import Transaction
from synctasks.engine import extract
from synctasks.engine.books import PASSED, Books
from synctasks.flow import Flow

_OF_KEYS = """\
SELECT id, unit, record, source_row IS NULL
FROM synctasks.dead_letter
WHERE flow = %(flow)s
    AND kind IN ('record', 'crash')
    AND state <> 'resolved'
    AND {unit_is_wanted}
"""

# A record that had no key when it was rejected, and has one of these now; of a unit of many, one
# that had no name.
_ONCE_KEYLESS = """\
UNION ALL
SELECT dead_letter.id, wanted.key, {name}, false
FROM {table} AS source
CROSS JOIN LATERAL (SELECT source.{key}) AS wanted (key)
JOIN synctasks.dead_letter ON dead_letter.record = {row}
WHERE {key_is_wanted}
    AND source.{key} <> ''
    AND dead_letter.flow = %(flow)s
    AND dead_letter.kind = 'record'
    AND dead_letter.state <> 'resolved'
    AND dead_letter.unit {of_units}
"""

_AMONG_KEYS = "{column} = ANY (%(keys)s::text[])"

# IS TRUE keeps it from becoming a join: the planner takes an array for a few keys, and would
# unpack ten thousand for each letter. So they are hashed, once.
_AMONG_CHUNK = """\
({column} IN (
        SELECT unnest(chunk.keys)
        FROM synctasks.chunk
        WHERE chunk.run = %(run)s AND chunk.number = %(number)s
    )) IS TRUE"""

# What a replay comes to where its record neither passes nor is rejected.
_OTHER_OUTCOMES = {
    "filtered": "is out of scope",
    "deferred": "is deferred",
    "waiting": "waits for its reference",
    "held": "its removal is held",
}
_GONE = "is gone from the source"
_KEYED = "has a key now, or is gone from the source"


@dataclass(frozen=True)
class _Open:
    """A letter not resolved: its unit now, its record, and whether it is about a removal."""

    number: int
    unit: str
    record: str
    of_removal: bool

    def passes(self, box: str, *, removing: bool) -> bool:
        """Whether the letter is over: its record passed, or its row could be removed at last."""
        return box in PASSED or (self.of_removal and removing and box != "held")

    def outcome(self, box: str) -> str:
        """What a replay came to where its record neither passed nor was rejected."""
        return _OTHER_OUTCOMES.get(box, _GONE if self.unit else _KEYED)


class Letters:
    """The letters, not resolved, of some units.

    `by_unit` says that a unit is one record, under whatever name its letter has it. In a `log` no
    record vanishes: what one said that is not there is said by another one now, and judged there.
    """

    def __init__(
        self,
        found: Collection[tuple[int, str, str, bool]] = (),
        *,
        by_unit: bool = True,
        log: bool = False,
    ) -> None:
        self._open = [_Open(*row) for row in found]
        self._by_unit = by_unit
        self._log = log

    @property
    def units(self) -> list[str]:
        """The units that have letters."""
        return list(dict.fromkeys(letter.unit for letter in self._open))

    def settle(
        self,
        source: Transaction,
        books: Books,
        *,
        removing: bool,
        units: Collection[str] | None = None,
    ) -> None:
        """Resolve those whose records passed; note what came of a replay that did not.

        `removing` says whether rows that are gone could be removed; `units` are those that this
        worker was the one to settle, None all of them.
        """
        rejected = {letter.record for letter in books.letters}
        unit_box: dict[str, str] = {}
        for box, keys in books.keys.items():
            # A unit of many records is over its trouble if one of them has passed.
            unit_box.update((key, box) for key in keys if unit_box.get(key) not in PASSED)
        record_box = {name: box for box, names in books.records.items() for name in names}
        passed, others = [], []
        for letter in self._open:
            if letter.record in rejected or (units is not None and letter.unit not in units):
                continue
            of_unit = self._by_unit or letter.record == letter.unit
            box = unit_box.get(letter.unit, "") if of_unit else record_box.get(letter.record, "")
            merged = self._log and not of_unit and not box
            if merged or letter.passes(box, removing=removing):
                passed.append(letter.number)
            elif removing or not letter.of_removal:
                others.append((letter.number, letter.outcome(box)))
        dead_letters.close(source, passed)
        dead_letters.reopen(source, others)


def of_keys(flow: Flow, keys: str, source: Transaction) -> Letters:
    """The letters of the units of these keys, an array literal."""
    found = source.rows(_sql(flow, _AMONG_KEYS), {"flow": flow.name, "keys": keys})
    return _letters(flow, found)


def of_chunk(flow: Flow, run: int, number: int, source: Transaction) -> Letters:
    """The letters of the units of a chunk."""
    chunk = {"flow": flow.name, "run": run, "number": number}
    found = source.rows(_sql(flow, _AMONG_CHUNK), chunk)
    return _letters(flow, found)


def _letters(flow: Flow, found: Collection[tuple[int, str, str, bool]]) -> Letters:
    return Letters(found, by_unit=flow.source.query is None, log=flow.source.log is not None)


@cache
def _sql(flow: Flow, among: str) -> str:
    statement = _OF_KEYS.format(unit_is_wanted=among.format(column="unit"))
    if not flow.source.key_nullable:
        return statement
    key = sql.name(flow.source.key)
    return statement + _ONCE_KEYLESS.format(
        key=key,
        key_is_wanted=among.format(column=f"source.{key}"),
        table=sql.name(flow.source.table),
        row=extract.row_name(flow),
        name=flow.source.query.record if flow.source.query else "dead_letter.record",
        of_units=f"IN ('', source.{key})" if flow.source.query else "= ''",
    )
