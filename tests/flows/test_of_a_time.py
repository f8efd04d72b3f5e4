"""Which units a replay of a period of time is about: those with a record of a time in it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from synctasks import replay
from synctasks.errors import SetupError
from synctasks.flow import Database, Flow
from synctasks.flows import FLOWS, by_name
from synctasks.period import Period
from tests.flows import applications, behavior, hints
from tests.flows.alerts import FOURTEENTH, NINTH, given_alert, key_of
from tests.flows.citizens import given_citizen
from tests.flows.decisions import given_decision
from tests.flows.documents import given_document
from tests.flows.feedbacks import given_feedback
from tests.flows.forecasts import given_forecast
from tests.letters import add_scheme
from tests.rows import Connection, add_record, execute

SINCE = datetime(2025, 11, 1, tzinfo=UTC)
UNTIL = datetime(2025, 11, 2, 12, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)

Give = Callable[[Connection, int, datetime | None], Any]


def uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


def application(citizen: Connection, number: int, at: datetime | None) -> str:
    if number == 1:
        given_citizen(citizen)
        applications.given_scheme(citizen)
    return applications.given_application(citizen, number, updated_at=at)


def citizen_of(citizen: Connection, number: int, at: datetime | None) -> str:
    given_citizen(citizen, uuid(number), aadhaar_number=f"{number:012}", updated_at=at)
    return uuid(number)


def document(citizen: Connection, number: int, at: datetime | None) -> str:
    if number == 1:
        given_citizen(citizen)
    return given_document(citizen, number, uploaded_at=at)


def feedback(citizen: Connection, number: int, at: datetime | None) -> str:
    if number == 1:
        given_citizen(citizen)
    return given_feedback(citizen, number, created_at=at)


def scheme(warehouse: Connection, number: int, at: datetime | None) -> str:
    add_scheme(warehouse, f"S-{number}", updated_at=at)
    return f"S-{number}"


def record(warehouse: Connection, number: int, at: datetime | None) -> str:
    add_record(warehouse, f"GR-{number}", updated_at=at)
    return f"GR-{number}"


def evaluation(warehouse: Connection, number: int, at: datetime | None) -> str:
    hints.given(warehouse, family_id=uuid(number), evaluation_timestamp=at)
    return uuid(number)


def alert(warehouse: Connection, number: int, at: datetime | None) -> str:
    use_case = NINTH if number % 2 else FOURTEENTH
    given_alert(warehouse, number, use_case, created_at=at)
    return key_of(number, use_case)


GIVE: dict[str, Give] = {
    "schemes": scheme,
    "profile_data": record,
    "eligibility_hints": evaluation,
    "benefit_forecasts": lambda source, number, at: given_forecast(source, number, generated_at=at),
    "application_decisions": lambda source, number, at: given_decision(
        source, number, decision_timestamp=at
    ),
    "ml_alerts": alert,
    "golden_records": citizen_of,
    "application_events": application,
    "document_metadata": document,
    "feedback_analytics": feedback,
}


def units_of(name: str, since: datetime | None, until: datetime | None) -> list[str]:
    return sorted(
        key for lot in replay.of_period(by_name(name), Period(since, until)) for key in lot
    )


@pytest.mark.parametrize("name", GIVE)
def test_those_from_the_first_moment_on_and_before_the_last(
    warehouse: Connection, citizen: Connection, name: str
) -> None:
    warehouse_is_source = by_name(name).source.database is Database.WAREHOUSE
    source = warehouse if warehouse_is_source else citizen
    times = [SINCE - MOMENT, SINCE, UNTIL - MOMENT, UNTIL, None]
    before, first, last, after, _ = (
        GIVE[name](source, number, at) for number, at in enumerate(times, 1)
    )
    assert units_of(name, SINCE, UNTIL) == sorted([first, last])
    assert units_of(name, UNTIL, None) == [after]
    assert units_of(name, None, SINCE) == [before]


def test_a_day_lies_in_each_span_that_touches_it(citizen: Connection) -> None:
    days = [SINCE + timedelta(days=number, hours=7) for number in range(-1, 4)]
    behavior.views(citizen, *days, None)
    noon = SINCE + timedelta(hours=12)
    assert units_of("user_behavior", noon, UNTIL) == ["2025-11-01", "2025-11-02"]
    assert units_of("user_behavior", SINCE, UNTIL.replace(hour=0)) == ["2025-11-01"]
    assert units_of("user_behavior", UNTIL, None) == ["2025-11-02", "2025-11-03", "2025-11-04"]


def test_an_application_that_was_deleted_since_is_told_by_its_kept_changes(
    warehouse: Connection, citizen: Connection
) -> None:
    gone = application(citizen, 1, SINCE)
    execute(citizen, "DELETE FROM service_applications")
    assert units_of("application_events", SINCE, UNTIL) == [gone]


def test_what_has_no_key_is_a_unit_of_its_own(warehouse: Connection) -> None:
    add_scheme(warehouse, "S-1", scheme_code=None, updated_at=SINCE)
    hints.given(warehouse, family_id=None, evaluation_timestamp=SINCE)
    for name in ("schemes", "eligibility_hints"):
        assert units_of(name, SINCE, UNTIL) == [""]
        assert units_of(name, UNTIL, None) == []


def test_of_a_familys_evaluations_the_latest_of_each_scheme_count(warehouse: Connection) -> None:
    hints.given(warehouse, "A", evaluation_timestamp=SINCE)
    hints.given(warehouse, "A", evaluation_timestamp=UNTIL)
    assert units_of("eligibility_hints", SINCE, UNTIL) == []
    hints.given(warehouse, "B", evaluation_timestamp=SINCE)
    assert units_of("eligibility_hints", SINCE, UNTIL) == [hints.FAMILY]


def test_every_key_is_seen_once_however_small_the_pages(
    warehouse: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "_PAGE", 2)
    keys = sorted(record(warehouse, number, SINCE) for number in range(1, 6))
    assert units_of("profile_data", SINCE, UNTIL) == keys


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_a_flow_says_what_its_time_is_or_what_to_do_instead(flow: Flow) -> None:
    """Of the profiles no column may be read but those that are shown, and none is a time."""
    if flow.name != "profile_summary":
        assert flow.source.time is not None
        assert flow.source.time.column in flow.watched
        return
    with pytest.raises(SetupError, match="no time that it may read"):
        replay.of_period(flow, Period(SINCE, UNTIL))
