"""Verify: what differs and is neither marked nor on its way, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest

from synctasks.capture.change_log import lane_count
from synctasks.database import Transaction
from synctasks.engine import verify as verifying
from synctasks.engine.batch import Batch
from synctasks.engine.verify import CLASSES
from synctasks.engine.verify import verify as verify_flow
from synctasks.errors import LaneBusy
from synctasks.flow import Flow
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.flows.to_citizen.schemes import SCHEMES
from synctasks.sample.generate import Plan, fill_tables
from tests.acceptance.traffic import Traffic
from tests.refreshing import add_records, carry, drains, full_run, key, unseen, versions
from tests.rows import Connection, add_record, execute, rows, value
from tests.workspace import WAREHOUSE

RECORDS = 300
LONG_AGO = "2024-06-01 00:00+00"


@pytest.fixture(autouse=True)
def small_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifying, "_RANGE_ROWS", 100)


@pytest.fixture
def filled(warehouse: Connection) -> Connection:
    """Records that agree on both sides."""
    with unseen(warehouse):
        add_records(warehouse, 1, RECORDS)
    full_run(warehouse)
    return warehouse


def verify(flow: Flow = PROFILE_DATA) -> tuple[dict[str, int], list[str]]:
    """The classes that are not empty, and the keys of what is wrong."""
    wrong: list[str] = []
    *_, last = verify_flow(flow, lane_count(flow), found=wrong.extend)
    assert last.counts.keys() == set(CLASSES)
    assert last.wrong == len(wrong)
    return {name: count for name, count in last.counts.items() if count}, sorted(wrong)


def test_sides_that_agree_match(filled: Connection) -> None:
    assert verify() == ({"matched": RECORDS}, [])


def test_empty_sides_have_nothing_to_match(warehouse: Connection) -> None:
    assert verify() == ({}, [])
    assert verify(SCHEMES) == ({}, [])


def test_what_a_hand_did_at_the_portal_is_found(filled: Connection, citizen: Connection) -> None:
    changed, gone = [key(1), key(100), key(101)], [key(2), key(RECORDS)]
    added = ["!", "GR-000150+", "zz"]
    update = "UPDATE profile_data SET email = 'a@b.example' WHERE record_id = ANY (%s)"
    execute(citizen, update, [changed])
    execute(citizen, "DELETE FROM profile_data WHERE record_id = ANY (%s)", [gone])
    execute(citizen, "INSERT INTO profile_data (record_id) SELECT unnest(%s)", [added])
    before = versions(citizen)
    counts, wrong = verify()
    assert counts == {"matched": RECORDS - 5, "different": 3, "missing": 2, "extra": 3}
    assert wrong == sorted(changed + gone + added)
    assert versions(citizen) == before, "only looked at"


@pytest.mark.parametrize(
    "column", ["family_id", "full_name", "date_of_birth", "district_id", "city", "mobile_number"]
)
def test_a_difference_in_any_column_is_found(
    filled: Connection, citizen: Connection, column: str
) -> None:
    with unseen(filled):
        execute(filled, "UPDATE golden_records SET date_of_birth = '1980-02-03'")
    full_run(filled)
    execute(citizen, f"UPDATE profile_data SET {column} = NULL WHERE record_id = %s", [key(7)])
    assert verify() == ({"matched": RECORDS - 1, "different": 1}, [key(7)])


def test_what_the_source_did_behind_the_triggers_is_found(filled: Connection) -> None:
    with unseen(filled):
        execute(filled, "UPDATE golden_records SET gender = 'O' WHERE gr_id = %s", [key(1)])
        execute(filled, "DELETE FROM golden_records WHERE gr_id = %s", [key(2)])
        add_record(filled, "zz")
    counts, wrong = verify()
    assert counts == {"matched": RECORDS - 2, "different": 1, "extra": 1, "missing": 1}
    assert wrong == [key(1), key(2), "zz"]


def test_what_is_pending_is_in_flight(filled: Connection) -> None:
    execute(filled, "UPDATE golden_records SET gender = 'O' WHERE gr_id = %s", [key(1)])
    execute(filled, "DELETE FROM golden_records WHERE gr_id = %s", [key(2)])
    add_record(filled, "zz")
    assert verify() == ({"matched": RECORDS - 2, "in_flight": 3}, [])
    execute(filled, "DELETE FROM synctasks.change_log")
    counts, _ = verify()
    assert counts == {"matched": RECORDS - 2, "different": 1, "extra": 1, "missing": 1}


def test_held_removals_are_in_flight(warehouse: Connection) -> None:
    with unseen(warehouse):
        add_records(warehouse, 1, 1_200)
    full_run(warehouse)
    execute(warehouse, "DELETE FROM golden_records WHERE gr_id <= %s", [key(1_100)])
    carry()
    assert verify() == ({"matched": 100, "in_flight": 1_100}, [])
    execute(warehouse, "DELETE FROM synctasks.held")
    assert verify()[0] == {"matched": 100, "extra": 1_100}


def test_a_deferred_change_is_deferred_while_its_mark_exists(filled: Connection) -> None:
    update = "UPDATE golden_records SET full_name = 'B', updated_at = %s WHERE gr_id = ANY (%s)"
    execute(filled, update, [LONG_AGO, [key(1), key(2)]])
    add_record(filled, "zz", updated_at=LONG_AGO)
    assert verify() == ({"matched": RECORDS - 2, "in_flight": 3}, [])
    carry()
    assert verify() == ({"matched": RECORDS - 2, "deferred": 3}, [])
    execute(filled, "DELETE FROM synctasks.deferred WHERE key IN (%s, 'zz')", [key(2)])
    counts, wrong = verify()
    assert counts == {"matched": RECORDS - 2, "deferred": 1, "different": 1, "missing": 1}
    assert wrong == [key(2), "zz"]
    full_run(filled)
    assert verify() == ({"matched": RECORDS + 1}, [])


def test_an_old_record_that_nobody_deferred_is_no_deferred_one(filled: Connection) -> None:
    with unseen(filled):
        execute(
            filled,
            "UPDATE golden_records SET full_name = 'B', updated_at = %s WHERE gr_id = %s",
            [LONG_AGO, key(1)],
        )
    assert verify() == ({"matched": RECORDS - 1, "different": 1}, [key(1)])


def test_a_rejected_record_is_dead_lettered_while_its_letter_exists(filled: Connection) -> None:
    execute(filled, "UPDATE golden_records SET gender = 'X' WHERE gr_id = %s", [key(1)])
    add_record(filled, "zz", full_name=" ")
    carry()
    assert verify() == ({"matched": RECORDS - 1, "dead_lettered": 2}, [])
    execute(filled, "UPDATE synctasks.dead_letter SET state = 'discarded'")
    assert verify() == ({"matched": RECORDS - 1, "dead_lettered": 2}, [])
    execute(filled, "DELETE FROM synctasks.dead_letter")
    counts, wrong = verify()
    assert counts == {"matched": RECORDS - 1, "different": 1, "missing": 1}
    assert wrong == [key(1), "zz"]


def test_of_several_explanations_what_is_on_its_way_comes_first(filled: Connection) -> None:
    add_record(filled, "zz", full_name=" ")
    carry()
    execute(filled, "UPDATE golden_records SET full_name = '' WHERE gr_id = 'zz'")
    assert verify() == ({"matched": RECORDS, "in_flight": 1}, [])


def test_schemes_are_compared_within_their_scope(
    warehouse: Connection, citizen: Connection
) -> None:
    fill_tables(warehouse, ["eligibility.scheme_master"], Plan(households=1))
    full_run(warehouse, SCHEMES)
    active = value(
        warehouse, "SELECT count(*) FROM eligibility.scheme_master WHERE status = 'ACTIVE'"
    )
    assert verify(SCHEMES) == ({"matched": active}, [])
    [ended, changed] = rows(citizen, "SELECT code FROM schemes ORDER BY code LIMIT 2")
    retire = "UPDATE eligibility.scheme_master SET status = 'ENDED' WHERE scheme_code = %s"
    execute(warehouse, retire, [ended])
    execute(citizen, "UPDATE schemes SET name = 'x' WHERE code = %s", [changed])
    execute(
        citizen,
        "INSERT INTO schemes (id, code, status) VALUES "
        "(gen_random_uuid(), 'old', 'INACTIVE'), (gen_random_uuid(), 'nobody', 'ACTIVE')",
    )
    assert verify(SCHEMES) == (
        {"matched": active - 2, "different": 1, "extra": 2},
        sorted([ended, changed, "nobody"]),
    )


def test_records_without_a_key_are_looked_at(warehouse: Connection) -> None:
    fill_tables(warehouse, ["eligibility.scheme_master"], Plan(households=1))
    codeless = "UPDATE eligibility.scheme_master SET scheme_code = NULL WHERE scheme_code IN %s"
    some = "SELECT scheme_code FROM eligibility.scheme_master WHERE status = 'ACTIVE' LIMIT 2"
    execute(warehouse, codeless, [tuple(rows(warehouse, some))])
    assert verify(SCHEMES)[0]["missing"] > 2
    full_run(warehouse, SCHEMES)
    counts, wrong = verify(SCHEMES)
    assert (counts.keys(), counts["dead_lettered"]) == ({"matched", "dead_lettered"}, 2)
    assert wrong == []
    execute(warehouse, "DELETE FROM synctasks.dead_letter")
    counts, wrong = verify(SCHEMES)
    assert (counts.keys(), counts["missing"], wrong) == ({"matched", "missing"}, 2, ["", ""])


@pytest.mark.parametrize(
    ("worker", "times"), [(drains, 20), (nullcontext, 5)], ids=["with a worker", "with none"]
)
def test_a_busy_system_is_no_difference(
    databases: dict[str, str],
    filled: Connection,
    worker: Callable[[], AbstractContextManager[None]],
    times: int,
) -> None:
    with Traffic(databases[WAREHOUSE], writers=2, records=30) as traffic, worker():
        for _ in range(times):
            counts, wrong = verify()
            assert counts.keys() <= {"matched", "in_flight"}, counts
            assert (counts["matched"] >= RECORDS, wrong) == (True, [])
            traffic.await_writes(2)
    carry()
    assert verify()[0].keys() == {"matched"}


def test_it_may_run_beside_a_full_run(databases: dict[str, str], filled: Connection) -> None:
    with Traffic(databases[WAREHOUSE], writers=1, records=30), drains():
        for _ in range(5):
            full_run(filled)
            counts, _ = verify()
            assert counts.keys() <= {"matched", "in_flight"}, counts


def test_nobody_carries_a_record_while_it_is_looked_at(
    filled: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the target would be later than the snapshot of the source, and look different."""
    update = "UPDATE golden_records SET full_name = %s WHERE gr_id = %s"
    execute(filled, update, ["B", key(1)])
    look, count = verifying._Verifier._look_under_lock, verifying.count

    def carried_before(self: Any, *arguments: Any) -> None:
        carry()
        look(self, *arguments)

    def changed_meanwhile(
        flow: Flow, batch: Batch, source: Transaction, target: Transaction
    ) -> Any:
        source.execute("SELECT")
        execute(filled, update, ["C", key(1)])
        with pytest.raises(LaneBusy):
            carry()
        return count(flow, batch, source, target)

    monkeypatch.setattr(verifying._Verifier, "_look_under_lock", carried_before)
    monkeypatch.setattr(verifying, "count", changed_meanwhile)
    assert verify() == ({"matched": RECORDS}, [])
