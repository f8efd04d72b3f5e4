"""Which hints a family must be shown: the best of its latest evaluations, chosen in Python."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from tests.rows import Connection, rows, value

MOST = 5
_ELIGIBLE = ("RULE_ELIGIBLE", "POSSIBLE_ELIGIBLE")
_EVALUATIONS = """\
SELECT
    family_id, scheme_code, evaluation_timestamp, evaluation_status, eligibility_score,
    confidence_score, explanation
FROM eligibility.eligibility_snapshots
ORDER BY evaluation_timestamp, snapshot_id
"""
_SHOWN = """\
SELECT
    family_id, scheme_code, updated_at, eligibility_status, eligibility_score, confidence,
    explanation
FROM public.eligibility_hints
"""

#: Family and scheme.
Name = tuple[str, str]


class Hint(NamedTuple):
    """What is said of a family and a scheme."""

    time: datetime
    status: str
    score: Decimal | None
    confidence: Decimal | None
    explanation: str | None

    @property
    def is_wrong(self) -> bool:
        """Its contract refuses it."""
        return self.score is None

    def rounded(self) -> Hint:
        return self._replace(score=_rounded(self.score), confidence=_rounded(self.confidence))


def latest(warehouse: Connection) -> dict[str, dict[str, Hint]]:
    """The latest evaluations of the last 30 days that count, by family and scheme."""
    begin = value(warehouse, "SELECT statement_timestamp()") - timedelta(days=30)
    evaluated: dict[str, dict[str, Hint]] = defaultdict(dict)
    for family, scheme, *said in rows(warehouse, _EVALUATIONS):
        evaluated[family][scheme] = Hint(*said)
    return {
        family: {
            scheme: each
            for scheme, each in schemes.items()
            if each.status in _ELIGIBLE and each.time >= begin
        }
        for family, schemes in evaluated.items()
    }


def best(
    evaluated: dict[str, dict[str, Hint]], known: Collection[str] | None = None
) -> dict[Name, Hint]:
    """The five best of each family; an unknown scheme takes no place."""
    chosen: dict[Name, Hint] = {}
    for family, schemes in evaluated.items():
        fit = [scheme for scheme in schemes if known is None or scheme in known]
        # By the score, then the time, then the scheme: from the last sort to the first.
        fit.sort(key=str.encode)
        fit.sort(key=lambda scheme: schemes[scheme].time, reverse=True)
        fit.sort(key=lambda scheme: schemes[scheme].score, reverse=True)
        chosen |= {(family, scheme): schemes[scheme].rounded() for scheme in fit[:MOST]}
    return chosen


def shown(portal: Connection) -> dict[Name, Hint]:
    """The hints that the portal shows."""
    return {row[:2]: Hint(*row[2:]) for row in rows(portal, _SHOWN)}


def _rounded(share: Any) -> Decimal | None:
    return None if share is None else share.quantize(Decimal("0.01"), ROUND_HALF_UP)
