"""Ranges of keys: wherever their bounds fall, every record is read once and every extra found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from synctasks.engine import likeness
from synctasks.engine.compare import Compared
from synctasks.engine.refresh import plan, ranges, runs
from tests import oracle
from tests.refreshing import add_records, books, carry, full_run, key, phases, unseen, versions
from tests.rows import Connection, add_record, execute, rows, value

# A page is four ranges.
SIZE = 100
PAGE = 4 * SIZE

_SPOIL = "UPDATE profile_data SET city = 'Atlantis' WHERE record_id = ANY (%s)"
_GARBAGE = """\
INSERT INTO profile_data (record_id)
SELECT 'GR-' || lpad(number::text, 6, '0') || suffix
FROM generate_series(%s, %s, %s) AS numbered (number), unnest(%s::text[]) AS ending (suffix)
ON CONFLICT DO NOTHING
"""
_BOUNDS = """\
SELECT low, high, size
FROM synctasks.chunk
WHERE run = %s AND phase = 'range'
ORDER BY number
"""


@pytest.fixture(autouse=True)
def small_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "_RANGE_ROWS", SIZE)


def test_ranges_cover_all_keys_and_the_last_one_is_open(warehouse: Connection) -> None:
    with unseen(warehouse):
        add_records(warehouse, 1, PAGE + 150)
    run = full_run(warehouse)
    bounds = rows(warehouse, _BOUNDS, [run["id"]])
    highs = [key(number) for number in range(SIZE, PAGE + SIZE + 1, SIZE)]
    assert [(low, high) for low, high, _ in bounds] == list(
        zip([None, *highs], [*highs, None], strict=True)
    )
    assert [size for *_, size in bounds] == [SIZE] * 5 + [50]
    assert run["planned"] == run["read"] == PAGE + 150


def test_every_number_of_records_is_read_in_full(
    warehouse: Connection, citizen: Connection
) -> None:
    """On both sides of a range's and of a page's end."""
    there = 0
    for count in (1, SIZE - 1, SIZE, SIZE + 1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE):
        with unseen(warehouse):
            add_records(warehouse, there + 1, count)
        run = full_run(warehouse)
        assert (run["read"], run["written"]) == (count, count - there)
        assert phases(warehouse, full_run(warehouse)) == {"range"}
        there = count
    assert not oracle.profile_data(warehouse, citizen)


@pytest.mark.parametrize(
    "where",
    [
        [1],
        [SIZE - 1, SIZE, SIZE + 1],
        [PAGE, PAGE + 1],
        [PAGE + 150],
        [1, 250, PAGE, PAGE + 150],
        list(range(1, PAGE + 151, 2)),
        list(range(SIZE + 1, 2 * SIZE + 1)),
    ],
    ids=["first", "a bound", "a page's end", "last", "some", "every other", "a whole range"],
)
def test_what_differs_is_found_wherever_it_is(
    warehouse: Connection, citizen: Connection, where: list[int]
) -> None:
    with unseen(warehouse):
        add_records(warehouse, 1, PAGE + 150)
    full_run(warehouse)
    before = versions(citizen)
    execute(citizen, _SPOIL, [[key(number) for number in where]])
    run = full_run(warehouse)
    assert run["written"] == len(where)
    assert run["read"] == PAGE + 150
    assert not oracle.profile_data(warehouse, citizen)
    after = versions(citizen)
    written = {each for each in after if after[each] != before[each]}
    assert written == {key(number) for number in where}


def test_extras_are_found_before_between_and_behind_the_keys_of_every_range(
    warehouse: Connection, citizen: Connection
) -> None:
    with unseen(warehouse):
        add_records(warehouse, 1, PAGE + 150)
    full_run(warehouse)
    before = versions(citizen)
    execute(citizen, _GARBAGE, [0, PAGE + 250, 50, ["", "+", "-", "\u00e9"]])
    execute(citizen, "INSERT INTO profile_data (record_id) VALUES ('!'), ('zz')")
    extras = len(versions(citizen)) - len(before)
    run = full_run(warehouse)
    assert books(run) == {"read": PAGE + 150, "unchanged": PAGE + 150, "removed": extras}
    assert versions(citizen) == before


def test_more_extras_within_one_range_than_a_page_holds_are_all_removed(
    warehouse: Connection, citizen: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with unseen(warehouse):
        add_records(warehouse, 1, 3 * SIZE)
    full_run(warehouse)
    before = versions(citizen)
    execute(
        citizen,
        "INSERT INTO profile_data (record_id) "
        "SELECT 'GR-000050+' || number FROM generate_series(1, 150) AS numbered (number)",
    )
    # A page of the target is a chunk for each lane.
    monkeypatch.setattr(runs, "_CHUNK_ROWS", range(5, 6))
    run = full_run(warehouse)
    assert books(run) == {"read": 3 * SIZE, "unchanged": 3 * SIZE, "removed": 150}
    assert versions(citizen) == before


def test_extras_are_found_in_ranges_that_are_handed_on_whole(
    warehouse: Connection, citizen: Connection
) -> None:
    """Where most of the last ranges differed, the next ones are not compared at all."""
    with unseen(warehouse):
        add_records(warehouse, 1, 8 * SIZE)
    execute(citizen, _GARBAGE, [1, 8 * SIZE, 10, ["+"]])
    run = full_run(warehouse)
    assert books(run) == {"read": 800, "written": 800, "removed": 80}
    whole = "SELECT count(*) FROM synctasks.chunk WHERE phase = 'range' AND extras IS NULL"
    assert value(warehouse, whole) > 3
    assert not oracle.profile_data(warehouse, citizen)


def test_a_stretch_that_differs_does_not_spoil_the_rest(
    warehouse: Connection, citizen: Connection
) -> None:
    """A table that differs at its beginning and agrees behind: what agrees is not written."""
    with unseen(warehouse):
        add_records(warehouse, 1, 24 * SIZE)
    full_run(warehouse)
    before = versions(citizen)
    execute(citizen, "UPDATE profile_data SET city = 'x' WHERE record_id <= %s", [key(6 * SIZE)])
    run = full_run(warehouse)
    assert (run["written"], run["unchanged"]) == (6 * SIZE, 18 * SIZE)
    after = versions(citizen)
    assert max(each for each in after if after[each] != before[each]) == key(6 * SIZE)
    compared = "SELECT sum(handed) FROM synctasks.chunk WHERE run = %s"
    assert value(warehouse, compared, [run["id"]]) < 24 * SIZE, "some ranges were compared again"


def test_without_any_prefilter_a_run_is_right_all_the_same(
    warehouse: Connection, citizen: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(likeness, "_PROBE", "SELECT current_database()")
    with unseen(warehouse):
        add_records(warehouse, 1, PAGE + 50)
    execute(citizen, _GARBAGE, [0, PAGE + 250, 50, ["+"]])
    run = full_run(warehouse)
    assert (run["prefilter"], books(run)) == (
        "none",
        {"read": PAGE + 50, "written": PAGE + 50, "removed": 14},
    )
    before = versions(citizen)
    again = full_run(warehouse)
    assert books(again) == {"read": PAGE + 50, "unchanged": PAGE + 50}
    assert versions(citizen) == before


# What the application does to the second of four ranges.
_MOVES: dict[str, Callable[[Connection], None]] = {
    "changes": lambda warehouse: execute(
        warehouse, "UPDATE golden_records SET full_name = 'B' WHERE gr_id = %s", [key(150)]
    ),
    "removes": lambda warehouse: execute(
        warehouse, "DELETE FROM golden_records WHERE gr_id = %s", [key(150)]
    ),
    "adds": lambda warehouse: add_record(warehouse, f"{key(150)}+"),
    "adds behind the last": lambda warehouse: add_record(warehouse, "zz"),
    "moves": lambda warehouse: execute(
        warehouse, "UPDATE golden_records SET gr_id = 'zz' WHERE gr_id = %s", [key(150)]
    ),
}


@pytest.mark.parametrize("move", _MOVES.values(), ids=_MOVES)
@pytest.mark.parametrize("when", ["before", "after"])
def test_what_the_application_does_around_a_comparison_arrives(
    warehouse: Connection,
    citizen: Connection,
    monkeypatch: pytest.MonkeyPatch,
    move: Callable[[Connection], None],
    when: str,
) -> None:
    with unseen(warehouse):
        add_records(warehouse, 1, 3 * SIZE)
    full_run(warehouse)
    execute(citizen, _SPOIL, [[key(140), key(150), key(160)]])
    compare, seen = ranges._compare, []

    def meddled(*arguments: Any, **more: Any) -> Compared:
        seen.append(arguments)
        if when == "before" and len(seen) == 2:
            move(warehouse)
        found = compare(*arguments, **more)
        if when == "after" and len(seen) == 2:
            move(warehouse)
        return found

    monkeypatch.setattr(ranges, "_compare", meddled)
    run = full_run(warehouse)
    assert run["state"] == "succeeded"
    assert len(seen) == 4, "one range was compared before, and two after"
    carry()
    assert not oracle.profile_data(warehouse, citizen)
