"""No `explain`, of any flow, shows whose record it is: not in the text, not in the JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from psycopg2.extras import Json

from synctasks.flow import Flow
from synctasks.flows import FLOWS
from synctasks.shown import shown_sql
from tests.conftest import connected
from tests.emptied import empty
from tests.explaining import explained
from tests.flows import (
    alerts,
    applications,
    behavior,
    decisions,
    documents,
    feedbacks,
    forecasts,
    hints,
    profiles,
    schemes,
)
from tests.flows import citizens as people
from tests.flows.told import verified
from tests.letters import drain_pending
from tests.rows import Connection, add_record, rows, value
from tests.syncing import by_full_run
from tests.workspace import CITIZEN, WAREHOUSE, Workspace

AADHAAR, MOBILE, EMAIL = "864209751357", "+917086420913", "zzyzx.q@hidden.example"
NAME, PLACE, BORN, PINCODE = "Zzyzx Qwertzuiop", "Vvyzxpur", "1971-08-09", "864207"
SPACED = "8642 0975 1357"
# What somebody writes where something else belongs.
WORDS = f"{NAME} {SPACED}, {MOBILE} or {EMAIL}"
HIDDEN = [
    AADHAAR,
    SPACED,
    "7086420913",
    EMAIL,
    "zzyzx.q",
    "Qwertzuiop",
    "yzxpur",
    BORN,
    PINCODE,
]

PERSON: dict[str, Any] = {
    "full_name": NAME,
    "date_of_birth": BORN,
    "mobile_number": MOBILE,
    "email": EMAIL,
    "pincode": PINCODE,
}
NUMBERS = f"{AADHAAR} {MOBILE} {EMAIL}"


def fill(warehouse: Connection, citizen: Connection) -> None:
    """Two units of each flow that hold such values: one as it should be, one all wrong."""
    person = {**PERSON, "city": PLACE, "aadhaar_number": AADHAAR, "gender": "F"}
    people.given_citizen(citizen, people.ASHA, **person)
    people.given_citizen(
        citizen,
        people.RAVI,
        **{**person, "aadhaar_number": f"{AADHAAR} ", "gender": AADHAAR, "district": NUMBERS},
    )
    record = {**PERSON, "jan_aadhaar": AADHAAR, "city_village": PLACE}
    add_record(warehouse, "GR-1", **record)
    add_record(warehouse, "GR-2", **{**record, "jan_aadhaar": f" {AADHAAR}", "gender": NUMBERS})
    profiles.given_profile(warehouse, "GR-1", cluster_id=NUMBERS)
    profiles.given_profile(warehouse, "GR-2", vulnerability_level=NUMBERS * 2)
    applications.given_scheme(citizen)
    schemes.given(warehouse, description=NUMBERS)
    schemes.given(warehouse, **schemes.WIDOW, category=NUMBERS * 2)
    hints.given_schemes(citizen, "A")
    hints.given(warehouse, explanation=WORDS)
    hints.given(warehouse, "B", "7", explanation=WORDS, evaluation_status="RULE_ELIGIBLE")
    given_of_applications(warehouse, citizen)
    for number, kind in ((1, NUMBERS), (2, NUMBERS * 2)):
        alerts.given_alert(warehouse, number, message=WORDS, alert_type=kind, action_url=NUMBERS)
        documents.given_document(citizen, number, file_name=WORDS, document_type=kind)
        feedbacks.given_feedback(citizen, number, comment=WORDS, **of_the_pension(kind))
        forecasts.given_forecast(warehouse, number, projections=Json({"for": NUMBERS}))
    behavior.views(citizen, behavior.NOON, seconds=-1)


def of_the_pension(kind: str) -> dict[str, str]:
    return {"feedback_type": kind, "scheme_id": applications.PENSION}


def given_of_applications(warehouse: Connection, citizen: Connection) -> None:
    for number, status in ((1, "draft"), (2, NUMBERS)):
        applications.given_application(citizen, number, status=status)
        decisions.given_decision(
            warehouse, number, decision=status if number == 2 else "MANUAL_REVIEW", reasons=[WORDS]
        )


KEYS: dict[str, list[str]] = {
    "schemes": ["RJ-OLD-AGE", "RJ-WIDOW"],
    "profile_data": ["GR-1", "GR-2"],
    "profile_summary": ["GR-1", "GR-2"],
    "eligibility_hints": [hints.FAMILY],
    "benefit_forecasts": [forecasts.forecast_id(1), forecasts.forecast_id(2)],
    "application_decisions": [applications.application_id(1), applications.application_id(2)],
    "ml_alerts": [alerts.key_of(1), alerts.key_of(2)],
    "golden_records": [people.ASHA, people.RAVI],
    "application_events": [applications.application_id(1), applications.application_id(2)],
    "document_metadata": [documents.document_id(1), documents.document_id(2)],
    "user_behavior": [
        str(each.date()) for each in (behavior.NOON, documents.UPLOADED, applications.BEGUN)
    ],
    "feedback_analytics": [feedbacks.feedback_id(1), feedbacks.feedback_id(2)],
}


@pytest.fixture(scope="module")
def filled(renewed: Workspace) -> Iterator[tuple[Connection, Connection]]:
    """Units of all flows, not carried yet."""
    empty(renewed)
    with (
        connected(renewed.environment[WAREHOUSE]) as warehouse,
        connected(renewed.environment[CITIZEN]) as citizen,
    ):
        fill(warehouse, citizen)
        yield warehouse, citizen


@pytest.mark.parametrize("is_carried", [False, True], ids=["pending", "carried"])
@pytest.mark.parametrize("flow", FLOWS, ids=[flow.name for flow in FLOWS])
def test_nothing_says_who_it_is(
    filled: tuple[Connection, Connection], flow: Flow, is_carried: bool
) -> None:
    now: Counter[str] = Counter()
    if is_carried:
        source = filled[0] if flow.source.database == "warehouse" else filled[1]
        drain_pending()
        by_full_run(source, flow)
    for key in KEYS[flow.name]:
        found = explained(flow, key)
        now.update(found["now"])
        said = found["page"] + str(found)
        assert [text for text in HIDDEN if text in said] == []
        assert found["source"]["records"]
        if flow.name in ("profile_data", "golden_records"):
            assert "******0913" in found["page"]
            assert "z***@hidden.example" in found["page"]
            assert "1971-**-**" in found["page"]
    if is_carried:
        found = verified(flow)
        classes = {"unchanged": "matched", "rejected": "dead_lettered", "waiting": "waiting"}
        agreed = {box: found.get(each, 0) for box, each in classes.items()}
        assert {box: now[box] for box in classes} == agreed, "explain and verify say the same"
        assert not now.keys() & {"missing", "different", "extra"}


@pytest.mark.parametrize(
    ("column", "given", "shown"),
    [
        ("aadhaar_number", AADHAAR, "****-****-1357"),
        ("jan_aadhaar", "****-****-1357", "****-****-1357"),
        ("jan_aadhaar", f"{AADHAAR} ", "****"),
        ("mobile_number", "******0913", "******0913"),
        ("email", "z***@hidden.example", "z***@hidden.example"),
        ("email", "nobody", "****"),
        ("date_of_birth", "9.8.1971", "****"),
        ("pincode", "8642", "****"),
        ("status", "ACTIVE", "ACTIVE"),
        ("status", NUMBERS, "**** +**** ****"),
        ("status", "since 98765-43210", "since ****"),
        ("status", people.ASHA, people.ASHA),
        ("status", "2025-03-01T12:30:00.5+00:00", "2025-03-01T12:30:00.5+00:00"),
        ("status", "x" * 300, "x" * 200),
        ("comment", "Thanks!", "**** (7 characters)"),
        ("a_column_that_nobody_decided_about", "Asha", "**** (4 characters)"),
        *((column, None, None) for column in ("email", "pincode", "date_of_birth", "x", "status")),
    ],
)
def test_what_is_shown_of_a_value(
    filled: tuple[Connection, Connection], column: str, given: str | None, shown: str | None
) -> None:
    statement = f"SELECT {shown_sql(column, 'given.value')} FROM (SELECT %s::text) AS given (value)"
    assert value(filled[0], statement, [given]) == shown


def test_no_column_of_a_flow_is_shown_by_mistake(filled: tuple[Connection, Connection]) -> None:
    """A new text column is hidden until somebody decides; these are."""
    hidden = {"comment", "explanation", "file_name", "message", "reasons", "decision_reasons"}
    columns = {
        column
        for flow in FLOWS
        for column in (*flow.watched, *(each.name for each in flow.columns))
    }
    mine = {column for column in columns if "characters)" in shown_sql(column, "x")}
    typed_otherwise = {
        name
        for connection in filled
        for name in rows(
            connection,
            "SELECT column_name FROM information_schema.columns"
            " WHERE data_type NOT IN ('text', 'jsonb', 'character varying')",
        )
    }
    made = {"shortest_seconds", "was_submitted"}
    assert mine - typed_otherwise - made == hidden
