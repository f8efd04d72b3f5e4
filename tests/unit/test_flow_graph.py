"""No change can travel round: the graph of flows has no cycle.

A flow leads to another one where it writes a table that the other one captures, or announces what
records of the other one wait for. A need that asks for a full run leads back on purpose; it asks
once for each record that begins to wait (tests/flows).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter

from synctasks.flow import Flow
from synctasks.flows import FLOWS, by_name


def graph(flows: Sequence[Flow]) -> dict[str, set[str]]:
    """By flow the flows that lead to it."""
    return {to.name: {by.name for by in flows if _leads(by, to)} for to in flows}


def _leads(by: Flow, to: Flow) -> bool:
    return _writes_what_is_captured(by, to) or bool(
        {wake.kind for wake in by.wakes} & {need.kind for need in to.needs}
    )


def _writes_what_is_captured(by: Flow, to: Flow) -> bool:
    """Whether a row that one flow writes is a change to another: by a column that it reads."""
    if by.target.database is not to.source.database or not to.capture:
        return False
    written = {column.name for column in by.columns}
    return any(table.name == by.target.table and written & {*table.reads} for table in to.tables)


def cycle(flows: Sequence[Flow]) -> Iterable[str] | None:
    """The flows that a change could go round in, or None."""
    try:
        TopologicalSorter(graph(flows)).prepare()
    except CycleError as error:
        found: Sequence[str] = error.args[1]
        return found
    return None


def test_no_change_can_travel_round() -> None:
    assert cycle(FLOWS) is None


def test_the_only_flow_whose_writes_another_one_captures_is_golden_records() -> None:
    leads = {(by.name, to.name) for by in FLOWS for to in FLOWS if _writes_what_is_captured(by, to)}
    assert leads == {("golden_records", "profile_data")}


def test_a_flow_that_wrote_back_would_be_seen() -> None:
    profile_data = by_name("profile_data")
    table = replace(profile_data.target, table="public.citizens")
    back = replace(profile_data, target=table)
    found = cycle([back if flow is profile_data else flow for flow in FLOWS])
    assert found is not None
    assert {"profile_data", "golden_records"} <= {*found}


def test_what_asks_for_a_full_run_names_a_flow_of_the_same_source() -> None:
    asked = [(flow, need) for flow in FLOWS for need in flow.needs if need.run_of]
    assert {(flow.name, need.run_of) for flow, need in asked} == {("eligibility_hints", "schemes")}
    for flow, need in asked:
        other = by_name(str(need.run_of))
        assert other.source.database is flow.source.database
        assert need.kind in {wake.kind for wake in other.wakes}
