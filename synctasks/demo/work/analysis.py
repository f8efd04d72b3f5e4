"""The warehouse's models at work: profiles, evaluations, forecasts, decisions, alerts."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from random import Random

from psycopg2.extras import execute_values

from synctasks.demo.work.act import Act, Cursor, Done, Subject, Weighted, new_id
from synctasks.demo.work.desk import Desk
from synctasks.sample import names_texts
from synctasks.sample.generate import Plan
from synctasks.sample.schemes import known_schemes
from synctasks.sample.warehouse import record_id

_REWRITTEN = (50, 200)
_EVALUATED = (20, 80)
_RECENT = 500
_VULNERABILITIES = ("LOW", "MEDIUM", "HIGH", "VERY_HIGH")
_ELIGIBLE = ("RULE_ELIGIBLE", "POSSIBLE_ELIGIBLE")
_STATUSES = (*_ELIGIBLE * 2, "NOT_ELIGIBLE", "INSUFFICIENT_DATA")
_DECISIONS = ("AUTO_APPROVED", "AUTO_REJECTED", "ROUTE_TO_OFFICER", "MANUAL_REVIEW")
_ALERTS = (
    ("ai.beneficiary_detection_alerts", names_texts.DETECTION_ALERTS),
    ("ai.proactive_inclusion_alerts", names_texts.INCLUSION_ALERTS),
    ("ai.predictive_alerts", names_texts.PREDICTIVE_ALERTS),
)

_REWRITE = """\
UPDATE public.profile_360
SET age_encoded = %s, risk_features = %s, model_version = 'profile-360-v3.4', updated_at = now()
WHERE gr_id BETWEEN %s AND %s
"""
_REASSESS = """\
UPDATE public.profile_360
SET vulnerability_level = %s, cluster_id = %s, updated_at = now()
WHERE gr_id = %s AND vulnerability_level IS DISTINCT FROM %s
"""
_EVALUATE = """\
INSERT INTO eligibility.eligibility_snapshots (
    family_id, scheme_code, evaluation_status, eligibility_score, confidence_score, explanation,
    evaluation_timestamp
)
VALUES %s
"""
_EVALUATION = "(%s, %s, %s, %s, %s, %s, now())"
_FORECAST = """\
INSERT INTO forecast.benefit_forecasts (
    forecast_id, family_id, horizon_months, total_annual_value, scheme_count, projections,
    generated_at
)
VALUES (%s, %s, 12, %s, %s, %s, now())
"""
_RECOMPUTE = """\
UPDATE forecast.benefit_forecasts
SET total_annual_value = %s, scheme_count = %s, projections = %s, generated_at = now()
WHERE forecast_id = %s
"""
_DECIDE = """\
INSERT INTO decision.applications (
    application_id, decision, risk_score, confidence, reasons, decision_timestamp
)
VALUES (%s, %s, %s, %s, %s, now())
ON CONFLICT (application_id) DO UPDATE
SET
    decision = excluded.decision,
    risk_score = excluded.risk_score,
    confidence = excluded.confidence,
    reasons = excluded.reasons,
    decision_timestamp = excluded.decision_timestamp
"""
_RAISE = """\
INSERT INTO {table} (
    alert_id, family_id, alert_type, severity, message, action_url, created_at
)
VALUES (%s, %s, %s, %s, %s, %s, now())
"""
_ESCALATE = (
    "UPDATE {table} SET severity = 'CRITICAL' WHERE alert_id = %s AND severity <> 'CRITICAL'"
)


class Analysis(Subject):
    """What the models write, family by family; the desk says which applications to decide."""

    def __init__(self, plan: Plan, desk: Desk) -> None:
        self._plan, self._desk = plan, desk
        self._random = Random(f"{plan.seed}/analysis")
        self._schemes = [scheme.code for scheme in known_schemes(plan)]
        self._raised: deque[tuple[str, str]] = deque(maxlen=_RECENT)

    def everyday(self) -> tuple[Weighted, ...]:
        """In the specification's proportions, in thousands a day."""
        return (
            (self.rewrite, 4),
            (self.reassess, 12),
            (self.evaluate, 50),
            (self.forecast, 35),
            (self.recompute, 15),
            (self.decide, 10),
            (self.warn, 17),
            (self.escalate, 3),
        )

    def bulk(self) -> tuple[Act, ...]:
        """Transactions of many rows."""
        return (self.evaluate_many,)

    def rewrite(self, cursor: Cursor) -> Done:
        """A model rewrites its features in hundreds of profiles: nothing to carry."""
        count = self._random.randint(*_REWRITTEN)
        first = self._random.randrange(self._plan.people)
        features = json.dumps({"dependency": round(self._random.random(), 3)})
        between = record_id(first), record_id(first + count)
        cursor.execute(_REWRITE, (self._random.random(), features, *between))
        return Done()

    def reassess(self, cursor: Cursor) -> Done:
        """Somebody is more or less vulnerable than was thought."""
        level = self._random.choice(_VULNERABILITIES)
        key = record_id(self._random.randrange(self._plan.people))
        cursor.execute(_REASSESS, (level, f"C{self._random.randint(1, 40):02d}", key, level))
        return Done({"profile_summary": cursor.rowcount})

    def evaluate(self, cursor: Cursor) -> Done:
        """A family is evaluated for some schemes."""
        return self._evaluate(cursor, [self._family()])

    def evaluate_many(self, cursor: Cursor) -> Done:
        """Some dozens of families are evaluated in one statement."""
        count = min(self._random.randint(*_EVALUATED), self._plan.households)
        households = self._random.sample(range(self._plan.households), count)
        return self._evaluate(
            cursor, [self._plan.population.family_id(each) for each in households]
        )

    def forecast(self, cursor: Cursor) -> Done:
        """A forecast for a family."""
        cursor.execute(_FORECAST, (new_id(self._random), self._family(), *self._benefits()))
        return Done({"benefit_forecasts": 1})

    def recompute(self, cursor: Cursor) -> Done:
        """A forecast comes out differently."""
        number = self._random.randrange(self._plan.size("forecast.benefit_forecasts"))
        key = self._plan.population.uuid("forecast", number)
        cursor.execute(_RECOMPUTE, (*self._benefits(), key))
        return Done({"benefit_forecasts": cursor.rowcount})

    def decide(self, cursor: Cursor) -> Done:
        """An application is decided; nothing to do if the desk is empty."""
        application = self._desk.next_application()
        if application is None:
            return Done()
        reasons = self._random.sample(names_texts.REASONS, 2)
        risk, confidence = self._random.random() ** 2, 0.6 + self._random.random() * 0.4
        values = self._random.choice(_DECISIONS), f"{risk:.4f}", f"{confidence:.4f}"
        cursor.execute(_DECIDE, (application, *values, json.dumps(reasons)))
        return Done({"application_decisions": 1})

    def warn(self, cursor: Cursor) -> Done:
        """One of three use cases has something to tell a family; some are not known yet."""
        table, texts = self._random.choice(_ALERTS)
        family = self._desk.some_family(self._random)
        if family is None or self._random.random() < 0.9:
            account = self._plan.population.account(self._random.randrange(self._plan.citizens))
            family = self._plan.population.family_id(account.household)
        alert = new_id(self._random)
        cursor.execute(_RAISE.format(table=table), (alert, family, *self._random.choice(texts)))
        return Done({"ml_alerts": 1}, lambda: self._raised.append((table, alert)))

    def escalate(self, cursor: Cursor) -> Done:
        """An alert that was raised lately is more urgent than was thought."""
        if not self._raised:
            return Done()
        table, alert = self._random.choice(self._raised)
        cursor.execute(_ESCALATE.format(table=table), (alert,))
        return Done({"ml_alerts": cursor.rowcount})

    def _evaluate(self, cursor: Cursor, families: Sequence[str]) -> Done:
        rows = [
            (family, scheme, *self._found())
            for family in families
            for scheme in self._random.sample(self._schemes, self._random.randint(1, 3))
        ]
        execute_values(cursor, _EVALUATE, rows, _EVALUATION, page_size=len(rows))
        return Done({"eligibility_hints": len(families)})

    def _found(self) -> tuple[str, str, str, str]:
        status = self._random.choice(_STATUSES)
        score, confidence = self._random.random(), 0.5 + self._random.random() / 2
        text = names_texts.ELIGIBLE if status in _ELIGIBLE else names_texts.NOT_ELIGIBLE
        explanation = self._random.choice(text).format(scheme="this scheme")
        return status, f"{score:.5f}", f"{confidence:.4f}", explanation

    def _benefits(self) -> tuple[str, int, str]:
        yearly = self._random.random() ** 2 * 120_000
        years = [{"year": 1, "value": round(yearly * 1.04, 2)}]
        return f"{yearly:.2f}", self._random.randint(1, 6), json.dumps(years)

    def _family(self) -> str:
        return self._plan.population.family_id(self._random.randrange(self._plan.households))
