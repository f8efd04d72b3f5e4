"""Two servers that sort text in different orders: no range of keys means the same on both."""

from __future__ import annotations

from itertools import product

import pytest

from synctasks.capture.change_log import lane_count
from synctasks.engine import verify as verifying
from synctasks.engine.refresh import plan, runs
from synctasks.engine.verify import verify
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from tests import oracle
from tests.dictionary import dictionary_sql
from tests.refreshing import books, carry, full_run, phases, unseen, versions
from tests.rows import Connection, add_record, execute, rows
from tests.workspace import Workspace

# In every case and with every punctuation, so that neighbours in one order are far apart in the
# other.
KEYS = [
    "".join(parts)
    for parts in product(("GR", "gr", "g-R"), "-_. ", "abCB", ("", "1", "+", "\u00e9"))
]
EXTRAS = ["GR", "gr-a!", "GR_B2", "zz", "\u00e9", " ", "Gr.c+1"]
_INSERT = """\
INSERT INTO golden_records (gr_id, full_name, updated_at)
SELECT key, 'Name of ' || key, clock_timestamp()
FROM unnest(%s) AS named (key)
"""
_ALTER = {
    "source": "ALTER TABLE golden_records ALTER gr_id TYPE dictionary",
    "target": "ALTER TABLE profile_data ALTER record_id TYPE dictionary",
}


@pytest.fixture
def databases(place: Workspace) -> dict[str, str]:
    """Made anew for each test: these change the schema."""
    place.renew()
    return place.environment


@pytest.fixture(params=_ALTER, autouse=True)
def other(
    request: pytest.FixtureRequest,
    warehouse: Connection,
    citizen: Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """The side that sorts as a dictionary does; the other goes by bytes. Small ranges and pages."""
    side: str = request.param
    connection = warehouse if side == "source" else citizen
    execute(connection, dictionary_sql())
    execute(connection, _ALTER[side])
    for room in (plan, verifying):
        monkeypatch.setattr(room, "_RANGE_ROWS", 20)
    monkeypatch.setattr(runs, "_CHUNK_ROWS", range(5, 6))
    return side


def fill(warehouse: Connection) -> None:
    """All keys at the source, unseen by the triggers, and carried by a run."""
    with unseen(warehouse):
        execute(warehouse, _INSERT, [KEYS])
    run = full_run(warehouse)
    assert run["prefilter"] == "rows"
    assert books(run) == {"read": len(KEYS), "written": len(KEYS)}


def classes() -> dict[str, int]:
    """What verify finds, without the classes that are empty."""
    *_, last = verify(PROFILE_DATA, lane_count(PROFILE_DATA))
    return {name: count for name, count in last.counts.items() if count}


def test_the_two_orders_differ(warehouse: Connection, citizen: Connection, other: str) -> None:
    fill(warehouse)
    by_source = rows(warehouse, "SELECT gr_id::text FROM golden_records AS t ORDER BY t.gr_id")
    by_target = rows(citizen, "SELECT record_id::text FROM profile_data AS t ORDER BY t.record_id")
    by_bytes = sorted(KEYS, key=lambda key: key.encode())
    assert (by_source == by_bytes, by_target == by_bytes) == (other == "target", other == "source")


def test_a_run_carries_all_and_the_next_one_writes_nothing(
    warehouse: Connection, citizen: Connection
) -> None:
    fill(warehouse)
    assert not oracle.profile_data(warehouse, citizen)
    before = versions(citizen)
    run = full_run(warehouse)
    assert books(run) == {"read": len(KEYS), "unchanged": len(KEYS)}
    assert phases(warehouse, run) == {"range"}
    assert versions(citizen) == before


def test_differences_and_extras_are_found_by_a_run(
    warehouse: Connection, citizen: Connection
) -> None:
    fill(warehouse)
    before = versions(citizen)
    spoil(citizen)
    assert classes() == {
        "matched": len(KEYS) - 20,
        "different": 10,
        "missing": 10,
        "extra": len(EXTRAS),
    }
    run = full_run(warehouse)
    assert books(run) == {
        "read": len(KEYS),
        "written": 20,
        "unchanged": len(KEYS) - 20,
        "removed": len(EXTRAS),
    }
    assert not oracle.profile_data(warehouse, citizen)
    after = versions(citizen)
    assert sum(after[key] != before[key] for key in after) == 20
    assert classes() == {"matched": len(KEYS)}


def spoil(citizen: Connection) -> None:
    """Ten rows changed, ten deleted, and some that nobody has."""
    changed, gone = KEYS[::19][:10], KEYS[7::17][:10]
    assert not set(changed) & set(gone)
    update = "UPDATE profile_data SET city = 'x' WHERE record_id::text = ANY (%s)"
    execute(citizen, update, [changed])
    execute(citizen, "DELETE FROM profile_data WHERE record_id::text = ANY (%s)", [gone])
    insert = "INSERT INTO profile_data (record_id) SELECT unnest(%s::text[])::dictionary"
    if not rows(citizen, "SELECT FROM pg_type WHERE typname = 'dictionary'"):
        insert = insert.removesuffix("::dictionary")
    execute(citizen, insert, [EXTRAS])


def test_a_source_that_shrank_is_guarded(warehouse: Connection, citizen: Connection) -> None:
    fill(warehouse)
    before = versions(citizen)
    with unseen(warehouse):
        execute(warehouse, "DELETE FROM golden_records WHERE gr_id::text > 'a'")
    run = full_run(warehouse)
    assert (run["state"], run["removed"]) == ("guarded", 0)
    assert versions(citizen) == before


def test_events_are_carried_as_ever(warehouse: Connection, citizen: Connection) -> None:
    fill(warehouse)
    execute(warehouse, "UPDATE golden_records SET full_name = 'B' WHERE gr_id::text < 'H'")
    execute(warehouse, "DELETE FROM golden_records WHERE gr_id::text LIKE '%1'")
    add_record(warehouse, "GR")
    add_record(warehouse, "gr")
    assert classes()["in_flight"] > 50
    carry()
    assert not oracle.profile_data(warehouse, citizen)
