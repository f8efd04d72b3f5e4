"""What the demo's two applications count, and what it expects of the flows that are resolved."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from synctasks.capture import installer
from synctasks.database import transaction
from synctasks.demo import ground
from synctasks.demo.comparison import compare_all
from synctasks.demo.work.transitions import Transition
from synctasks.demo.workload import Workload
from synctasks.embedded.waiting import wait_until
from synctasks.engine import refresh
from synctasks.flow import Database
from synctasks.flows import FLOWS
from synctasks.flows.to_warehouse.golden_records import GOLDEN_RECORDS
from synctasks.sample.generate import Plan
from tests.conftest import connected
from tests.workspace import CITIZEN, WAREHOUSE, Workspace

PLAN = Plan.of_records(1_000, seed=3, dirty=0.005)

# One value or row of each target, as a sync that is wrong would leave it.
WRONG = {
    "eligibility_hints": "UPDATE eligibility_hints SET eligibility_score = 1 - eligibility_score"
    " WHERE ctid = (SELECT min(ctid) FROM eligibility_hints WHERE eligibility_score <> 0.5)",
    "application_decisions": "DELETE FROM application_decisions WHERE application_id ="
    " (SELECT min(application_id::text) FROM application_decisions)::uuid",
    "ml_alerts": "UPDATE ml_alerts SET citizen_id ="
    " (SELECT id FROM citizens WHERE id <> ml_alerts.citizen_id LIMIT 1)"
    " WHERE alert_id = (SELECT min(alert_id::text) FROM ml_alerts)::uuid",
    "golden_records": "UPDATE golden_records SET pincode = '000000' WHERE gr_id ="
    " (SELECT min(gr_id) FROM golden_records WHERE updated_by = 'citizen_portal')",
    "application_events": "UPDATE decision.application_events"
    " SET event_timestamp = event_timestamp + interval '1 second' WHERE ctid ="
    " (SELECT min(ctid) FROM decision.application_events)",
    "document_metadata": "UPDATE document_metadata SET citizen_id = 'GR-0' WHERE document_id ="
    " (SELECT min(document_id::text) FROM document_metadata)::uuid",
    "user_behavior": "UPDATE analytics.user_behavior SET event_count = event_count + 1"
    " WHERE ctid = (SELECT min(ctid) FROM analytics.user_behavior)",
    "feedback_analytics": "INSERT INTO feedback_analytics (feedback_id)"
    " VALUES ('00000000-0000-4000-8000-000000000000')",
}
# A transition at a time of its own is one that is missing, and one that nobody made.
DIFFERING = {flow: 2 if flow == "application_events" else 1 for flow in WRONG}


@pytest.fixture
def filled(place: Workspace) -> dict[str, str]:
    """The tests' databases filled and installed: everything from here on is captured."""
    place.renew(installed=False)
    ground.lay(PLAN, lambda _table, _rows: None)
    installer.install(FLOWS, with_schemas=False, notifies=True, progress=lambda _: None)
    return place.environment


@pytest.fixture
def transitions(filled: dict[str, str]) -> list[Transition]:
    """What became of the applications, once each flow had its full run: their people first."""
    for flow in (GOLDEN_RECORDS, *FLOWS):
        refresh.request(flow, "test")
        while refresh.step(flow, flow.lanes):
            pass
    return list(Workload(PLAN).transitions)


def captured(database: Database) -> dict[str, int]:
    with transaction(database) as source:
        return dict(source.rows("SELECT flow, count(*) FROM synctasks.change_log GROUP BY flow"))


def kept() -> int:
    with transaction(Database.CITIZEN) as portal:
        return int(portal.value("SELECT count(*) FROM synctasks.event_log"))


def differing(transitions: list[Transition]) -> dict[str, int]:
    agreements = compare_all(transitions, datetime.now(UTC).date())
    return {each.flow: each.differing for each in agreements if each.differing}


def test_the_applications_count_exactly_the_changes_that_are_captured(
    filled: dict[str, str],
) -> None:
    with Workload(PLAN) as workload:
        before = len(workload.transitions)
        wait_until(lambda: workload.transactions > 500, 60, "five hundred transactions")
        workload.stop()
    counted = {flow: changes for flow, changes in workload.changes.items() if changes}
    assert captured(Database.WAREHOUSE) | captured(Database.CITIZEN) == counted
    assert kept() == len(workload.transitions) - before
    assert counted.keys() >= {"profile_data", "profile_summary", "golden_records", "ml_alerts"}


def test_each_expectation_is_met_and_finds_what_is_wrong(
    transitions: list[Transition], place: Workspace
) -> None:
    assert differing(transitions) == {}
    for flow in FLOWS:
        if flow.resolves:
            url = place.environment[
                WAREHOUSE if flow.target.database is Database.WAREHOUSE else CITIZEN
            ]
            with connected(url) as connection, connection.cursor() as cursor:
                cursor.execute(WRONG[flow.name])
                assert cursor.rowcount == 1, flow.name
    assert differing(transitions) == DIFFERING


def test_a_transition_that_never_arrived_is_missed(transitions: list[Transition]) -> None:
    first = next(each for each in transitions if each.status == "rejected" and each.submitted_at)
    again = first._replace(submitted_at="2026-01-01 00:00:00+00")
    assert differing([*transitions, again]) == {"application_events": 1}
