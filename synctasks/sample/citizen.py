"""The rows of the portal's own tables, one function a table."""

from collections.abc import Iterator

from synctasks.sample import names_texts
from synctasks.sample.applications import all_applications
from synctasks.sample.copying import NULL, Row, escaped
from synctasks.sample.numbers import Draw
from synctasks.sample.people import Person
from synctasks.sample.plan import DAY, Plan, since_update
from synctasks.sample.schemes import portal_schemes

_VERIFICATIONS = ("verified",) * 17 + ("pending",) * 2 + ("rejected",)
_DOCUMENT_STATES = ("pending", "verified", "verified", "rejected")
_BEHAVIOUR_DAYS = 14


def citizens(plan: Plan) -> Iterator[Row]:
    """The rows of ``citizens``: some of the people, and a few whom the warehouse does not know."""
    draw = plan.draw("citizens")
    family: list[Person] = []
    for number in range(plan.citizens):
        account = plan.population.account(number)
        if not family or family[0].home.household != account.household:
            family = plan.population.family(account.household)
        yield _citizen(number, family[account.member], plan, draw)


def _citizen(number: int, person: Person, plan: Plan, draw: Draw) -> Row:
    home = person.home
    updated = since_update(draw)
    town = home.district.towns[0] if draw() < 0.1 else home.town
    return (
        citizen_id(plan, number),
        person.aadhaar,
        home.family_id,
        "t" if person.member == 0 else "f",
        person.full_name,
        person.born,
        person.gender,
        person.mobile or NULL,
        person.email or NULL,
        town.name,
        _as_typed(home.district.name, draw),
        town.pincode,
        _VERIFICATIONS[int(draw() * len(_VERIFICATIONS))],
        plan.ago(updated + draw() * 900 * DAY),
        plan.ago(updated),
    )


def citizen_id(plan: Plan, account: int) -> str:
    """Return the id of the citizen with that account number."""
    return plan.population.uuid("citizen", account)


def _as_typed(district: str, draw: Draw) -> str:
    """The portal has a text field for the district: case and spaces are the citizen's."""
    kind = draw()
    if kind < 0.04:
        return district.upper()
    return f" {district.lower()} " if kind < 0.06 else district


def service_applications(plan: Plan) -> Iterator[Row]:
    """The rows of ``service_applications``."""
    for application in all_applications(plan):
        submitted = NULL if application.submitted is None else plan.ago(application.submitted)
        yield (
            application.id,
            citizen_id(plan, application.account),
            application.scheme_id,
            application.status,
            submitted,
            plan.ago(application.decided) if application.status == "approved" else NULL,
            plan.ago(application.created),
            plan.ago(application.updated),
        )


def documents(plan: Plan) -> Iterator[Row]:
    """The rows of ``documents``."""
    draw = plan.draw("documents")
    for number in range(plan.size("documents")):
        document_type, file_name = names_texts.DOCUMENTS[int(draw() * len(names_texts.DOCUMENTS))]
        document_id = plan.population.uuid("document", number)
        yield (
            document_id,
            _somebody(plan, draw),
            document_type,
            file_name,
            str(int(20_000 + draw() ** 3 * 8_000_000)),
            f"vault/{document_id[:2]}/{document_id}",
            plan.ago(60 + draw() ** 2 * 60 * DAY),
            _DOCUMENT_STATES[int(draw() * len(_DOCUMENT_STATES))],
        )


def feedback(plan: Plan) -> Iterator[Row]:
    """The rows of ``feedback``; half of it concerns a scheme, some has no rating."""
    draw = plan.draw("feedback")
    schemes = [scheme.id for scheme in portal_schemes(plan)]
    for number in range(plan.size("feedback")):
        yield (
            plan.population.uuid("feedback", number),
            _somebody(plan, draw),
            names_texts.FEEDBACK_TYPES[int(draw() * len(names_texts.FEEDBACK_TYPES))],
            str(1 + int(draw() * 5)) if draw() < 0.9 else NULL,
            escaped(names_texts.COMMENTS[int(draw() * len(names_texts.COMMENTS))]),
            schemes[int(draw() * len(schemes))] if draw() < 0.5 else NULL,
            plan.ago(60 + draw() ** 2 * 60 * DAY),
        )


def page_views(plan: Plan) -> Iterator[Row]:
    """The rows of ``page_views``."""
    draw = plan.draw("page_views")
    for _ in range(plan.size("page_views")):
        path = names_texts.PATHS[int(draw() * len(names_texts.PATHS))]
        yield _visitor(plan, draw), path, _duration(draw), _lately(plan, draw)


def scheme_clicks(plan: Plan) -> Iterator[Row]:
    """The rows of ``scheme_clicks``."""
    draw = plan.draw("scheme_clicks")
    schemes = [scheme.id for scheme in portal_schemes(plan)]
    for _ in range(plan.size("scheme_clicks")):
        scheme_id = schemes[int(draw() * len(schemes))]
        yield _visitor(plan, draw), scheme_id, _lately(plan, draw)


def eligibility_checks(plan: Plan) -> Iterator[Row]:
    """The rows of ``eligibility_checks``."""
    draw = plan.draw("eligibility_checks")
    schemes = [scheme.id for scheme in portal_schemes(plan)]
    for _ in range(plan.size("eligibility_checks")):
        scheme_id = schemes[int(draw() * len(schemes))]
        yield _visitor(plan, draw), scheme_id, _duration(draw), _lately(plan, draw)


def search_queries(plan: Plan) -> Iterator[Row]:
    """The rows of ``search_queries``."""
    draw = plan.draw("search_queries")
    for _ in range(plan.size("search_queries")):
        query = names_texts.QUERIES[int(draw() * len(names_texts.QUERIES))]
        yield _visitor(plan, draw), query, _lately(plan, draw)


def _somebody(plan: Plan, draw: Draw) -> str:
    return citizen_id(plan, int(draw() * plan.citizens))


def _visitor(plan: Plan, draw: Draw) -> str:
    """Somebody, or nobody who has signed in; a few citizens visit often."""
    if draw() < 0.1:
        return NULL
    return citizen_id(plan, int(draw() ** 2 * plan.citizens))


def _duration(draw: Draw) -> str:
    """Seconds; unknown where the visitor closed the page."""
    return f"{draw() ** 2 * 600:.1f}" if draw() < 0.95 else NULL


def _lately(plan: Plan, draw: Draw) -> str:
    return plan.ago(60 + draw() * _BEHAVIOUR_DAYS * DAY)
