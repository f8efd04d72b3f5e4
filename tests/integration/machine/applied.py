"""What both sides must hold of applications when all is worked off; and what only grows there."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from tests.integration.machine.broken import Differs, LettersWrong
from tests.rows import Connection, rows
from tests.transitions import expected, held

# Of each target: the key, and what only grows.
RECORDS = "SELECT jan_aadhaar, updated_at FROM golden_records"
EVENTS = """\
SELECT
    (application_id, event_type, event_timestamp)::text,
    coalesce(extract(epoch FROM approval_timestamp), 0)
FROM decision.application_events
"""
FEEDBACK = "SELECT feedback_id, created_at FROM public.feedback_analytics"
DECISIONS = "SELECT application_id, decision_date FROM public.application_decisions"
ALERTS = "SELECT alert_id, message FROM public.ml_alerts"

_OWNERS = "SELECT jan_aadhaar, gr_id FROM golden_records"
_COMMENTS = """\
SELECT feedback.id::text, citizens.aadhaar_number
FROM feedback
JOIN citizens ON citizens.id = feedback.citizen_id
"""
_FEEDBACK = "SELECT feedback_id::text, citizen_id FROM public.feedback_analytics"
_DECIDED = "SELECT application_id::text, reasons ->> 0 FROM decision.applications"
_DECISIONS = "SELECT application_id::text, decision_reasons ->> 0 FROM public.application_decisions"
_APPLICATIONS = "SELECT id::text FROM service_applications"
_RAISED = """\
SELECT alert_id::text, family_id, message FROM ai.beneficiary_detection_alerts
UNION ALL
SELECT alert_id::text, family_id, message FROM ai.proactive_inclusion_alerts
UNION ALL
SELECT alert_id::text, family_id, message FROM ai.predictive_alerts
"""
_ALERTS = """\
SELECT alerts.alert_id::text, citizens.family_id, alerts.message
FROM public.ml_alerts AS alerts
LEFT JOIN citizens ON citizens.id = alerts.citizen_id AND verification_status = 'verified'
"""
_VERIFIED = "SELECT DISTINCT family_id FROM citizens WHERE verification_status = 'verified'"
_WAITING = "SELECT DISTINCT unit FROM synctasks.waiting WHERE flow = %s"
_LETTERS = """\
SELECT DISTINCT unit FROM synctasks.dead_letter
WHERE flow = %s AND state <> 'resolved' AND kind <> 'crash'
"""

Spared = Mapping[str, Collection[str]]


def look(warehouse: Connection, portal: Connection, spared: Spared) -> None:
    """Raises BrokenPromise. `spared` are units that were set aside, by flow."""
    owners = dict(rows(warehouse, _OWNERS))
    _look_at_events(warehouse, portal, owners, spared["application_events"])
    _look_at_feedback(warehouse, portal, owners, spared["feedback_analytics"])
    _look_at_decisions(warehouse, portal, spared["application_decisions"])
    _look_at_alerts(warehouse, portal, spared["ml_alerts"])


def _look_at_events(
    warehouse: Connection, portal: Connection, owners: Mapping[str, str], spared: Collection[str]
) -> None:
    """Each transition of a known citizen is there once, with its approval; nothing else is."""
    found, there = expected(portal), held(warehouse)
    wanted = {
        name: event._replace(owner=owners[str(event.owner)])
        for name, event in found.events.items()
        if event.owner in owners
    }
    late = {name[0] for name, event in found.events.items() if event.owner not in owners}
    _differ("application_events", wanted, there, spared)
    _wait("application_events", portal, late, spared)
    letters = set(rows(portal, _LETTERS, ["application_events"]))
    if (letters ^ found.incomplete) - set(spared):
        raise LettersWrong(f"open: {letters}, without their times: {found.incomplete}")


def _look_at_feedback(
    warehouse: Connection, portal: Connection, owners: Mapping[str, str], spared: Collection[str]
) -> None:
    comments = dict(rows(portal, _COMMENTS))
    wanted = {each: owners[number] for each, number in comments.items() if number in owners}
    _differ("feedback_analytics", wanted, dict(rows(warehouse, _FEEDBACK)), spared)
    _wait("feedback_analytics", portal, comments.keys() - wanted.keys(), spared)


def _look_at_decisions(warehouse: Connection, portal: Connection, spared: Collection[str]) -> None:
    """Decisions about applications that are there; one for a draft may wait for its hour."""
    known, decided = set(rows(portal, _APPLICATIONS)), dict(rows(warehouse, _DECIDED))
    there = dict(rows(portal, _DECISIONS))
    waiting = set(rows(warehouse, _WAITING, ["application_decisions"]))
    announced = {application for application, _, _ in held(warehouse)}
    late = {each for each in decided if each not in known or each in waiting - announced}
    wanted = {each: said for each, said in decided.items() if each not in late}
    _differ("application_decisions", wanted, there, spared)
    _wait("application_decisions", warehouse, late, spared)


def _look_at_alerts(warehouse: Connection, portal: Connection, spared: Collection[str]) -> None:
    families = set(rows(portal, _VERIFIED))
    raised = {alert: (family, message) for alert, family, message in rows(warehouse, _RAISED)}
    wanted = {alert: said for alert, said in raised.items() if said[0] in families}
    there = {alert: (family, message) for alert, family, message in rows(portal, _ALERTS)}
    gone = {each.partition(":")[2] for each in spared}
    _differ("ml_alerts", wanted, there, gone)
    waiting = {each.partition(":")[2] for each in rows(warehouse, _WAITING, ["ml_alerts"])}
    if (waiting ^ (raised.keys() - wanted.keys())) - gone:
        raise Differs(f"ml_alerts: waiting {waiting}, of {raised}")


def _differ(
    flow: str, wanted: Mapping[object, object], there: Mapping[object, object], spared: object
) -> None:
    wrong = {
        name: (there.get(name), wanted.get(name))
        for name in wanted.keys() | there.keys()
        if there.get(name) != wanted.get(name) and not _is_spared(name, spared)
    }
    if wrong:
        raise Differs(f"{flow}, what is there and what should be: {wrong}")


def _is_spared(name: object, spared: object) -> bool:
    unit = name[0] if isinstance(name, tuple) else name
    return unit in spared  # type: ignore[operator]


def _wait(flow: str, source: Connection, late: Collection[str], spared: Collection[str]) -> None:
    """Exactly those wait whose references are not there."""
    waiting = set(rows(source, _WAITING, [flow]))
    if (waiting ^ set(late)) - set(spared):
        raise Differs(f"{flow}: {waiting} wait, {late} should")
