"""Specification 1.3, whatever happens in whatever order: the portal shows what the rulings say.

By hand: SYNCTASKS_EXAMPLES=2000 .venv/bin/pytest tests/flows/test_eligibility_hints_oracle.py
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given, strategies

from synctasks.engine.changes import LADDER_STEPS
from synctasks.engine.drain import drain
from synctasks.flows.to_citizen.eligibility_hints import ELIGIBILITY_HINTS
from tests.conftest import connected
from tests.emptied import empty
from tests.flows import hints
from tests.integration.machine.profiles import TIMEOUT, lives
from tests.refreshing import full_run
from tests.rows import Connection, execute, rows
from tests.waiting import due_now
from tests.workspace import CITIZEN, WAREHOUSE, Workspace

KNOWN, UNKNOWN = "ABCdE\u0905", "Z"
ELIGIBLE = ("RULE_ELIGIBLE", "POSSIBLE_ELIGIBLE")
NOW = datetime.now(UTC).replace(microsecond=0)
WINDOW = timedelta(days=30)
_SCORES = ("0", "0.005", "0.5", "0.675", "0.6749", "0.68", "1", "1.01", "NaN", None)
# Around now and around the beginning of the window, further than a test takes.
_MOMENTS = tuple(NOW - timedelta(minutes=each) for each in (-60, 30, 40, 50))
_MOMENTS += tuple(NOW - WINDOW + timedelta(minutes=each) for each in (-60, -1, 60, 61))

Row = tuple[str, Decimal, datetime]


@dataclass(frozen=True)
class Evaluation:
    """One row of the history."""

    family: str
    scheme: str
    status: str
    score: str | None
    moment: datetime | None

    @property
    def in_scope(self) -> bool:
        recent = self.moment is None or self.moment >= NOW - WINDOW
        return self.status in ELIGIBLE and recent

    @property
    def valid(self) -> bool:
        score = Decimal(self.score or "NaN")
        soon = self.moment is not None and self.moment <= NOW + timedelta(minutes=5)
        return soon and not score.is_nan() and 0 <= score <= 1

    @property
    def row(self) -> Row:
        assert self.score is not None
        assert self.moment is not None
        rounded = Decimal(self.score).quantize(Decimal("0.01"), ROUND_HALF_UP)
        return self.status, rounded, self.moment


@dataclass
class Model:
    """The rulings in Python: the history, and what is shown of each family, by scheme."""

    history: list[Evaluation] = field(default_factory=list)
    shown: dict[str, dict[str, Row]] = field(default_factory=dict)

    def latest(self, family: str) -> dict[str, Evaluation]:
        """Of each scheme; one without a time is the latest until another is inserted."""
        found: dict[str, Evaluation] = {}
        for scheme in {each.scheme for each in self.history if each.family == family}:
            own = [each for each in self.history if (each.family, each.scheme) == (family, scheme)]
            timed = [each for each in own if each.moment is not None]
            places = {each: place for place, each in enumerate(own)}
            best = max(timed, key=lambda each: (each.moment, places[each]), default=own[-1])
            found[scheme] = own[-1] if own[-1].moment is None else best
        return found

    def sync(self, family: str) -> None:
        before = self.shown.get(family, {})
        standing: dict[str, tuple[Decimal, Row]] = {}
        for scheme, each in self.latest(family).items():
            held = before.get(scheme)
            if not each.in_scope or (each.valid and scheme not in KNOWN):
                continue
            if each.valid and (held is None or each.row[2] >= held[2]):
                standing[scheme] = Decimal(each.score or 0), each.row
            elif held:
                standing[scheme] = held[1], held
        order = sorted(
            standing, key=lambda each: (-standing[each][0], -_age(standing[each][1]), each.encode())
        )
        self.shown[family] = {scheme: standing[scheme][1] for scheme in order[:5]}

    def refused(self) -> set[str]:
        """The records that are refused now."""
        return {
            hints.record(scheme, family)
            for family in (hints.FAMILY, hints.OTHER)
            for scheme, each in self.latest(family).items()
            if each.in_scope and not each.valid
        }

    def waiting(self) -> set[str]:
        """The records that wait now."""
        return {
            hints.record(scheme, family)
            for family in (hints.FAMILY, hints.OTHER)
            for scheme, each in self.latest(family).items()
            if each.in_scope and each.valid and scheme not in KNOWN
        }


def _age(row: Row) -> float:
    return row[2].timestamp()


_EVALUATIONS = strategies.builds(
    Evaluation,
    family=strategies.sampled_from((hints.FAMILY, hints.OTHER)),
    scheme=strategies.sampled_from(KNOWN + UNKNOWN),
    status=strategies.sampled_from((*ELIGIBLE, *ELIGIBLE, "NOT_ELIGIBLE")),
    score=strategies.sampled_from(_SCORES),
    moment=strategies.sampled_from((*_MOMENTS, None)),
)
_STEPS = strategies.lists(
    strategies.one_of(
        _EVALUATIONS,
        strategies.tuples(strategies.integers(0, 30), _EVALUATIONS),
        strategies.sampled_from(("events", "full run")),
    ),
    min_size=8,
    max_size=30,
)


def write(warehouse: Connection, model: Model, each: Evaluation, place: int | None) -> None:
    """Insert an evaluation, or put it over the one at a place of the history."""
    columns = {
        "family_id": each.family,
        "evaluation_status": each.status,
        "evaluation_timestamp": each.moment,
    }
    if place is None:
        hints.given(warehouse, each.scheme, each.score, **columns)
        model.history.append(each)
        return
    if model.history:
        ids = "SELECT snapshot_id FROM eligibility.eligibility_snapshots ORDER BY 1"
        place %= len(model.history)
        columns |= {"scheme_code": each.scheme, "eligibility_score": each.score}
        hints.change(warehouse, rows(warehouse, ids)[place], **columns)
        model.history[place] = each


def sync(warehouse: Connection, model: Model, how: str) -> None:
    """By events those families are looked at of which there are any, by a full run all."""
    due_now(warehouse)
    pending = rows(warehouse, "SELECT DISTINCT key, lane FROM synctasks.change_log")
    families = {key for key, _ in pending}
    if how == "events":
        for lane in {lane for _, lane in pending}:
            while drain(ELIGIBILITY_HINTS, lane):
                pass
    else:
        families = {hints.FAMILY, hints.OTHER}
        full_run(warehouse, ELIGIBILITY_HINTS, accepts_shrink=True)
    for family in families:
        model.sync(family)


def found(citizen: Connection) -> dict[str, dict[str, Row]]:
    columns = ("eligibility_status", "eligibility_score", "updated_at")
    return {
        family: {
            scheme: (hint[columns[0]], hint[columns[1]], hint[columns[2]])
            for scheme, hint in hints.hints(citizen, family).items()
        }
        for family in (hints.FAMILY, hints.OTHER)
    }


@pytest.mark.timeout(TIMEOUT)
def test_the_portal_shows_what_the_rulings_say_of_any_history(renewed: Workspace) -> None:
    with (
        connected(renewed.environment[WAREHOUSE]) as warehouse,
        connected(renewed.environment[CITIZEN]) as citizen,
    ):

        @lives(10)
        @given(steps=_STEPS)
        def check(steps: list[Evaluation | tuple[int, Evaluation] | str]) -> None:
            forget(warehouse, citizen)
            model = Model()
            for step in [*steps, *["events"] * (LADDER_STEPS + 1)]:
                if isinstance(step, str):
                    sync(warehouse, model, step)
                    shown = {family: model.shown.get(family, {}) for family in found(citizen)}
                    assert found(citizen) == shown
                elif isinstance(step, tuple):
                    write(warehouse, model, step[1], step[0])
                else:
                    write(warehouse, model, step, None)
            before = hints.row_versions(citizen)
            sync(warehouse, model, "full run")
            assert hints.row_versions(citizen) == before
            assert model.refused() <= {name for name, *_ in hints.letters(warehouse)}
            assert set(hints.waiting(warehouse)) == model.waiting()
            assert hints.verified().keys() <= {"matched", "waiting", "dead_lettered", "superseded"}

        empty(renewed)
        hints.given_schemes(citizen, *KNOWN)
        check()


def forget(warehouse: Connection, citizen: Connection) -> None:
    """Nothing but the schemes that the portal knows."""
    execute(
        warehouse,
        "DELETE FROM eligibility.eligibility_snapshots; DELETE FROM synctasks.change_log;"
        "DELETE FROM synctasks.dead_letter; DELETE FROM synctasks.waiting;"
        "DELETE FROM synctasks.run; DELETE FROM synctasks.held",
    )
    execute(citizen, "DELETE FROM eligibility_hints")
