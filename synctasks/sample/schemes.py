"""The schemes of the state: two hundred, whatever the size of the population."""

import json
from collections.abc import Iterator
from typing import NamedTuple

from synctasks.sample.copying import Row, escaped
from synctasks.sample.names_schemes import FIELDS, PATRONS, Field
from synctasks.sample.numbers import Draw
from synctasks.sample.plan import DAY, Plan, since_update

# What becomes of the schemes, by the remainder of their number. A draft is in the warehouse only;
# a new scheme is active there but not yet in the portal; one that has ended may still be active
# in the portal. So the first full run has something to add, to change and to deactivate.
_ENDED = (20, 13)
_DRAFT = (50, 29)
_NEW = (25, 7)
_STILL_IN_PORTAL = (40, 13)

# Rupees, and how often.
_CASH = (
    (500, "monthly"),
    (1_150, "monthly"),
    (2_500, "monthly"),
    (6_000, "yearly"),
    (25_000, "yearly"),
    (2_500, "once"),
    (50_000, "once"),
    (150_000, "once"),
)
_INCOME_LIMITS = (None, 48_000, 120_000, 250_000, 800_000)
_DOCUMENTS = (
    "jan_aadhaar_card",
    "income_certificate",
    "bank_passbook",
    "caste_certificate",
    "land_record",
    "photo",
)


class Scheme(NamedTuple):
    """A scheme; the JSON columns are texts."""

    number: int
    id: str
    code: str
    name: str
    description: str
    category: str
    department: str
    criteria: str
    benefits: str
    documents: str
    status: str
    updated: str


def _is(number: int, rule: tuple[int, int]) -> bool:
    every, which = rule
    return number % every == which


def _status(number: int) -> str:
    if _is(number, _ENDED):
        return "INACTIVE"
    return "DRAFT" if _is(number, _DRAFT) else "ACTIVE"


def _criteria(field: Field, draw: Draw) -> str:
    youngest, oldest = field.ages
    criteria: dict[str, object] = {
        "residence": "Rajasthan",
        "age": {"min": youngest, "max": oldest},
        "max_family_income": _INCOME_LIMITS[int(draw() * len(_INCOME_LIMITS))],
    }
    if draw() < 0.2:
        criteria["genders"] = ["F"]
    return json.dumps(criteria)


def _benefits(draw: Draw) -> str:
    amount, frequency = _CASH[int(draw() * len(_CASH))]
    return json.dumps([{"kind": "cash", "amount": amount, "frequency": frequency}])


def _scheme(number: int, field: Field, patron: str, purpose: tuple[str, str], plan: Plan) -> Scheme:
    draw = plan.draw(f"scheme/{number}")
    name, description = purpose
    place = number % (len(field.purposes) * len(PATRONS))
    return Scheme(
        number,
        plan.population.uuid("scheme", number),
        f"RJ-{field.code}-{place + 1:02d}",
        f"{patron} {name} Yojana",
        f"{description}.",
        field.category,
        field.department,
        _criteria(field, draw),
        _benefits(draw),
        json.dumps(_DOCUMENTS[: 1 + int(draw() * len(_DOCUMENTS))]),
        _status(number),
        plan.ago(since_update(draw)),
    )


def all_schemes(plan: Plan) -> list[Scheme]:
    """Return the schemes of the warehouse."""
    combinations = (
        (field, patron, purpose)
        for field in FIELDS
        for purpose in field.purposes
        for patron in PATRONS
    )
    return [_scheme(number, *each, plan) for number, each in enumerate(combinations)]


def portal_schemes(plan: Plan) -> list[Scheme]:
    """Return the schemes that the portal has before the first sync, and citizens refer to."""
    return [
        scheme
        for scheme in all_schemes(plan)
        if _is(scheme.number, _STILL_IN_PORTAL)
        or (scheme.status == "ACTIVE" and not _is(scheme.number, _NEW))
    ]


def known_schemes(plan: Plan) -> list[Scheme]:
    """Return the schemes that are active in the warehouse and known to the portal."""
    return [scheme for scheme in portal_schemes(plan) if scheme.status == "ACTIVE"]


def _row(scheme: Scheme, status: str, updated: str) -> Row:
    fields = (*scheme[1:-2], status, updated)
    return tuple(escaped(field) for field in fields)


def scheme_master(plan: Plan) -> Iterator[Row]:
    """The rows of the warehouse's ``eligibility.scheme_master``."""
    for scheme in all_schemes(plan):
        yield _row(scheme, scheme.status, scheme.updated)


def schemes(plan: Plan) -> Iterator[Row]:
    """The rows of the portal's ``schemes``: as the last run before the demo left them."""
    last_run = plan.ago(400 * DAY)
    for scheme in portal_schemes(plan):
        updated = min(scheme.updated, last_run) if scheme.number % 5 == 0 else scheme.updated
        yield _row(scheme, "ACTIVE", updated)
