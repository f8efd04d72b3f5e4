"""What a flow's target must hold, worked out in plain Python from the rows of both databases."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from synctasks.database import transaction
from synctasks.demo.streams import Row
from synctasks.flow import Flow

_LETTERS = """\
SELECT unit, record
FROM synctasks.dead_letter
WHERE flow = %(flow)s AND state <> 'resolved'
"""


class Expectation(NamedTuple):
    """The rows that must be there, and no others.

    A row holds the values of `columns`; without those the target's key and then all other columns
    of the flow. Rows whose first value is in `left_out` are nobody's to judge: of what has a dead
    letter nothing crosses.
    """

    rows: Iterable[Row]
    left_out: frozenset[str] = frozenset()
    columns: tuple[str, ...] = ()


class Letters(NamedTuple):
    """What has a dead letter: units, and records of units."""

    units: frozenset[str]
    records: frozenset[str]


def letters(flow: Flow) -> Letters:
    """What of a flow has a dead letter now. Raises SynctasksError."""
    with transaction(flow.source.database) as source:
        rows = source.rows(_LETTERS, {"flow": flow.name})
    return Letters(frozenset(unit for unit, _ in rows), frozenset(record for _, record in rows))
