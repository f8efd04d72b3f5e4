"""A full run: it writes what differs, counts every record once, and removes what is gone."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from synctasks.engine.refresh.chunk import Chunk
from synctasks.flow import Flow
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.flows.to_citizen.schemes import SCHEMES
from synctasks.sample.generate import Plan, fill_tables
from tests import oracle
from tests.refreshing import (
    add_records,
    books,
    carry,
    full_run,
    key,
    phases,
    unseen,
    versions,
)
from tests.rows import Connection, add_record, execute, names_at_portal, rows, value

RECORDS = 2_000
# After its creation, as PERSON has it.
LONG_AGO = "2024-06-01 00:00+00"
_PLAN = Plan.of_records(RECORDS)
_DIRTY = Plan.of_records(RECORDS, dirty=0.1)
_SOURCES = {PROFILE_DATA: "public.golden_records", SCHEMES: "eligibility.scheme_master"}
_KEYS = {PROFILE_DATA: ("profile_data", "record_id"), SCHEMES: ("schemes", "code")}
_LETTERS = "SELECT count(*)::int, coalesce(sum(count), 0)::int FROM synctasks.dead_letter"
_MARKS = "SELECT key FROM synctasks.deferred ORDER BY key"


def fill(warehouse: Connection, plan: Plan, flow: Flow = PROFILE_DATA) -> int:
    """Generated records of a flow at its source, unseen by the triggers; how many."""
    table = _SOURCES[flow]
    with unseen(warehouse):
        return fill_tables(warehouse, [table], plan).rows[table]


def test_an_empty_portal_is_filled(warehouse: Connection, citizen: Connection) -> None:
    fill(warehouse, _PLAN)
    run = full_run(warehouse)
    assert (run["state"], books(run)) == ("succeeded", {"read": RECORDS, "written": RECORDS})
    assert not oracle.profile_data(warehouse, citizen)


@pytest.mark.parametrize("flow", [*_SOURCES], ids=lambda flow: flow.name)
def test_a_second_run_writes_nothing(
    warehouse: Connection, citizen: Connection, flow: Flow
) -> None:
    records = fill(warehouse, _PLAN, flow)
    first = full_run(warehouse, flow)
    before = versions(citizen, *_KEYS[flow])
    run = full_run(warehouse, flow)
    assert run["state"] == "succeeded"
    assert (run["read"], run["unchanged"]) == (records, len(before))
    assert run["filtered"] == first["filtered"] == records - len(before)
    assert run["written"] == run["removed"] == 0
    assert versions(citizen, *_KEYS[flow]) == before
    assert phases(warehouse, run) == {"range"}, "nothing was handed on to be reconciled"


@pytest.mark.parametrize("flow", [*_SOURCES], ids=lambda flow: flow.name)
def test_dirty_records_are_counted_again_and_nothing_is_rewritten(
    warehouse: Connection, citizen: Connection, flow: Flow
) -> None:
    fill(warehouse, _DIRTY, flow)
    first = full_run(warehouse, flow)
    assert (first["state"], first["rejected"] > 5) == ("succeeded", True)
    before = versions(citizen, *_KEYS[flow])
    second = full_run(warehouse, flow)
    assert (second["state"], second["read"]) == ("succeeded", first["read"])
    assert second["rejected"] == first["rejected"]
    assert (second["written"], second["unchanged"]) == (0, first["written"])
    assert versions(citizen, *_KEYS[flow]) == before
    rejected = first["rejected"]
    assert value(warehouse, _LETTERS) == (rejected, 2 * rejected), "each has one letter"


_EDITS: Mapping[str, str] = {
    "changed": "UPDATE profile_data SET city = 'Atlantis' WHERE record_id = ANY (%s)",
    "nulled": "UPDATE profile_data SET family_id = NULL WHERE record_id = ANY (%s)",
    "of another date": "UPDATE profile_data SET date_of_birth = '1999-12-31' "
    "WHERE record_id = ANY (%s)",
    "unmasked": "UPDATE profile_data SET jan_aadhaar = '123412341234' WHERE record_id = ANY (%s)",
    "deleted": "DELETE FROM profile_data WHERE record_id = ANY (%s)",
}


@pytest.mark.parametrize("edit", _EDITS.values(), ids=_EDITS)
def test_of_a_portal_that_differs_little_only_that_is_written(
    warehouse: Connection, citizen: Connection, edit: str
) -> None:
    with unseen(warehouse):
        add_records(warehouse, 1, RECORDS)
    full_run(warehouse)
    before = versions(citizen)
    edited = [key(number) for number in (1, 777, 778, 1_500, RECORDS)]
    execute(citizen, edit, [edited])
    run = full_run(warehouse)
    assert books(run) == {"read": RECORDS, "written": 5, "unchanged": RECORDS - 5}
    assert not oracle.profile_data(warehouse, citizen)
    after = versions(citizen)
    assert {each for each in after if after[each] != before[each]} == set(edited)


def test_what_only_the_portal_has_is_removed_and_nothing_else_touched(
    warehouse: Connection, citizen: Connection
) -> None:
    with unseen(warehouse):
        add_records(warehouse, 1, RECORDS)
    full_run(warehouse)
    before = versions(citizen)
    execute(
        citizen,
        "INSERT INTO profile_data (record_id) "
        "VALUES ('A'), ('GR-000001a'), ('GR-000777 '), ('GR-0015000'), ('zz'), ('é'), ('{,\"')",
    )
    run = full_run(warehouse)
    assert books(run) == {"read": RECORDS, "unchanged": RECORDS, "removed": 7}
    assert versions(citizen) == before


def test_keys_of_any_text_are_carried_and_removed(
    warehouse: Connection, citizen: Connection
) -> None:
    keys = ["a'b", 'a"b', "a\\b", "a%sb%%", "a{b}", "a\nb\t", " a ", "अ", "🙂", "NULL", "x" * 2_600]
    for number, each in enumerate(keys):
        add_record(warehouse, each, full_name=f"Name {number}")
        execute(citizen, "INSERT INTO profile_data (record_id) VALUES (%s)", [f"{each}'"])
    run = full_run(warehouse)
    assert books(run) == {"read": 11, "written": 11, "removed": 11}
    assert not oracle.profile_data(warehouse, citizen)


def test_a_deferred_record_keeps_its_row_until_the_next_run_carries_it(
    warehouse: Connection, citizen: Connection
) -> None:
    add_record(warehouse, "GR-1", full_name="Shown")
    carry()
    execute(warehouse, "UPDATE golden_records SET full_name = 'Held', updated_at = %s", [LONG_AGO])
    add_record(warehouse, "GR-2", updated_at=LONG_AGO)
    carry()
    assert names_at_portal(citizen) == {"GR-1": "Shown"}
    assert rows(warehouse, _MARKS) == ["GR-1", "GR-2"]
    assert books(full_run(warehouse)) == {"read": 2, "written": 2}
    assert names_at_portal(citizen) == {"GR-1": "Held", "GR-2": "Asha Devi"}
    assert rows(warehouse, _MARKS) == []
    assert books(full_run(warehouse)) == {"read": 2, "unchanged": 2}


def test_a_mark_of_a_record_that_agrees_all_the_same_is_cleared(
    warehouse: Connection, citizen: Connection
) -> None:
    add_record(warehouse, "GR-1")
    carry()
    execute(warehouse, "UPDATE golden_records SET updated_at = %s", [LONG_AGO])
    carry()
    assert rows(warehouse, _MARKS) == ["GR-1"]
    before = versions(citizen)
    assert books(full_run(warehouse)) == {"read": 1, "unchanged": 1}
    assert rows(warehouse, _MARKS) == []
    assert versions(citizen) == before


def test_a_record_deferred_before_its_chunk_is_settled_keeps_its_mark(
    warehouse: Connection, citizen: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lane's lock ends with the target's commit: a drain may come before the chunk's end."""
    with unseen(warehouse):
        add_record(warehouse, "GR-1", full_name="Old")
    settle = Chunk.settle

    def overtaken(self: Chunk, *arguments: object) -> bool:
        execute(
            warehouse, "UPDATE golden_records SET full_name = 'New', updated_at = %s", [LONG_AGO]
        )
        carry()
        assert rows(warehouse, _MARKS) == ["GR-1"]
        return settle(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Chunk, "settle", overtaken)
    full_run(warehouse)
    assert names_at_portal(citizen) == {"GR-1": "Old"}, "the new name is deferred"
    assert rows(warehouse, _MARKS) == ["GR-1"]


# What a chunk reads of a record with an open letter, and what a drain finds before it is settled.
_OVERTAKING = [("F", "Y", ["open"]), ("Y", "F", ["resolved"])]


@pytest.mark.parametrize(
    ("read", "later", "states"), _OVERTAKING, ids=["spoilt meanwhile", "mended meanwhile"]
)
def test_a_letter_follows_the_drain_that_comes_before_its_chunk_is_settled(
    warehouse: Connection,
    monkeypatch: pytest.MonkeyPatch,
    read: str,
    later: str,
    states: list[str],
) -> None:
    """The chunk has read an earlier state, and says nothing of the later one."""
    add_record(warehouse, "GR-1", gender="X")
    carry()
    change = "UPDATE golden_records SET gender = %s"
    with unseen(warehouse):
        execute(warehouse, change, [read])
    settle = Chunk.settle

    def overtaken(self: Chunk, *arguments: object) -> bool:
        execute(warehouse, change, [later])
        carry()
        return settle(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Chunk, "settle", overtaken)
    full_run(warehouse)
    assert rows(warehouse, "SELECT state FROM synctasks.dead_letter") == states
