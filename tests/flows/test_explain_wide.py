"""`explain FLOW KEY` where a unit has many records, or its row may be another one's."""

from __future__ import annotations

from datetime import timedelta

from synctasks.flows.to_citizen.eligibility_hints import ELIGIBILITY_HINTS
from synctasks.flows.to_citizen.ml_alerts import ML_ALERTS
from synctasks.flows.to_citizen.schemes import SCHEMES
from synctasks.flows.to_warehouse.application_events import APPLICATION_EVENTS
from synctasks.flows.to_warehouse.user_behavior import USER_BEHAVIOR
from tests.explaining import explained, outcome, verdicts
from tests.flows import applications, behavior, hints, schemes
from tests.flows.alerts import NINTH, alert_id, given_alert
from tests.flows.citizens import ASHA, RAVI, given_citizen, given_record
from tests.flows.hints import FAMILY
from tests.flows.told import letters_of
from tests.refreshing import carry
from tests.rows import Connection, execute, rows
from tests.syncing import by_full_run

SCORES = {scheme: f"0.{place}" for place, scheme in enumerate("ABCDEF", start=1)}


def test_the_best_of_a_family_stay(warehouse: Connection, citizen: Connection) -> None:
    hints.given_schemes(citizen, *SCORES)
    hints.given_scores(warehouse, SCORES)
    hints.synced(warehouse)
    found = explained(ELIGIBILITY_HINTS, FAMILY)
    assert outcome(found) == ("matched", 0)
    assert found["sentence"].startswith(f"5 of 6 records of {FAMILY} are in step")
    assert found["sentence"].endswith("; 1 more are none of the best")
    now = {each["row"]["scheme_code"]: each["now"] for each in found["source"]["records"]}
    assert now == {**dict.fromkeys("BCDEF", "unchanged"), "A": "outranked"}

    hints.given(warehouse, "G", "2")
    found = explained(ELIGIBILITY_HINTS, FAMILY, "--limit", "1")
    assert outcome(found) == ("rejected", 1)
    assert found["sentence"].startswith(f"1 of 7 records of {FAMILY} is rejected")
    [record] = found["source"]["records"]
    assert verdicts(record) == {"eligibility_score": ("is not between 0 and 1", False)}
    assert (found["source"]["left_out"], found["target"]["left_out"]) == (6, 4)
    assert "6 more records: give a larger --limit." in found["page"]


def test_an_unknown_scheme_is_waited_for(warehouse: Connection, citizen: Connection) -> None:
    hints.given(warehouse, "Z")
    hints.run_in_full(warehouse)
    found = explained(ELIGIBILITY_HINTS, FAMILY)
    assert outcome(found) == ("waiting", 1)
    assert found["sentence"].startswith(f"The one record of {FAMILY} is waiting")
    assert "(scheme Z would wake it); since" in found["sentence"]


def test_a_hint_that_fell_out_is_still_there(warehouse: Connection, citizen: Connection) -> None:
    hints.given_schemes(citizen, "A", "B")
    hints.given_hint(citizen, "A")
    later = hints.YESTERDAY + timedelta(hours=1)
    hints.given_hint(citizen, "B", updated_at=later, explanation="It was said later.")
    hints.given(warehouse, "B")
    execute(warehouse, "DELETE FROM synctasks.change_log")
    found = explained(ELIGIBILITY_HINTS, FAMILY)
    assert outcome(found) == ("extra", 1)
    assert found["now"] == {"extra": 1, "superseded": 1}
    [record] = found["source"]["records"]
    assert record["conflict"]["decision"] == "the target's state stays"


def test_an_alert_belongs_to_the_use_case_that_came_first(
    warehouse: Connection, citizen: Connection
) -> None:
    given_citizen(citizen)
    first = given_alert(warehouse)
    carry(ML_ALERTS)
    second = given_alert(warehouse, 1, NINTH)
    found = explained(ML_ALERTS, second)
    assert outcome(found) == ("rejected", 1)
    assert "alert_id: is known at the target from another unit" in found["sentence"]
    assert f"the row belongs to {first}" in found["sentence"]
    assert [row["alert_id"] for row in found["target"]["rows"]] == [alert_id(1)]
    assert outcome(explained(ML_ALERTS, first)) == ("matched", 0)
    execute(citizen, "UPDATE citizens SET verification_status = 'rejected'")
    [record] = explained(ML_ALERTS, first)["source"]["records"]
    assert record["references"][0]["verdict"] == "missing, and not needed any more"
    execute(warehouse, "DELETE FROM ai.beneficiary_detection_alerts")
    assert outcome(explained(ML_ALERTS, first)) == ("kept", 0)


def test_a_scheme_that_was_renamed(warehouse: Connection) -> None:
    schemes.given(warehouse)
    by_full_run(warehouse, SCHEMES)
    schemes.change(warehouse, scheme_code="RJ-OLD")
    by_full_run(warehouse, SCHEMES)
    found = explained(SCHEMES, "RJ-OLD")
    assert outcome(found) == ("rejected", 1)
    assert "is known at the target under another key" in found["sentence"]
    assert found["target"]["taken_by"] == "RJ-OLD-AGE"


def test_the_transitions_of_an_application(warehouse: Connection, citizen: Connection) -> None:
    given_citizen(citizen)
    given_record(warehouse)
    applications.given_scheme(citizen)
    key = applications.given_application(citizen)
    assert outcome(explained(APPLICATION_EVENTS, key)) == ("filtered", 0)
    applications.becomes(citizen, "submitted")
    found = explained(APPLICATION_EVENTS, key)
    assert outcome(found) == ("waiting", 1)
    assert "the application's next statement may set what is missing" in found["sentence"]
    unripe = found["source"]["records"][0]
    assert [each["verdict"] for each in unripe["filters"]] == ["passes", "yes"]

    applications.alter(citizen, submitted_at=applications.SUBMITTED)
    carry(APPLICATION_EVENTS)
    applications.becomes(citizen, "rejected")
    found = explained(APPLICATION_EVENTS, key)
    assert outcome(found) == ("in_flight", 1)
    assert found["sentence"].startswith(f"1 of 3 records of {key} is not at the target yet")
    statuses = [each["row"]["status"] for each in found["event_log"]]
    assert statuses == ["draft", "submitted", "submitted", "rejected"]
    carry(APPLICATION_EVENTS)
    found = explained(APPLICATION_EVENTS, key)
    assert outcome(found) == ("matched", 0)
    assert len(found["target"]["rows"]) == 2
    execute(citizen, "DELETE FROM service_applications")
    assert outcome(explained(APPLICATION_EVENTS, key)) == ("matched", 0), "its log is there still"


def test_a_day_of_people_known_and_unknown(warehouse: Connection, citizen: Connection) -> None:
    for who in (ASHA, RAVI):
        given_citizen(citizen, who, verification_status="pending")
        behavior.views(citizen, behavior.NOON, who=who)
    behavior.views(citizen, behavior.NOON, who=None)
    day = str(behavior.THEN)
    found = explained(USER_BEHAVIOR, day)
    assert outcome(found) == ("filtered", 0)
    assert "public.golden_records does not know whose it is" in found["sentence"]
    given_record(warehouse)
    found = explained(USER_BEHAVIOR, day)
    assert outcome(found) == ("missing", 1)
    assert found["sentence"].startswith(f"1 of 3 records of {day} is not at the target yet")
    behavior.asked_for(citizen, day)
    assert outcome(explained(USER_BEHAVIOR, day)) == ("matched", 0)
    execute(warehouse, "UPDATE analytics.user_behavior SET event_count = 7")
    behavior.given_count(warehouse, citizen_id="GR-7")
    found = explained(USER_BEHAVIOR, day)
    assert outcome(found) == ("different", 1)
    assert found["now"] == {"different": 1, "extra": 1, "filtered": 2}
    behavior.purge(citizen)
    assert outcome(explained(USER_BEHAVIOR, day)) == ("kept", 0)
    assert letters_of(citizen, USER_BEHAVIOR) == []
    assert rows(citizen, "SELECT key FROM synctasks.change_log WHERE flow = 'user_behavior'") == []
