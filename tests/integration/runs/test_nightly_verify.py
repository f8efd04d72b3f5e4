"""The nightly verify: step by step, what no trigger saw is found and asked for once more."""

from __future__ import annotations

import pytest

from synctasks import duties
from synctasks.engine.verify import CLASSES
from synctasks.flow import Duty, Flow
from synctasks.flows import FLOWS
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.flows.to_citizen.schemes import SCHEMES
from synctasks.flows.to_warehouse.golden_records import GOLDEN_RECORDS
from tests.flows.citizens import given_citizen
from tests.refreshing import add_records, carry, fill_both, key, run_of, unseen
from tests.rows import Connection, execute, rows, value

RECORDS = 30
_REPAIRS = "SELECT id FROM synctasks.run WHERE kind = 'keys' AND reason = 'repair' ORDER BY id"


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duties, "_STEP_ROWS", 10)


@pytest.fixture(autouse=True)
def app(environment: dict[str, str]) -> None:
    """What sends for a repair."""
    assert environment, "the app reads its broker's URL when it is imported"
    import synctasks.app  # noqa: F401


@pytest.fixture
def filled(warehouse: Connection) -> Connection:
    """Records that agree on both sides."""
    fill_both(warehouse, RECORDS)
    return warehouse


def verify(flow: Flow = PROFILE_DATA) -> str:
    """A whole round, as a worker takes it; what is said of it in the end."""
    duties.request(flow, Duty.VERIFY, "test")
    while (step := duties.step(flow, Duty.VERIFY)).more:
        pass
    return step.said


def round_of(source: Connection) -> dict[str, object]:
    """The latest round: its state, and what it found that is not 0."""
    number = value(source, "SELECT max(id) FROM synctasks.run WHERE kind = 'verify'")
    run = run_of(source, number)
    found = {name: count for name, count in run["found"].items() if count}
    return {"state": run["state"], "done": run["done"], **found}


def spoil(citizen: Connection) -> None:
    """Two rows changed, one deleted, one added by a hand at the portal."""
    execute(citizen, f"UPDATE profile_data SET city = 'x' WHERE record_id IN {key(1), key(25)}")
    execute(citizen, f"DELETE FROM profile_data WHERE record_id = '{key(11)}'")
    execute(citizen, "INSERT INTO profile_data (record_id) VALUES ('GR-nobody')")


def test_sides_that_agree_need_no_repair(filled: Connection) -> None:
    assert verify() == "succeeded: 30 matched"
    assert round_of(filled) == {"state": "succeeded", "done": 30, "matched": 30}
    assert rows(filled, _REPAIRS) == []


def test_what_is_wrong_is_repaired_and_counted(filled: Connection, citizen: Connection) -> None:
    spoil(citizen)
    assert verify() == "succeeded: 27 matched, 1 missing, 1 extra, 2 different, 4 repaired"
    assert round_of(filled) == {
        "state": "succeeded",
        "done": 30,
        "matched": 27,
        "missing": 1,
        "extra": 1,
        "different": 2,
        "repaired": 4,
    }
    carry()
    assert verify() == "succeeded: 30 matched"
    assert [run_of(filled, run)["state"] for run in rows(filled, _REPAIRS)] == ["succeeded"] * 4


def test_what_triggers_do_not_see_is_carried_over(filled: Connection, citizen: Connection) -> None:
    """Rows that logical replication applied, for example."""
    with unseen(filled):
        add_records(filled, 31, 35)
        execute(filled, f"DELETE FROM golden_records WHERE gr_id = '{key(1)}'")
    assert verify() == "succeeded: 29 matched, 5 missing, 1 extra, 6 repaired"
    carry()
    assert value(citizen, "SELECT count(*) FROM profile_data") == 34


def test_flows_of_either_side_are_verified(warehouse: Connection, citizen: Connection) -> None:
    given_citizen(citizen)
    carry(GOLDEN_RECORDS)
    execute(warehouse, "UPDATE golden_records SET full_name = 'x', updated_at = '2020-01-01'")
    assert "1 different, 1 repaired" in verify(GOLDEN_RECORDS)
    assert round_of(citizen)["state"] == "succeeded"
    carry(GOLDEN_RECORDS)
    assert verify(GOLDEN_RECORDS) == "succeeded: 1 matched"


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_every_flow_can_be_verified_so(
    warehouse: Connection, citizen: Connection, flow: Flow
) -> None:
    assert verify(flow) == "succeeded: nothing"


def test_records_without_a_key_are_looked_at_in_the_end(warehouse: Connection) -> None:
    execute(
        warehouse,
        "INSERT INTO eligibility.scheme_master (scheme_id, status, updated_at) "
        "VALUES (gen_random_uuid(), 'ACTIVE', now())",
    )
    assert verify(SCHEMES) == "succeeded: 1 missing, 1 repaired"


def test_a_step_that_was_not_noted_is_repeated_and_counted_once(
    filled: Connection, citizen: Connection
) -> None:
    """A worker that dies before it has noted its step, and two that take the same one."""
    spoil(citizen)
    number = duties.request(PROFILE_DATA, Duty.VERIFY, "test")
    noted = duties.rounds.save
    while run_of(filled, number)["state"] == "running":
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(duties.rounds, "save", _dies)
            with pytest.raises(KeyboardInterrupt):
                duties.step(PROFILE_DATA, Duty.VERIFY)

            def another_first(*arguments: object) -> bool:
                patch.setattr(duties.rounds, "save", noted)
                duties.step(PROFILE_DATA, Duty.VERIFY)
                return noted(*arguments)  # type: ignore[arg-type]

            patch.setattr(duties.rounds, "save", another_first)
            duties.step(PROFILE_DATA, Duty.VERIFY)
    found = round_of(filled)
    assert (found["state"], found["done"]) == ("succeeded", 30)
    # What is asked for already is on its way, and no longer wrong.
    assert found["matched"] == 27
    assert sum(found.get(each, 0) for each in ("missing", "extra", "different", "in_flight")) == 4
    carry()
    assert verify() == "succeeded: 30 matched"


def _dies(*_: object) -> bool:
    raise KeyboardInterrupt


def test_it_waits_for_a_large_repair_and_goes_on_then(
    filled: Connection, citizen: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duties, "REPAIRED_AT_ONCE", 5)
    execute(citizen, "UPDATE profile_data SET city = 'x'")
    duties.request(PROFILE_DATA, Duty.VERIFY, "test")
    assert duties.step(PROFILE_DATA, Duty.VERIFY).more
    for _ in range(2):
        step = duties.step(PROFILE_DATA, Duty.VERIFY)
        assert (step.said, step.more) == ("what was repaired is on its way", False)
    assert round_of(filled) == {"state": "running", "done": 10, "different": 10, "repaired": 10}
    carry()
    assert duties.step(PROFILE_DATA, Duty.VERIFY).more


def test_a_repair_whose_removals_are_held_ends_the_round(
    filled: Connection, citizen: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duties, "_STEP_ROWS", 5_000)
    execute(
        citizen,
        "INSERT INTO profile_data (record_id) "
        "SELECT 'GR-nobody-' || number FROM generate_series(1, 1500) AS numbered (number)",
    )
    duties.request(PROFILE_DATA, Duty.VERIFY, "test")
    while duties.step(PROFILE_DATA, Duty.VERIFY).more:
        carry()
    found = round_of(filled)
    assert (found["state"], found["extra"]) == ("guarded", 1500)
    error = value(filled, "SELECT error FROM synctasks.run WHERE kind = 'verify'")
    assert "synctasks sync profile_data --accept-shrink" in error


def test_nothing_under_way_is_nothing_to_do(filled: Connection) -> None:
    assert duties.step(PROFILE_DATA, Duty.VERIFY).said == "nothing to do"
    assert duties.step(PROFILE_DATA, Duty.REVIEW).said == "nothing to do"


def test_a_round_begun_anew_takes_the_place_of_the_one_under_way(filled: Connection) -> None:
    first = duties.request(PROFILE_DATA, Duty.VERIFY, "test")
    duties.step(PROFILE_DATA, Duty.VERIFY)
    assert verify() == "succeeded: 30 matched"
    run = run_of(filled, first)
    assert (run["state"], run["error"]) == ("stopped", "a later one took its place")


def test_what_it_found_has_all_classes(filled: Connection) -> None:
    verify()
    found = value(filled, "SELECT found FROM synctasks.run WHERE kind = 'verify'")
    assert found.keys() == {*CLASSES, "repaired"}
