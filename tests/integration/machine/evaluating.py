"""What is evaluated, forecast and profiled: the best five and no others, the latest and no older.

A scheme that the portal does not know takes no place among the five, and asks for the run that
brings it.
"""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st
from hypothesis.stateful import rule

from synctasks.engine import refresh
from synctasks.flows.to_citizen.benefit_forecasts import BENEFIT_FORECASTS
from synctasks.flows.to_citizen.eligibility_hints import ELIGIBILITY_HINTS
from synctasks.flows.to_citizen.profile_summary import PROFILE_SUMMARY
from synctasks.flows.to_citizen.schemes import SCHEMES
from tests.integration.machine import families
from tests.integration.machine.application import AT_ONCE
from tests.integration.machine.families import KINDS, Models
from tests.integration.machine.flowing import PLACES, Flowing, places, sessions
from tests.integration.machine.ground import Ground
from tests.integration.machine.seen import Seen
from tests.refreshing import finish
from tests.rows import execute

_KINDS = st.sampled_from(("eligible", "eligible", "possible", *KINDS))
_schemes = st.lists(st.integers(0, 7), min_size=1, max_size=7, unique=True)
_scores = st.lists(st.sampled_from((500, 501, 504, 505, 509, 600, 1000)), min_size=1, max_size=3)


class Evaluating(Flowing):
    """One life of what models say, on a portal that does not know all schemes at first."""

    flows = (ELIGIBILITY_HINTS, BENEFIT_FORECASTS, PROFILE_SUMMARY)

    def __init__(self, ground: Ground) -> None:
        keys = (families.FAMILIES[:2], families.FORECASTS, families.PROFILES)
        super().__init__(
            ground, {flow.name: some for flow, some in zip(self.flows, keys, strict=True)}
        )
        self._learn_schemes(families.SCHEMES[:6])
        execute(ground.warehouse, families.A_SCHEME_MASTER, [list(families.SCHEMES[6:])])
        self.models = Models(ground.warehouse_url)
        self.applications = [self.models]
        self.seen = [
            Seen(ground.citizen, families.HINTS, returns=True),
            Seen(ground.citizen, families.VALUES, stays=True),
            Seen(ground.citizen, families.SUMMARIES),
        ]

    @rule(
        session=sessions,
        place=st.sampled_from(PLACES[:2]),
        kind=_KINDS,
        schemes=_schemes,
        scores=_scores,
    )
    def evaluate(
        self, session: str, place: int, kind: str, schemes: Sequence[int], scores: Sequence[int]
    ) -> None:
        self.models.evaluate(session, place, kind, schemes, scores)

    @rule(session=sessions, some=places)
    def forecast(self, session: str, some: tuple[int, ...]) -> None:
        self.models.forecast(session, some)

    @rule(session=sessions, some=places)
    def profile(self, session: str, some: tuple[int, ...]) -> None:
        self.models.profile(session, some)

    @rule(session=sessions, some=places)
    def erase(self, session: str, some: tuple[int, ...]) -> None:
        self.models.erase(session, some)

    @rule()
    def schemes_arrive(self) -> None:
        """The run that somebody has asked for, if anybody has."""
        self.begin(SCHEMES, lambda: refresh.step(SCHEMES, SCHEMES.lanes), None)

    def carry(self) -> None:
        """Also the run of the schemes that evaluations have asked for."""
        super().carry()
        finish(SCHEMES)
        super().carry()

    def look_at_all(self) -> None:
        families.look(
            self.ground.warehouse,
            self.ground.citizen,
            {flow.name: self.crashed(flow) for flow in self.flows},
        )

    def rest(self) -> None:
        """And once all evaluations are right, the best are shown of every family."""
        super().rest()
        for place in PLACES[:2]:
            self.models.evaluate(AT_ONCE, place, "eligible", range(8), range(500, 508))
        self.carry()
        self.look_at_all()

    def _learn_schemes(self, codes: Sequence[str]) -> None:
        execute(self.ground.warehouse, families.A_SCHEME_MASTER, [list(codes)])
        refresh.request(SCHEMES, "test")
        finish(SCHEMES)
