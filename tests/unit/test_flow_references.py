"""Declarations with matches, references and wakes: what is checked, and what follows from them."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from synctasks.engine.resolve import made_keys, refusals
from synctasks.flow import Match, Wake
from synctasks.flows import FLOWS
from synctasks.flows.to_citizen.ml_alerts import ML_ALERTS
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.flows.to_warehouse.document_metadata import DOCUMENT_METADATA
from synctasks.flows.to_warehouse.golden_records import GOLDEN_RECORDS

TARGET = GOLDEN_RECORDS.target


@pytest.mark.parametrize(
    ("change", "unknown"),
    [
        ({"target": replace(TARGET, newest="changed_at")}, "changed_at"),
        ({"target": replace(TARGET, match=Match("number", "review_status"))}, "number"),
        ({"target": replace(TARGET, match=Match("jan_aadhaar", "review"))}, "review"),
        ({"wakes": (Wake("citizen"), Wake("golden record", "masked"))}, "masked"),
    ],
)
def test_a_rule_of_the_target_or_a_wake_that_names_no_column_is_refused(
    change: dict[str, object], unknown: str
) -> None:
    with pytest.raises(ValueError, match=f"'{unknown}' is not among the columns"):
        replace(GOLDEN_RECORDS, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize("column", ["jan_aadhaar", "review_status", "updated_at"])
def test_a_column_that_the_target_goes_by_cannot_be_left_out(column: str) -> None:
    with pytest.raises(ValueError, match=f"'{column}' is not among the columns"):
        GOLDEN_RECORDS.without(frozenset({column}))


def test_a_column_that_its_reference_does_not_read_is_refused() -> None:
    """A record that is judged is read column by column: its table need not have such a one."""
    columns = tuple(
        replace(each, source="") if each.reference else each for each in ML_ALERTS.columns
    )
    with pytest.raises(
        ValueError, match="the reference of 'citizen_id' does not read 'citizen_id'"
    ):
        replace(ML_ALERTS, columns=columns)


def test_a_wake_by_the_unit_itself_names_no_column() -> None:
    assert replace(DOCUMENT_METADATA, wakes=(Wake("document"),)).wakes == (Wake("document"),)


def test_only_a_flow_that_matches_or_refers_is_resolved_at_the_target() -> None:
    assert {flow.name for flow in FLOWS if not flow.resolves} == {
        "schemes",
        "profile_data",
        "profile_summary",
        "benefit_forecasts",
    }


def test_what_is_compared_is_what_is_written_less_what_is_stamped_and_the_time() -> None:
    written = {column.name for column in GOLDEN_RECORDS.written}
    compared = {column.name for column in GOLDEN_RECORDS.compared}
    assert written - compared == {"updated_by", "updated_at"}
    fixed = {"gr_id", "family_id", "review_status", "created_at"}
    assert {column.name for column in GOLDEN_RECORDS.columns} - written == fixed


def test_every_kind_that_somebody_waits_for_is_announced_by_some_flow_at_the_portal() -> None:
    """By one whose units live where the waiting is kept, or whose rows arrive there."""
    for waiting in FLOWS:
        for need in waiting.needs:
            assert any(
                wake.kind == need.kind
                and waiting.source.database
                is (flow.source.database if wake.column is None else flow.target.database)
                for flow in FLOWS
                for wake in flow.wakes
            ), need.kind


def test_what_a_constant_holds_and_a_reference_reads_is_watched_or_not() -> None:
    assert "district" in GOLDEN_RECORDS.watched
    assert "citizen_id" in DOCUMENT_METADATA.watched
    unread = {"review_status", "updated_by", "is_family_head"}
    assert not unread & set(GOLDEN_RECORDS.watched)


def test_the_keys_of_rows_that_are_made_follow_from_the_units() -> None:
    units = [str(uuid4()) for _ in range(20)]
    made = made_keys(GOLDEN_RECORDS, units)
    assert made == made_keys(GOLDEN_RECORDS, units)
    assert len({*made, *units}) == 40
    assert {UUID(each).version for each in made} == {5}
    assert made_keys(PROFILE_DATA, units) == []


def test_a_refusal_of_the_target_names_the_sources_column() -> None:
    columns = {column for column, _ in refusals(GOLDEN_RECORDS).values()}
    assert columns == {"aadhaar_number", "district"}
    assert {column for column, _ in refusals(DOCUMENT_METADATA).values()} == {"citizen_id"}
