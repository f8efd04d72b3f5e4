"""`explain FLOW KEY`: what is rejected, what the target refuses, what stands in a change's way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from synctasks import breaker, pauses
from synctasks.engine import lock
from synctasks.flows.to_citizen.benefit_forecasts import BENEFIT_FORECASTS
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.flows.to_citizen.schemes import SCHEMES
from synctasks.flows.to_warehouse.feedback_analytics import FEEDBACK_ANALYTICS
from tests.conftest import connected
from tests.explaining import explained, outcome, verdicts
from tests.flows import schemes
from tests.flows.citizens import given_citizen, given_record
from tests.flows.feedbacks import given_feedback
from tests.flows.forecasts import given_forecast
from tests.letters import letter, typed
from tests.refreshing import carry, unseen
from tests.rows import Connection, add_record, execute
from tests.syncing import by_full_run
from tests.workspace import CITIZEN


def test_a_rejected_record_names_its_letter(warehouse: Connection) -> None:
    add_record(warehouse, "GR-1", gender="female", full_name=" ", district_id=99)
    found = explained(PROFILE_DATA, "GR-1")
    assert outcome(found) == ("rejected", 1)
    assert "its dead letter comes with its change" in found["sentence"]
    carry()
    found = explained(PROFILE_DATA, "GR-1")
    number = letter(warehouse, "GR-1")["id"]
    assert outcome(found) == ("rejected", 1)
    assert "gender: is none of M, F, O" in found["sentence"]
    assert found["sentence"].endswith(
        f"; it stands as dead letter {number}; see: synctasks dead-letters show {number}"
    )
    assert found["next"] == f"synctasks dead-letters show {number}"
    [record] = found["source"]["records"]
    assert record["gate"] is False
    assert verdicts(record) == {
        "full_name": ("is missing", False),
        "gender": ("is none of M, F, O", False),
        "district_id": ("is unknown to public.districts", False),
    }
    assert [(each["id"], each["count"]) for each in found["dead_letters"]] == [(number, 1)]

    typed("dead-letters", "discard", str(number), "--reason", "a test record")
    found = explained(PROFILE_DATA, "GR-1")
    assert outcome(found) == ("rejected", 1)
    assert "which was discarded (a test record)" in found["sentence"]

    with unseen(warehouse):
        execute(warehouse, "DELETE FROM golden_records")
    assert outcome(explained(PROFILE_DATA, "GR-1")) == ("gone", 0)
    execute(warehouse, "UPDATE synctasks.dead_letter SET state = 'open'")
    found = explained(PROFILE_DATA, "GR-1")
    assert outcome(found) == ("gone", 1)
    assert found["next"] == f'synctasks dead-letters discard {number} --reason "…"'


@contextmanager
def nowhere_refused(citizen: Connection) -> Iterator[None]:
    """The portal takes no row of this city."""
    execute(citizen, "ALTER TABLE profile_data ADD CONSTRAINT known CHECK (city <> 'Nowhere')")
    try:
        yield
    finally:
        execute(citizen, "ALTER TABLE profile_data DROP CONSTRAINT known")


def test_what_the_target_refuses_is_tried(warehouse: Connection, citizen: Connection) -> None:
    add_record(warehouse, "GR-1", city_village="Nowhere")
    with nowhere_refused(citizen):
        carry()
        found = explained(PROFILE_DATA, "GR-1")
        assert outcome(found) == ("rejected", 1)
        assert "check violation (table profile_data, constraint known)" in found["sentence"]
    found = explained(PROFILE_DATA, "GR-1")
    number = letter(warehouse, "GR-1")["id"]
    assert outcome(found) == ("missing", 1)
    assert f"its dead letter {number} is open still" in found["sentence"]
    execute(warehouse, "UPDATE synctasks.dead_letter SET kind = 'crash', error = 'workers died'")
    found = explained(PROFILE_DATA, "GR-1")
    assert (outcome(found), found["next"]) == (
        ("rejected", 1),
        f"synctasks dead-letters show {number}",
    )


def test_what_the_source_cannot_read_is_rejected(warehouse: Connection) -> None:
    table = "ALTER TABLE forecast.benefit_forecasts ALTER total_annual_value TYPE"
    execute(warehouse, f"{table} numeric")
    try:
        key = given_forecast(warehouse, total_annual_value="1e15")
        carry(BENEFIT_FORECASTS)
        found = explained(BENEFIT_FORECASTS, key)
        number = letter(warehouse, key)["id"]
        assert outcome(found) == ("rejected", 1)
        assert "warehouse: numeric value out of range" in found["sentence"]
        assert found["next"] == f"synctasks dead-letters show {number}"
        assert found["source"]["records"][0]["row"]["total_annual_value"] == "1000000000000000"
    finally:
        execute(warehouse, f"DELETE FROM forecast.benefit_forecasts; {table} numeric(14, 2)")


def test_what_somebody_wrote_does_nothing_to_a_terminal(warehouse: Connection) -> None:
    add_record(warehouse, "GR-1", gender="\x1b[31mF")
    found = explained(PROFILE_DATA, "GR-1")
    assert found["source"]["records"][0]["row"]["gender"] == "\x1b[31mF"
    assert "\x1b" not in found["page"]
    assert r"'\x1b[31mF'" in found["page"]


def test_rows_without_a_key_are_explained_together(warehouse: Connection) -> None:
    schemes.given(warehouse, scheme_code=None)
    schemes.given(warehouse, scheme_code=None, scheme_id=schemes.WIDOWS)
    by_full_run(warehouse, SCHEMES)
    found = explained(SCHEMES, "")
    assert outcome(found) == ("rejected", 1)
    assert found["sentence"].startswith("The unit without scheme_code is rejected")
    assert len(found["source"]["records"]) == len(found["dead_letters"]) == 2


def test_what_stands_in_the_way_is_named(warehouse: Connection, citizen: Connection) -> None:
    add_record(warehouse, "GR-1")
    execute(
        warehouse,
        "UPDATE synctasks.lane SET retry_at = clock_timestamp() + interval '4 seconds'"
        " WHERE flow = 'profile_data'",
    )
    assert "its lane is in the ladder: the next try" in said_of("GR-1")
    breaker.let_climb(PROFILE_DATA, "citizen", "took too long", 99)
    assert "the target is slow (took too long): another lane tries" in said_of("GR-1")
    breaker.open_for(PROFILE_DATA, "citizen", "the connection is lost")
    assert "the breaker of the target is open (the connection is lost)" in said_of("GR-1")
    pauses.pause(PROFILE_DATA, "the portal moves")
    found = explained(PROFILE_DATA, "GR-1")
    assert "is pending, and the flow is paused since" in found["sentence"]
    assert "(the portal moves); next: synctasks resume profile_data" in found["sentence"]
    assert found["paused"]["reason"] == "the portal moves"
    pauses.resume(PROFILE_DATA, None)
    assert explained(PROFILE_DATA, "GR-1")["paused"] is None

    given_citizen(citizen)
    given_record(warehouse, "GR-7")
    key = given_feedback(citizen)
    found = explained(FEEDBACK_ANALYTICS, key)
    assert outcome(found) == ("in_flight", 1)
    assert "rests until the flow's slot (daily 01:30)" in found["sentence"]


def said_of(key: str) -> str:
    found = explained(PROFILE_DATA, key)
    assert outcome(found) == ("in_flight", 1)
    assert found["next"] == "synctasks status"
    sentence: str = found["sentence"]
    return sentence


def test_a_lane_that_others_hold_is_looked_at_all_the_same(
    warehouse: Connection, databases: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "_TRIES", 1)
    add_record(warehouse, "GR-1")
    with connected(databases[CITIZEN]) as other:
        other.autocommit = False
        execute(
            other,
            "SELECT pg_advisory_xact_lock(%s, lane) FROM generate_series(0, 7) AS lane",
            [lock._space(PROFILE_DATA)],
        )
        found = explained(PROFILE_DATA, "GR-1")
    assert outcome(found) == ("in_flight", 1)
    assert found["sentence"].endswith("a worker is at its lane now")
