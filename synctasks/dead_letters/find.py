"""Finding dead letters: by id, flow, kind, category, error, field, state and age."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from synctasks.database import transaction
from synctasks.dead_letters.letter import State
from synctasks.flow import Database

# One database numbers its letters with odd numbers, the other with even ones.
_NUMBERED = {Database.WAREHOUSE: 1, Database.CITIZEN: 0}

_COLUMNS = (
    "id",
    "flow",
    "kind",
    "category",
    "unit",
    "record",
    "error",
    "state",
    "count",
    "first_seen",
    "last_seen",
)
_DETAILS = ("messages", "stack_trace", "source_row", "attempts", "acted_by", "reason")

_WHERE = """\
FROM synctasks.dead_letter
WHERE (%(ids)s::bigint[] IS NULL OR id = ANY (%(ids)s::bigint[]))
    AND (%(flow)s::text IS NULL OR flow = %(flow)s)
    AND (%(kind)s::text IS NULL OR kind = %(kind)s)
    AND (%(category)s::text IS NULL OR category = %(category)s)
    AND (%(error)s::text IS NULL OR position(lower(%(error)s) IN lower(error)) > 0)
    AND (%(field)s::text IS NULL OR messages ? %(field)s)
    AND (%(states)s::text[] IS NULL OR state = ANY (%(states)s::text[]))
    AND (
        %(older_than)s::interval IS NULL
        OR first_seen <= statement_timestamp() - %(older_than)s::interval
    )
"""

_PAGE = f"""\
SELECT {", ".join(_COLUMNS)}
{_WHERE}    AND id > %(after)s
ORDER BY id
LIMIT %(page)s
"""

_COUNT = f"SELECT flow, count(*)\n{_WHERE}GROUP BY flow\n"

_GROUPS = f"""\
SELECT {{by}}, count(*), sum(count)::bigint, min(first_seen), max(last_seen)
{_WHERE}GROUP BY 1
ORDER BY 2 DESC, 1
"""

_ONE = f"""\
SELECT {", ".join((*_COLUMNS, *_DETAILS))}
FROM synctasks.dead_letter
WHERE id = %(id)s
"""

# The last attempt says it; a worker that has not settled yet leaves the replay itself there.
_OUTCOMES = """\
SELECT
    CASE WHEN state = 'resolved' THEN 'passed' ELSE attempts -> -1 ->> 'what' END,
    count(*)
FROM synctasks.dead_letter
WHERE id = ANY (%(ids)s::bigint[])
GROUP BY 1
"""

_PAGE_ROWS = 1_000


class GroupBy(StrEnum):
    """What letters can be counted by."""

    ERROR = "error"
    FLOW = "flow"
    CATEGORY = "category"
    KIND = "kind"
    STATE = "state"


@dataclass(frozen=True)
class Filter:
    """Which letters; None lets all through. `error` is a part of it, in either case."""

    ids: Sequence[int] | None = None
    flow: str | None = None
    kind: str | None = None
    category: str | None = None
    error: str | None = None
    field: str | None = None
    states: Sequence[State] | None = (State.OPEN,)
    older_than: timedelta | None = None

    @property
    def parameters(self) -> dict[str, Any]:
        return {
            "ids": None if self.ids is None else list(self.ids),
            "flow": self.flow,
            "kind": self.kind,
            "category": self.category,
            "error": self.error,
            "field": self.field,
            "states": None if self.states is None else [str(state) for state in self.states],
            "older_than": self.older_than,
        }


def find(wanted: Filter) -> Iterator[dict[str, Any]]:
    """The letters, oldest first, a page at a time however many there are."""
    for database in Database:
        after = 0
        while True:
            page = {**wanted.parameters, "after": after, "page": _PAGE_ROWS}
            with transaction(database) as tx:
                rows = tx.rows(_PAGE, page)
            for row in rows:
                yield dict(zip(_COLUMNS, map(_plain, row), strict=True))
            if len(rows) < _PAGE_ROWS:
                break
            after = rows[-1][0]


def count(wanted: Filter) -> dict[str, int]:
    """How many letters there are by flow."""
    found: dict[str, int] = {}
    for database in Database:
        with transaction(database) as tx:
            found |= dict(tx.rows(_COUNT, wanted.parameters))
    return found


def groups(wanted: Filter, by: GroupBy) -> list[dict[str, Any]]:
    """The letters counted by one of their columns, the largest group first."""
    sums: dict[str, dict[str, Any]] = {}
    for database in Database:
        with transaction(database) as tx:
            rows = tx.rows(_GROUPS.format(by=by), wanted.parameters)
        for name, letters, rejections, first_seen, last_seen in rows:
            group = sums.setdefault(
                name,
                {
                    str(by): name,
                    "letters": 0,
                    "rejections": 0,
                    "first_seen": first_seen,
                    "last_seen": last_seen,
                },
            )
            group["letters"] += letters
            group["rejections"] += rejections
            group["first_seen"] = min(group["first_seen"], first_seen)
            group["last_seen"] = max(group["last_seen"], last_seen)
    largest_first = sorted(sums.values(), key=lambda group: -int(group["letters"]))
    return [{name: _plain(value) for name, value in group.items()} for group in largest_first]


def outcomes(numbers: Sequence[int]) -> dict[str, int]:
    """How many of replayed letters passed, were rejected, or what else came of them."""
    found: Counter[str] = Counter()
    for database in Database:
        with transaction(database) as tx:
            found.update(dict(tx.rows(_OUTCOMES, {"ids": list(numbers)})))
    return dict(found)


def one(number: int) -> dict[str, Any] | None:
    """A letter with all that is known of it, its row still sealed; None if there is none."""
    with transaction(database_of(number)) as tx:
        row = tx.row(_ONE, {"id": number})
    if row is None:
        return None
    return dict(zip((*_COLUMNS, *_DETAILS), map(_plain, row), strict=True))


def database_of(number: int) -> Database:
    """The database that a letter of this number is in."""
    return next(database for database, rest in _NUMBERED.items() if number % 2 == rest)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
