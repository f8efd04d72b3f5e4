"""All flows compared, each by what is expected of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from synctasks.demo.agreement import Agreement, compare, compare_with
from synctasks.demo.expected import citizens, events, warehouse
from synctasks.demo.expected.expectation import Expectation, letters
from synctasks.demo.expected.known import Known, known
from synctasks.demo.work.transitions import Transition
from synctasks.flow import Flow
from synctasks.flows import FLOWS
from synctasks.flows.to_citizen.application_decisions import APPLICATION_DECISIONS
from synctasks.flows.to_citizen.eligibility_hints import ELIGIBILITY_HINTS
from synctasks.flows.to_citizen.ml_alerts import ML_ALERTS
from synctasks.flows.to_warehouse.application_events import APPLICATION_EVENTS
from synctasks.flows.to_warehouse.document_metadata import DOCUMENT_METADATA
from synctasks.flows.to_warehouse.feedback_analytics import FEEDBACK_ANALYTICS
from synctasks.flows.to_warehouse.golden_records import GOLDEN_RECORDS
from synctasks.flows.to_warehouse.user_behavior import USER_BEHAVIOR

_EXPECTED = {
    ELIGIBILITY_HINTS: warehouse.hints,
    APPLICATION_DECISIONS: warehouse.decisions,
    ML_ALERTS: warehouse.alerts,
    GOLDEN_RECORDS: citizens.golden_records,
    DOCUMENT_METADATA: citizens.documents,
    FEEDBACK_ANALYTICS: citizens.feedback,
}


def compare_all(
    committed: Sequence[Transition], end: date, flows: Iterable[Flow] = FLOWS
) -> list[Agreement]:
    """Compare the flows as they are now, with nothing pending.

    `committed` are all transitions of applications, `end` is the day that was not over when
    behavior was carried last. Raises SynctasksError.
    """
    people = known()
    return [
        compare_with(flow, _expectation(flow, people, committed, end))
        if flow.resolves
        else compare(flow)
        for flow in flows
    ]


def _expectation(
    flow: Flow, people: Known, committed: Sequence[Transition], end: date
) -> Expectation:
    if flow is APPLICATION_EVENTS:
        return events.transitions(committed, people, letters(flow))
    if flow is USER_BEHAVIOR:
        return events.behavior(end, people, letters(flow))
    return _EXPECTED[flow](people, letters(flow))
