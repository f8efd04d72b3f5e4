"""A full run of a table that is being written meanwhile: both sides agree, nobody is doubled."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from synctasks.engine import refresh
from synctasks.engine.refresh import plan
from synctasks.engine.refresh.ranges import compare_next
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from tests import oracle
from tests.acceptance.traffic import Traffic
from tests.refreshing import (
    add_records,
    carry,
    drains,
    finish,
    full_run,
    key,
    run_of,
    step,
    unseen,
    versions,
)
from tests.rows import Connection, add_record, execute, names_at_portal, rows
from tests.workspace import WAREHOUSE

RECORDS = 300


@pytest.fixture(autouse=True)
def small_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "_RANGE_ROWS", 50)


@pytest.fixture
def spoiled(warehouse: Connection, citizen: Connection) -> Connection:
    """Records on both sides, with work of all kinds for a run at the portal."""
    with unseen(warehouse):
        add_records(warehouse, 1, RECORDS)
    full_run(warehouse)
    execute(citizen, "UPDATE profile_data SET city = 'x' WHERE record_id LIKE '%3'")
    execute(citizen, "DELETE FROM profile_data WHERE record_id LIKE '%5'")
    execute(
        citizen,
        "INSERT INTO profile_data (record_id) SELECT 'GR-0000' || number || '+' "
        "FROM generate_series(10, 90) AS numbered (number)",
    )
    return warehouse


def steps_of_a_run(warehouse: Connection) -> int:
    """How many steps a run took that is asked for now, alone."""
    refresh.request(PROFILE_DATA, "test")
    taken = 0
    while step():
        taken += 1
    return taken


@pytest.mark.parametrize("drained", [True, False], ids=["drained at once", "drained at the end"])
def test_what_happens_between_any_two_steps_of_a_run_arrives(
    spoiled: Connection, citizen: Connection, drained: bool
) -> None:
    """A record beyond the last key is added, others are changed, removed and moved."""
    run = refresh.request(PROFILE_DATA, "test")
    taken = 0
    while step():
        taken += 1
        add_record(spoiled, f"zz-{taken:03}", full_name=f"Late {taken}")
        execute(
            spoiled,
            "UPDATE golden_records SET full_name = %s WHERE gr_id = ANY (%s)",
            [f"Changed {taken}", [key(taken), key(taken + 100), "zz-001"]],
        )
        execute(spoiled, "DELETE FROM golden_records WHERE gr_id = %s", [key(taken + 200)])
        execute(
            spoiled,
            "UPDATE golden_records SET gr_id = 'aa-' || gr_id WHERE gr_id = %s",
            [key(taken + 150)],
        )
        if drained:
            carry()
            assert f"zz-{taken:03}" in names_at_portal(citizen), "here, and never removed"
    assert taken > 20
    assert run_of(spoiled, run)["state"] == "succeeded"
    if drained:
        late = {each for each in names_at_portal(citizen) if each.startswith("zz")}
        assert len(late) == taken, "the run removed none of them"
    carry()
    assert not oracle.profile_data(spoiled, citizen)
    before = versions(citizen)
    assert full_run(spoiled)["unchanged"] == len(before)
    assert versions(citizen) == before


def test_a_record_behind_the_last_key_comes_with_the_run_that_planned_before(
    warehouse: Connection, citizen: Connection
) -> None:
    """The last range is open: what is added behind it before it is compared is read, too."""
    with unseen(warehouse):
        add_records(warehouse, 1, 120)
    run = refresh.request(PROFILE_DATA, "test")
    planned = "SELECT FROM synctasks.chunk WHERE phase = 'range' AND high IS NULL"
    while not rows(warehouse, planned):
        assert step()
    with unseen(warehouse):
        add_record(warehouse, "zz")
    finish()
    assert run_of(warehouse, run)["read"] == 121
    assert "zz" in names_at_portal(citizen)


def test_a_record_that_the_source_got_after_pass_1_is_not_removed_by_pass_2(
    warehouse: Connection, citizen: Connection
) -> None:
    with unseen(warehouse):
        add_records(warehouse, 1, 120)
    execute(citizen, "INSERT INTO profile_data (record_id) VALUES ('GR-000050+'), ('zz'), ('zzz')")
    run = refresh.request(PROFILE_DATA, "test")
    handed_on = "SELECT FROM synctasks.chunk WHERE phase = 'target' AND 'zz' = ANY (keys)"
    while not rows(warehouse, handed_on):
        assert step()
    add_record(warehouse, "zz", full_name="Just in time")
    finish()
    ended = run_of(warehouse, run)
    assert (ended["state"], ended["removed"]) == ("succeeded", 2)
    assert names_at_portal(citizen)["zz"] == "Just in time"
    carry()
    assert not oracle.profile_data(warehouse, citizen)


def test_a_table_under_traffic_agrees_in_the_end(
    databases: dict[str, str], spoiled: Connection, citizen: Connection
) -> None:
    states = []
    with Traffic(databases[WAREHOUSE], writers=2, records=30) as traffic, drains():
        for _ in range(6):
            states.append(full_run(spoiled)["state"])
            traffic.await_writes(20)
    assert states == ["succeeded"] * 6
    carry()
    assert not oracle.profile_data(spoiled, citizen)
    before = versions(citizen)
    full_run(spoiled)
    assert versions(citizen) == before, "the events had carried all of it"


def test_several_workers_share_a_run(spoiled: Connection, citizen: Connection) -> None:
    run = refresh.request(PROFILE_DATA, "test")
    start = threading.Barrier(4)

    def work(_: int) -> int:
        start.wait(10)
        taken = 0
        while run_of(spoiled, run)["finished_at"] is None:
            taken += step()
        return taken

    with ThreadPoolExecutor(4) as workers:
        taken = list(workers.map(work, range(4)))
    ended = run_of(spoiled, run)
    assert (ended["state"], ended["read"]) == ("succeeded", RECORDS)
    assert (ended["written"], ended["removed"]) == (60, 81)
    assert sum(each > 0 for each in taken) > 1, "more than one of them had a part in it"
    assert not oracle.profile_data(spoiled, citizen)


def test_ranges_are_handed_on_while_another_page_is_planned(
    spoiled: Connection, citizen: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever plans has locked the run; who hands keys on refers to it, and does not wait."""
    run = refresh.request(PROFILE_DATA, "test")
    walk, handed_on = plan._PHASES["source"], []

    def planned(planner: plan._Planner) -> None:
        with ThreadPoolExecutor(1) as another:
            handed_on.append(
                another.submit(compare_next, PROFILE_DATA, planner.standing, 8).result()
            )
        walk(planner)

    assert step(), "it starts"
    assert step(), "the first page is planned"
    monkeypatch.setitem(plan._PHASES, "source", planned)
    finish()
    assert handed_on[0], "there was a range to compare"
    assert run_of(spoiled, run)["state"] == "succeeded"
    assert not oracle.profile_data(spoiled, citizen)


def test_requests_and_starts_at_once_give_one_run(warehouse: Connection) -> None:
    start = threading.Barrier(8)

    def ask(_: int) -> tuple[int, bool]:
        start.wait(10)
        return refresh.request(PROFILE_DATA, "test"), refresh.start(PROFILE_DATA)

    with ThreadPoolExecutor(8) as workers:
        asked = list(workers.map(ask, range(8)))
    running = "SELECT id FROM synctasks.run WHERE state = 'running'"
    [run] = rows(warehouse, running)
    assert any(started for _, started in asked)
    assert not refresh.start(PROFILE_DATA)
    assert refresh.request(PROFILE_DATA, "test") == run, "who asks now follows it"
    assert refresh.request(PROFILE_DATA, "test", accepts_shrink=True) != run
    assert not refresh.start(PROFILE_DATA), "not beside the one under way"
    assert rows(warehouse, running) == [run]
    finish()
    states = rows(warehouse, "SELECT DISTINCT state FROM synctasks.run")
    assert states == ["succeeded"]
