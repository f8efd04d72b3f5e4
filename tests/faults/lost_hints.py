"""The five best of each family's latest evaluations."""

from __future__ import annotations

from tests.evaluations import best, latest, shown
from tests.faults.compared import Row, compared
from tests.rows import Connection


def lost_hints(warehouse: Connection, portal: Connection) -> list[str]:
    """Families that are not shown exactly their five best schemes."""
    said: dict[object, Row] = {**best(latest(warehouse))}
    there: dict[object, Row] = {**shown(portal)}
    return compared("eligibility_hints", said, there)
