"""`synctasks check --leaks`: values that broke the masks are found, and never shown."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from synctasks.checks import suspects
from synctasks.cli import cli
from synctasks.verhoeff import check_digit
from tests.rows import Connection, execute, insert

NUMBER = "23412341234" + check_digit("23412341234")
MOBILE = "9876543210"
ADDRESS = "asha@example.com"
BAND = "2-5 LAKH"

FAMILY = "7d444840-9dc0-41e0-9a5b-30d4c2f5c8a1"
MASKED = {
    "jan_aadhaar": "****-****-1234",
    "mobile_number": "******3210",
    "email": "a***@example.com",
    "family_id": FAMILY,
    "full_name": "Asha Devi",
}


def search() -> tuple[int, str, list[dict[str, Any]]]:
    """The exit status, what was printed, and what was found that is not well."""
    outcome = CliRunner().invoke(cli, ["check", "--leaks", "--json"])
    assert not isinstance(outcome.exception, Exception), outcome.exception
    found = json.loads(outcome.stdout)
    return outcome.exit_code, outcome.output, [each for each in found if each["state"] != "ok"]


def add_profile(citizen: Connection, record: str, **columns: Any) -> None:
    insert(citizen, "profile_data", {**MASKED, **columns, "record_id": record})


def test_what_flows_wrote_masked_is_well(citizen: Connection) -> None:
    add_profile(citizen, "GR-1")
    add_profile(citizen, "GR-2", jan_aadhaar=None, mobile_number="****", email="****")
    insert(citizen, "profile_summary", {"family_id": "GR-1", "income_category": "CONFIDENTIAL"})
    insert(
        citizen,
        "benefit_forecasts",
        {"forecast_id": FAMILY, "projections": json.dumps({"total": int(MOBILE), "of": 0.5})},
    )
    # The portal's own people are no target of ours.
    insert(citizen, "citizens", {"id": FAMILY, "aadhaar_number": NUMBER, "email": ADDRESS})
    assert search()[::2] == (0, [])


def test_each_value_is_found_by_its_column_and_row_and_none_is_shown(
    citizen: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suspects, "PAGE_ROWS", 2)
    for number in range(5):
        add_profile(citizen, f"GR-{number}", mobile_number=MOBILE)
    grouped = f"{NUMBER[:4]} {NUMBER[4:8]} {NUMBER[8:]}"
    add_profile(citizen, "GR-a", jan_aadhaar=NUMBER, full_name=f"Asha ({grouped})")
    add_profile(citizen, "GR-b", email=ADDRESS, city=ADDRESS)
    add_profile(citizen, NUMBER, city=f"Jaipur, {MOBILE}")
    insert(citizen, "profile_summary", {"family_id": "GR-1", "income_category": BAND})
    reasons = json.dumps([{"said": f"call +91{MOBILE}"}])
    insert(citizen, "service_applications", {"id": FAMILY})
    insert(
        citizen, "application_decisions", {"application_id": FAMILY, "decision_reasons": reasons}
    )
    for number in range(5):
        explanation = f"Ask {ADDRESS}" if number > 3 else "Of age"
        hint = {"family_id": FAMILY, "scheme_code": f"S-{number}", "explanation": explanation}
        insert(citizen, "eligibility_hints", hint)
    deep = "[" * 3_000 + f'"{MOBILE}"' + "]" * 3_000
    insert(citizen, "benefit_forecasts", {"forecast_id": FAMILY, "projections": deep})
    status, printed, found = search()
    told = {(each["thing"].rpartition("public.")[2], each["cause"]) for each in found}
    assert told == {
        ("profile_data, column record_id", "1 rows hold: Aadhaar number"),
        ("profile_data, column jan_aadhaar", "1 rows hold: value that is not masked: GR-a"),
        ("profile_data, column full_name", "1 rows hold: Aadhaar number: GR-a"),
        ("profile_data, column city", "1 rows hold: e-mail address: GR-b"),
        ("profile_data, column city", "1 rows hold: mobile number"),
        (
            "profile_data, column mobile_number",
            "5 rows hold: value that is not masked: GR-0, GR-1, GR-2, …",
        ),
        ("profile_data, column email", "1 rows hold: value that is not masked: GR-b"),
        ("profile_summary, column income_category", "1 rows hold: value that is not masked: GR-1"),
        (
            "application_decisions, column decision_reasons",
            f"1 rows hold: mobile number: {FAMILY}",
        ),
        ("benefit_forecasts, column projections", f"1 rows hold: mobile number: {FAMILY}"),
        (
            "eligibility_hints, column explanation",
            f"1 rows hold: e-mail address: {FAMILY} S-4",
        ),
    }
    for value in (NUMBER, grouped, MOBILE, ADDRESS, BAND):
        assert value not in printed
    remedies = {each["thing"].rpartition(", ")[2]: each["remedy"] for each in found}
    assert remedies["column full_name"].startswith(
        "Correct full_name in public.golden_records of the warehouse database"
    )
    assert "synctasks verify profile_data --repair" in remedies["column mobile_number"]
    assert status == 1


def test_a_table_that_cannot_be_searched_is_no_leak(citizen: Connection) -> None:
    execute(citizen, "ALTER TABLE profile_data RENAME TO somewhere_else")
    try:
        status, _, found = search()
        assert [(each["state"], each["check"]) for each in found] == [("could-not-run", "leaks")]
        assert status == 2
    finally:
        execute(citizen, "ALTER TABLE somewhere_else RENAME TO profile_data")
