"""What must hold when everything is quiet again: nothing lost, doubled, gone back, left open."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests import oracle
from tests.faults.ground import CITIZEN, WAREHOUSE, Ground
from tests.faults.lost_events import lost_events
from tests.faults.lost_hints import lost_hints
from tests.faults.lost_news import lost_alerts, lost_decisions, lost_forecasts, lost_summaries
from tests.faults.lost_people import lost_citizens, lost_documents, lost_schemes
from tests.faults.lost_visits import lost_feedback, lost_visits
from tests.faults.witness import Witness
from tests.rows import Connection, rows

_LOOKS: tuple[Callable[[Connection, Connection], list[str]], ...] = (
    lost_schemes,
    lost_summaries,
    lost_hints,
    lost_forecasts,
    lost_decisions,
    lost_alerts,
    lost_citizens,
    lost_events,
    lost_documents,
    lost_visits,
    lost_feedback,
)

_OPEN = """\
SELECT format('%s %s %s: %s', flow, kind, unit, error)
FROM synctasks.dead_letter
WHERE state = 'open'
"""
# What was captured has been taken once, or waits in a guard's hands.
_TAKEN = """\
SELECT
    (SELECT coalesce(sum(taken), 0) FROM synctasks.history WHERE flow !~ '^heartbeat')::bigint
    + (SELECT count(*) FROM synctasks.held)
"""
_TWICE = """\
SELECT jan_aadhaar
FROM golden_records
WHERE updated_by = 'citizen_portal'
GROUP BY jan_aadhaar
HAVING count(*) > 1
"""


def lost(ground: Ground) -> list[str]:
    """Where the sides differ, computed from the tables alone."""
    with ground.warehouse() as warehouse, ground.citizen() as citizen:
        difference = oracle.profile_data(warehouse, citizen)
        found = [f"profile_data: {difference}"] if difference else []
        for look in _LOOKS:
            found += look(warehouse, citizen)
        return found


def doubled(ground: Ground) -> list[str]:
    """Citizens with more than one golden record."""
    return [f"golden_records: {each} twice" for each in _at(ground, WAREHOUSE, _TWICE)]


def open_letters(ground: Ground) -> list[str]:
    """The dead letters that are open at either side."""
    return [each for side in (WAREHOUSE, CITIZEN) for each in _at(ground, side, _OPEN)]


def unbalanced(ground: Ground, witness: Witness) -> list[str]:
    """The sides where other than all captured changes were taken, once each."""
    found = []
    for side in (WAREHOUSE, CITIZEN):
        captured, taken = witness.captured(side), _at(ground, side, _TAKEN)[0]
        if captured != taken:
            found.append(f"{side}: {captured} changes captured, {taken} taken")
    return found


def verified(ground: Ground) -> list[str]:
    """What `synctasks verify` finds wrong: its whole answer, if there is anything."""
    outcome = ground.run("synctasks", "verify", "--json", timeout=60)
    if outcome.returncode == 0 and json.loads(outcome.stdout):
        return []
    return [f"verify exits with {outcome.returncode}: {outcome.stdout} {outcome.stderr}"]


def agree(ground: Ground, witness: Witness) -> None:
    """Assert all of it, once everything has arrived."""
    found = {
        "lost": lost(ground),
        "verify": verified(ground),
        "dead letters open": open_letters(ground),
        "books": unbalanced(ground, witness),
        "gone back": witness.gone_back(),
        "doubled": doubled(ground) + witness.twice(),
    }
    wrong = {what: each[:5] for what, each in found.items() if each}
    assert not wrong, wrong


def _at(ground: Ground, side: str, statement: str) -> list[str]:
    with ground.at(side) as connection:
        return [
            str(each) if isinstance(each, str) else each for each in rows(connection, statement)
        ]
