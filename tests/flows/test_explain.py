"""`explain FLOW KEY`: each outcome has its word, its sentence and its exit code."""

from __future__ import annotations

from datetime import timedelta

import pytest

from synctasks.capture import change_log
from synctasks.flow import Flow
from synctasks.flows.to_citizen.application_decisions import APPLICATION_DECISIONS
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.flows.to_citizen.schemes import SCHEMES
from synctasks.flows.to_warehouse.document_metadata import DOCUMENT_METADATA
from synctasks.flows.to_warehouse.golden_records import GOLDEN_RECORDS
from tests.explaining import explained, outcome, verdicts
from tests.flows import decisions, schemes
from tests.flows.citizens import ASHA, UPDATED, given_citizen, given_record
from tests.flows.documents import given_document
from tests.flows.told import asked_for, verified
from tests.letters import one_line, typed
from tests.refreshing import carry, unseen
from tests.rows import Connection, add_record, execute, rows, value
from tests.syncing import by_full_run

EVERYTHING = """\
SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
WHERE schemaname IN ('public', 'synctasks')
ORDER BY 1
"""


def everything(connection: Connection) -> list[list[str]]:
    """All rows of our and the public tables, and what wrote them."""
    return [
        sorted(rows(connection, f"SELECT (t.xmin, t.xmax, t)::text FROM {table} AS t"))
        for table in rows(connection, EVERYTHING)
    ]


def seen_lately(source: Connection) -> None:
    """A listener and a worker have said that they are there."""
    execute(
        source, "INSERT INTO synctasks.presence (process) VALUES ('listener'), ('worker events')"
    )


def test_a_record_is_on_its_way_and_then_in_step(
    warehouse: Connection, citizen: Connection
) -> None:
    add_record(warehouse, "GR-1")
    found = explained(PROFILE_DATA, "GR-1")
    assert outcome(found) == ("in_flight", 1)
    assert "is not at the target yet: its change is pending" in found["sentence"]
    assert found["next"] == "synctasks listen", "nobody has said that he is there"
    seen_lately(warehouse)
    found = explained(PROFILE_DATA, "GR-1")
    assert "due: workers take it in a moment" in found["sentence"]
    assert [each["origin"] for each in found["pending"]] == ["captured"]
    assert found["now"] == {"missing": 1}
    assert found["target"]["rows"] == []

    carry()
    before = everything(warehouse), everything(citizen)
    found = explained(PROFILE_DATA, "GR-1")
    assert (everything(warehouse), everything(citizen)) == before, "nothing is written"
    assert outcome(found) == ("matched", 0)
    assert found["sentence"] == "GR-1 is in step: the target has what the source says"
    [record] = found["source"]["records"]
    assert (record["now"], record["gate"], verdicts(record)) == ("unchanged", True, {})
    assert record["filters"] == [
        {"filter": "event filter", "sql": PROFILE_DATA.event_filter.sql, "verdict": "passes"}  # type: ignore[union-attr]
    ]
    assert found["target"]["rows"][0]["jan_aadhaar"] == "****-****-1234"


def test_what_no_trigger_saw_is_asked_for(warehouse: Connection) -> None:
    add_record(warehouse, "GR-1")
    add_record(warehouse, "it's 2")
    carry()
    with unseen(warehouse):
        execute(warehouse, "UPDATE golden_records SET full_name = 'Asha' WHERE gr_id = 'GR-1'")
        execute(warehouse, "DELETE FROM golden_records WHERE gr_id <> 'GR-1'")
    found = explained(PROFILE_DATA, "GR-1")
    assert outcome(found) == ("different", 1)
    assert (
        "nothing is pending, its slot (daily 00:30) takes all there is, the nightly"
        in found["sentence"]
    )
    assert found["next"] == "synctasks sync profile_data --key GR-1"
    found = explained(PROFILE_DATA, "it's 2")
    assert outcome(found) == ("extra", 1)
    assert "still at the target" in found["sentence"]
    assert found["next"] == """synctasks sync profile_data --key 'it'"'"'s 2'"""


def test_the_event_filter_holds_a_change_back(warehouse: Connection) -> None:
    long_ago = value(warehouse, "SELECT clock_timestamp()") - timedelta(days=31)
    add_record(warehouse, "GR-1", updated_at=long_ago)
    found = explained(PROFILE_DATA, "GR-1")
    assert outcome(found) == ("deferred", 1)
    assert "will hold its pending change back" in found["sentence"]
    carry()
    found = explained(PROFILE_DATA, "GR-1")
    assert outcome(found) == ("deferred", 1)
    assert "until the next full run (daily 00:30)" in found["sentence"]
    assert found["deferred"]["since"]
    [record] = found["source"]["records"]
    assert [each["verdict"] for each in record["filters"]] == ["excludes"]
    assert verified(PROFILE_DATA) == {"deferred": 1}
    assert found["next"] == "synctasks sync profile_data --key GR-1"
    asked_for(warehouse, PROFILE_DATA, "GR-1")
    assert outcome(explained(PROFILE_DATA, "GR-1")) == ("matched", 0)


def test_what_is_out_of_scope_does_not_cross(warehouse: Connection, citizen: Connection) -> None:
    given_citizen(citizen, verification_status="pending", gender="female")
    found = explained(GOLDEN_RECORDS, ASHA)
    assert outcome(found) == ("filtered", 0)
    assert found["sentence"].endswith("out of scope (source.verification_status = 'verified')")
    [record] = found["source"]["records"]
    assert (record["contract"], record["gate"]) == ([], None), "the filter comes first"

    schemes.given(warehouse)
    assert outcome(explained(SCHEMES, "RJ-OLD-AGE")) == ("missing", 1)
    schemes.few_are_usual(warehouse)
    by_full_run(warehouse, SCHEMES)
    schemes.change(warehouse, status="INACTIVE")
    found = explained(SCHEMES, "RJ-OLD-AGE")
    assert outcome(found) == ("extra", 1)
    assert "this flow has no events, its slot (daily 00:00) takes all there is" in found["sentence"]
    execute(warehouse, "UPDATE synctasks.run SET state = 'guarded'")
    found = explained(SCHEMES, "RJ-OLD-AGE")
    assert "the last full run found much less than usual, and removed nothing" in found["sentence"]
    assert found["next"] == "synctasks sync schemes --accept-shrink"
    execute(warehouse, "UPDATE synctasks.run SET state = 'failed', error = 'no rights'")
    found = explained(SCHEMES, "RJ-OLD-AGE")
    assert "the last full run failed (no rights)" in found["sentence"]
    schemes.few_are_usual(warehouse)
    by_full_run(warehouse, SCHEMES)
    assert outcome(explained(SCHEMES, "RJ-OLD-AGE")) == ("filtered", 0)
    execute(warehouse, "DELETE FROM eligibility.scheme_master")
    found = explained(SCHEMES, "RJ-OLD-AGE")
    assert outcome(found) == ("gone", 0)
    assert "out of use at the target" in found["sentence"]


def test_a_record_waits_for_its_reference(warehouse: Connection, citizen: Connection) -> None:
    given_citizen(citizen, verification_status="pending")
    key = given_document(citizen)
    carry(DOCUMENT_METADATA)
    found = explained(DOCUMENT_METADATA, key)
    assert outcome(found) == ("waiting", 1)
    assert "tried again at" in found["sentence"]
    assert "(so far 1 of 5 times)" in found["sentence"]
    execute(citizen, "DELETE FROM synctasks.change_log")
    asked_for(citizen, DOCUMENT_METADATA, key)
    found = explained(DOCUMENT_METADATA, key)
    assert outcome(found) == ("waiting", 1)
    assert "public.golden_records has no such row" in found["sentence"]
    assert f"citizen {ASHA} or golden record ****-****-1111 would wake it" in found["sentence"]
    [record] = found["source"]["records"]
    assert [each["verdict"] for each in record["references"]] == ["missing"]
    given_record(warehouse)
    found = explained(DOCUMENT_METADATA, key)
    assert outcome(found) == ("missing", 1)
    assert found["source"]["records"][0]["references"][0]["found"] == "GR-1"
    given_record(warehouse, "GR-2")
    found = explained(DOCUMENT_METADATA, key)
    assert outcome(found) == ("rejected", 1)
    [reference] = found["source"]["records"][0]["references"]
    assert (reference["verdict"], reference["rows"]) == ("ambiguous", 2)


def test_a_removal_is_held(warehouse: Connection) -> None:
    add_record(warehouse, "GR-1")
    carry()
    with unseen(warehouse):
        execute(warehouse, "DELETE FROM golden_records")
    execute(
        warehouse,
        "INSERT INTO synctasks.held (flow, key, lane, captured_at)"
        " VALUES ('profile_data', 'GR-1', 0, now())",
    )
    found = explained(PROFILE_DATA, "GR-1")
    assert outcome(found) == ("held", 1)
    assert found["next"] == "synctasks sync profile_data --accept-shrink"


def test_a_later_state_at_the_target_stays(warehouse: Connection, citizen: Connection) -> None:
    given_citizen(citizen)
    given_record(warehouse, updated_at=UPDATED + timedelta(days=1))
    found = explained(GOLDEN_RECORDS, ASHA)
    assert outcome(found) == ("superseded", 0)
    assert "the target has a later state (2025-03-02 12:30:00+00, here" in found["sentence"]
    [record] = found["source"]["records"]
    assert record["conflict"]["decision"] == "the target's state stays"
    execute(warehouse, "UPDATE golden_records SET updated_at = NULL")
    found = explained(GOLDEN_RECORDS, ASHA)
    assert found["source"]["records"][0]["conflict"]["decision"] == "overwrites what differs"
    assert outcome(found) == ("in_flight", 1)


def test_what_a_flow_keeps_is_kept(warehouse: Connection, citizen: Connection) -> None:
    decisions.given_application(citizen)
    key = decisions.given_decision(warehouse)
    carry(APPLICATION_DECISIONS)
    execute(warehouse, "DELETE FROM decision.applications")
    found = explained(APPLICATION_DECISIONS, key)
    assert outcome(found) == ("kept", 0)
    assert "this flow keeps what the target has" in found["sentence"]


def test_a_full_run_that_is_asked_for_brings_it(warehouse: Connection) -> None:
    schemes.given(warehouse)
    execute(warehouse, "INSERT INTO synctasks.run (flow, reason) VALUES ('schemes', 'by hand')")
    found = explained(SCHEMES, "RJ-OLD-AGE")
    assert outcome(found) == ("missing", 1)
    assert "a full run is asked for and brings it" in found["sentence"]


@pytest.mark.parametrize("flow", [PROFILE_DATA, SCHEMES])
def test_a_key_that_nobody_knows(databases: dict[str, str], flow: Flow) -> None:
    found = explained(flow, "GR-9")
    assert outcome(found) == ("unknown", 1)
    assert found["sentence"].startswith(f"There is no GR-9: neither {flow.source.table} nor")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing", "GR-1"], "flow 'nothing': there is no such flow. Choose one of: schemes,"),
        (["golden_records", "7"], "key '7' of flow golden_records: it is no UUID"),
        (["profile_data", " "], "key ' ' of flow profile_data: it is blank"),
        (["user_behavior", "31.3.2026"], "key '31.3.2026' of flow user_behavior: it is no day"),
        (["ml_alerts", "x:7"], "key 'x:7' of flow ml_alerts: it is no use case and alert_id"),
    ],
)
def test_wrong_usage_is_one_line(databases: dict[str, str], words: list[str], said: str) -> None:
    assert one_line(typed("explain", *words)).startswith(f"synctasks: {said}")


def test_a_replay_goes_past_the_event_filter(warehouse: Connection) -> None:
    long_ago = value(warehouse, "SELECT clock_timestamp()") - timedelta(days=31)
    add_record(warehouse, "GR-1", updated_at=long_ago)
    change_log.request(PROFILE_DATA, ["GR-1"], origin="key")
    assert outcome(explained(PROFILE_DATA, "GR-1")) == ("in_flight", 1)
