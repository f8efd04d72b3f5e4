"""The rows of the warehouse's own tables, one function a table."""

import json
from collections.abc import Iterator, Sequence
from functools import partial

from synctasks.sample import names_texts
from synctasks.sample.applications import Application, all_applications
from synctasks.sample.copying import NULL, Row, escaped
from synctasks.sample.names_places import DISTRICTS
from synctasks.sample.numbers import Draw
from synctasks.sample.people import Person
from synctasks.sample.plan import DAY, Plan, since_update
from synctasks.sample.schemes import Scheme, known_schemes

_FEEDS = ("jan_aadhaar_feed", "census_feed", "ration_card_feed", "field_officer")
_REVIEWS = ("APPROVED",) * 9 + ("PENDING_REVIEW",)

_VULNERABILITIES = ("LOW", "LOW", "MEDIUM", "MEDIUM", "HIGH", "VERY_HIGH")
_INCOME_BANDS = ("BELOW_50K", "50K_120K", "120K_250K", "250K_800K", "ABOVE_800K", NULL)
_RATION_CARDS = ("AAY", "BPL", "APL", "NONE")
_MODELS = ("profile-360-v3.2", "profile-360-v3.3")

# Two in three evaluations are of the kind that becomes a hint.
_EVALUATIONS = (
    ("RULE_ELIGIBLE", names_texts.ELIGIBLE),
    ("RULE_ELIGIBLE", names_texts.ELIGIBLE),
    ("POSSIBLE_ELIGIBLE", names_texts.ELIGIBLE),
    ("POSSIBLE_ELIGIBLE", names_texts.ELIGIBLE),
    ("NOT_ELIGIBLE", names_texts.NOT_ELIGIBLE),
    ("INSUFFICIENT_DATA", names_texts.NOT_ELIGIBLE),
)
_MOST_SCHEMES = 9
_HORIZONS = (12, 24, 36, 60)
_DECISIONS = {
    "under_review": ("ROUTE_TO_OFFICER", "MANUAL_REVIEW"),
    "approved": ("AUTO_APPROVED", "AUTO_APPROVED", "ROUTE_TO_OFFICER"),
    "rejected": ("AUTO_REJECTED", "MANUAL_REVIEW"),
}
# One alert in so many concerns a family of which nobody uses the portal: it will wait.
_OFFLINE_ALERTS = 40

_AlertTexts = Sequence[tuple[str, str, str, str | None]]


def record_id(person: int) -> str:
    """Return the ``gr_id`` of a person."""
    return f"GR-{person + 1:08d}"


def districts(_plan: Plan) -> Iterator[Row]:
    """The rows of ``public.districts``."""
    for district in DISTRICTS:
        yield str(district.id), district.name


def golden_records(plan: Plan) -> Iterator[Row]:
    """The rows of ``public.golden_records``."""
    draw = plan.draw("public.golden_records")
    born_lately = plan.ago(365 * DAY)[:10]
    for person in plan.everybody():
        # Infants have no number yet.
        aadhaar = person.aadhaar if person.born < born_lately else NULL
        yield _golden_record(person, aadhaar, plan, draw)


def _golden_record(person: Person, aadhaar: str, plan: Plan, draw: Draw) -> Row:
    home = person.home
    updated = since_update(draw)
    return (
        record_id(person.number),
        home.family_id if draw() > 0.005 else NULL,
        aadhaar,
        person.full_name,
        person.born,
        person.gender,
        str(home.district.id),
        home.town.name,
        home.town.pincode,
        person.mobile or NULL,
        person.email or NULL,
        _REVIEWS[int(draw() * len(_REVIEWS))],
        _FEEDS[int(draw() * len(_FEEDS))],
        plan.ago(updated + draw() * 900 * DAY),
        plan.ago(updated),
    )


def profile_360(plan: Plan) -> Iterator[Row]:
    """The rows of ``public.profile_360``, one for each golden record."""
    draw = plan.draw("public.profile_360")
    for person in range(plan.people):
        yield (
            record_id(person),
            _VULNERABILITIES[int(draw() * len(_VULNERABILITIES))],
            "t" if draw() < 0.2 else "f",
            _INCOME_BANDS[int(draw() * len(_INCOME_BANDS))],
            f"C{1 + int(draw() * 40):02d}",
            f"{draw():.4f}",
            "1" if draw() < 0.5 else "0",
            f'{{"dependency": {draw():.3f}, "income_volatility": {draw():.3f}}}',
            f'{{"ration_card": "{_RATION_CARDS[int(draw() * 4)]}", "land_ha": {draw() * 4:.1f}}}',
            _MODELS[int(draw() * len(_MODELS))],
            plan.ago(since_update(draw)),
        )


def eligibility_snapshots(plan: Plan) -> Iterator[Row]:
    """The rows of ``eligibility.eligibility_snapshots``: several evaluations a family."""
    draw = plan.draw("eligibility.eligibility_snapshots")
    schemes = known_schemes(plan)
    for household in range(plan.households):
        family_id = plan.population.family_id(household)
        first = int(draw() * len(schemes))
        for place in range(1 + int(draw() ** 2 * _MOST_SCHEMES)):
            # Neighbours in the list, some steps apart: never one scheme twice.
            scheme = schemes[(first + 7 * place) % len(schemes)]
            yield from _evaluations(family_id, scheme, plan, draw)


def _evaluations(family_id: str, scheme: Scheme, plan: Plan, draw: Draw) -> Iterator[Row]:
    """One scheme's history for one family: the latest evaluation last."""
    since = 120 + draw() ** 2 * 60 * DAY
    for before in range(int(draw() * 2.5), -1, -1):
        status, explanations = _EVALUATIONS[int(draw() * len(_EVALUATIONS))]
        explanation = explanations[int(draw() ** 2 * len(explanations))]
        # Scores of two decimals now and then, so that some tie.
        score = f"{draw():.5f}" if draw() < 0.8 else f"{int(draw() * 20) * 0.05:.2f}"
        yield (
            family_id,
            scheme.code,
            status,
            score,
            f"{0.5 + draw() / 2:.4f}",
            explanation.format(scheme=scheme.name),
            plan.ago(_not_on_the_edge(since + before * (20 + draw() * 10) * DAY)),
        )


def _not_on_the_edge(age: float) -> float:
    """No evaluation leaves the hints' window of 30 days within a day of now."""
    return age - DAY if 29 * DAY < age <= 30 * DAY else age


def benefit_forecasts(plan: Plan) -> Iterator[Row]:
    """The rows of ``forecast.benefit_forecasts``."""
    draw = plan.draw("forecast.benefit_forecasts")
    for number in range(plan.size("forecast.benefit_forecasts")):
        horizon = _HORIZONS[int(draw() * len(_HORIZONS))]
        yearly = draw() ** 2 * 120_000
        years = [
            {"year": year, "value": round(yearly * 1.04**year, 2)}
            for year in range(1, horizon // 12 + 1)
        ]
        yield (
            plan.population.uuid("forecast", number),
            plan.population.family_id(int(draw() * plan.households)),
            str(horizon),
            f"{yearly:.2f}",
            str(1 + int(draw() * 6)),
            json.dumps(years),
            plan.ago(60 + draw() * 30 * DAY),
        )


def decisions(plan: Plan) -> Iterator[Row]:
    """The rows of ``decision.applications``, about applications of the portal."""
    draw = plan.draw("decision.applications")
    return (
        _decision(application, plan, draw)
        for application in all_applications(plan)
        if application.is_decided
    )


def _decision(application: Application, plan: Plan, draw: Draw) -> Row:
    choices = _DECISIONS[application.status]
    first = int(draw() * len(names_texts.REASONS))
    reasons = names_texts.REASONS[first : first + 1 + int(draw() * 3)]
    return (
        application.id,
        choices[int(draw() * len(choices))],
        f"{draw() ** 2:.4f}",
        f"{0.6 + draw() * 0.4:.4f}",
        escaped(json.dumps(reasons)),
        plan.ago(application.decided),
    )


def _alerts(table: str, texts: _AlertTexts, plan: Plan) -> Iterator[Row]:
    draw = plan.draw(table)
    for number in range(plan.size(table)):
        household = plan.population.account(int(draw() * plan.citizens)).household
        if number % _OFFLINE_ALERTS == _OFFLINE_ALERTS - 1:
            household = int(draw() * plan.households)
        alert_type, severity, message, action_url = texts[int(draw() * len(texts))]
        yield (
            plan.population.uuid(table, number),
            plan.population.family_id(household),
            alert_type,
            severity,
            message,
            escaped(action_url),
            plan.ago(60 + draw() ** 2 * 60 * DAY),
        )


def _alerts_of(table: str, texts: _AlertTexts) -> "partial[Iterator[Row]]":
    return partial(_alerts, table, texts)


beneficiary_detection_alerts = _alerts_of(
    "ai.beneficiary_detection_alerts", names_texts.DETECTION_ALERTS
)
proactive_inclusion_alerts = _alerts_of(
    "ai.proactive_inclusion_alerts", names_texts.INCLUSION_ALERTS
)
predictive_alerts = _alerts_of("ai.predictive_alerts", names_texts.PREDICTIVE_ALERTS)
