"""Applications: both databases tell a part of the story, so both take it from here."""

from collections.abc import Iterator
from typing import NamedTuple

from synctasks.sample.numbers import Draw
from synctasks.sample.plan import DAY, Plan
from synctasks.sample.schemes import portal_schemes

# Of 100 applications. Withdrawn ones were submitted before.
_STATUSES = (
    ("draft",) * 10
    + ("submitted",) * 22
    + ("under_review",) * 18
    + ("approved",) * 30
    + ("rejected",) * 12
    + ("withdrawn",) * 8
)
_UNDECIDED = ("draft", "submitted", "withdrawn")
_OLDEST = 60 * DAY


class Application(NamedTuple):
    """An application; the times are seconds before now."""

    id: str
    account: int
    scheme_id: str
    status: str
    created: float
    submitted: float | None
    #: When the warehouse decided, or will have: only ``is_decided`` says that it has.
    decided: float
    updated: float

    @property
    def is_decided(self) -> bool:
        """Whether the warehouse has a decision about it."""
        return self.status not in _UNDECIDED


def _application(number: int, plan: Plan, schemes: list[str], draw: Draw) -> Application:
    status = _STATUSES[int(draw() * len(_STATUSES))]
    created = 300 + draw() ** 2 * _OLDEST
    submitted = created * (0.5 + draw() * 0.5)
    decided = submitted * (0.2 + draw() * 0.8)
    return Application(
        id=plan.population.uuid("application", number),
        account=int(draw() * plan.citizens),
        scheme_id=schemes[int(draw() * len(schemes))],
        status=status,
        created=created,
        submitted=None if status == "draft" else submitted,
        decided=decided,
        updated={"draft": created, "submitted": submitted}.get(status, decided),
    )


def all_applications(plan: Plan) -> Iterator[Application]:
    """The applications of the plan."""
    schemes = [scheme.id for scheme in portal_schemes(plan)]
    draw = plan.draw("applications")
    for number in range(plan.size("service_applications")):
        yield _application(number, plan, schemes, draw)
