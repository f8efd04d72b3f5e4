"""Removals that are held go when somebody accepts the shrink; then the guard counts anew."""

from __future__ import annotations

import pytest

from synctasks.capture import removals
from synctasks.flow import Flow
from synctasks.flows import FLOWS
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.monitoring.status import status
from tests import oracle
from tests.refreshing import carry, fill_both, full_run, held, remove
from tests.rows import Connection, execute, names_at_portal, pending, rows, value

NAME = PROFILE_DATA.name
_BOOKS = """\
SELECT coalesce(sum(taken), 0)::int, sum(units)::int, sum(coalesced)::int, sum(removed)::int
FROM synctasks.history
"""


def accept(warehouse: Connection) -> None:
    """Let go what is held, as `sync --accept-shrink` does, and do all the work."""
    removals.accept(PROFILE_DATA)
    carry()
    assert full_run(warehouse, accepts_shrink=True)["state"] == "succeeded"


def test_accepted_they_are_removed_audited_and_counted_once(
    warehouse: Connection, citizen: Connection
) -> None:
    fill_both(warehouse, 3_000)
    remove(warehouse, 1, 1_200)
    carry()
    accept(warehouse)
    assert held(warehouse) == pending(warehouse) == []
    assert not oracle.profile_data(warehouse, citizen)
    assert value(warehouse, _BOOKS) == (1_200, 1_200, 0, 1_200)
    audited = "SELECT action, flow, subject, actor <> '' FROM synctasks.audit"
    said = "1200 held removals, and a full run"
    assert rows(warehouse, audited) == [("accept-shrink", NAME, said, True)]
    assert status(FLOWS)["alerts"] == []


def test_what_was_accepted_does_not_count_again(warehouse: Connection, citizen: Connection) -> None:
    fill_both(warehouse, 3_000)
    remove(warehouse, 1, 1_200)
    carry()
    accept(warehouse)
    remove(warehouse, 1_201, 2_100)
    carry()
    assert held(warehouse) == []
    assert len(names_at_portal(citizen)) == 900


def test_what_was_removed_before_an_acceptance_does_not_count_either(
    warehouse: Connection, citizen: Connection
) -> None:
    fill_both(warehouse, 3_000)
    remove(warehouse, 1, 700)
    carry()
    remove(warehouse, 701, 1_200)
    carry()
    assert len(held(warehouse)) == 500
    accept(warehouse)
    remove(warehouse, 1_201, 2_100)
    carry()
    assert held(warehouse) == []
    assert len(names_at_portal(citizen)) == 900


def test_what_was_accepted_does_not_count_though_it_was_removed_a_minute_later(
    warehouse: Connection, citizen: Connection
) -> None:
    fill_both(warehouse, 3_000)
    remove(warehouse, 1, 1_200)
    carry()
    accept(warehouse)
    execute(warehouse, "UPDATE synctasks.history SET minute = minute + interval '1 minute'")
    remove(warehouse, 1_201, 2_100)
    carry()
    assert held(warehouse) == []
    assert len(names_at_portal(citizen)) == 900


def test_what_was_accepted_goes_though_others_are_held_meanwhile(
    warehouse: Connection, citizen: Connection
) -> None:
    fill_both(warehouse, 3_000)
    remove(warehouse, 1, 1_200)
    carry()
    removals.accept(PROFILE_DATA)
    later = remove(warehouse, 1_201, 2_400)
    carry()
    assert held(warehouse) == later
    assert len(names_at_portal(citizen)) == 1_800


def test_after_an_acceptance_the_guard_counts_anew(
    warehouse: Connection, citizen: Connection
) -> None:
    fill_both(warehouse, 4_500)
    remove(warehouse, 1, 1_500)
    carry()
    accept(warehouse)
    remove(warehouse, 1_501, 2_200)
    carry()
    assert len(names_at_portal(citizen)) == 2_300
    second = remove(warehouse, 2_201, 2_900)
    carry()
    assert held(warehouse) == second


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_an_acceptance_concerns_its_own_flow(warehouse: Connection, flow: Flow) -> None:
    fill_both(warehouse, 1_200)
    gone = remove(warehouse, 1, 1_200)
    carry()
    removals.accept(flow)
    assert held(warehouse) == ([] if flow is PROFILE_DATA else gone)
