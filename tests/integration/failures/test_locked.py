"""A lock that an application holds at the target concerns the locked record, and no other."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest

from synctasks.engine.drain import drain
from synctasks.engine.refresh import request
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from tests.refreshing import add_records, carry, finish, full_run, key, run_of, unseen
from tests.rows import Connection, execute, names_at_portal, rows, value
from tests.workspace import CITIZEN

_LATER = """\
SELECT key, attempts, round(extract(epoch FROM not_before - clock_timestamp()))::int
FROM synctasks.change_log
ORDER BY key
"""
_DUE_NOW = "UPDATE synctasks.change_log SET not_before = clock_timestamp()"
_RENAME = "UPDATE golden_records SET full_name = 'Later'"


@pytest.fixture
def application(databases: dict[str, str]) -> Iterator[Connection]:
    """A session of the portal's own, in a transaction."""
    with closing(psycopg2.connect(databases[CITIZEN])) as session:
        yield session


@pytest.fixture
def filled(warehouse: Connection) -> Connection:
    """Twenty records on both sides."""
    add_records(warehouse, 1, 20)
    carry()
    return warehouse


def test_the_others_arrive_and_the_locked_one_comes_again(
    filled: Connection, citizen: Connection, application: Connection
) -> None:
    execute(application, "SELECT FROM profile_data WHERE record_id = %s FOR UPDATE", [key(7)])
    execute(filled, _RENAME)
    carry()
    names = names_at_portal(citizen)
    assert [record for record, name in names.items() if name != "Later"] == [key(7)]
    assert rows(filled, _LATER) == [(key(7), 1, 1)]
    assert rows(filled, "SELECT * FROM synctasks.dead_letter") == []
    application.rollback()
    execute(filled, _DUE_NOW)
    carry()
    assert set(names_at_portal(citizen).values()) == {"Later"}
    assert rows(filled, _LATER) == []


def test_many_locked_rows_cost_no_more_than_one(
    warehouse: Connection, citizen: Connection, application: Connection
) -> None:
    add_records(warehouse, 1, 2_000)
    carry()
    execute(warehouse, _RENAME)
    execute(application, "SELECT FROM profile_data WHERE record_id LIKE '%%5' FOR UPDATE", [])
    lanes = rows(warehouse, "SELECT DISTINCT lane FROM synctasks.change_log")
    began = time.monotonic()
    for lane in lanes:
        assert not drain(PROFILE_DATA, lane)
    # Each lane runs into the first lock once; then all of them are known.
    assert time.monotonic() - began < 1.5 * len(lanes)
    late = [record for record, name in names_at_portal(citizen).items() if name != "Later"]
    assert len(late) == 200
    assert all(record.endswith("5") for record in late)


def test_its_waits_grow_to_eight_seconds_and_it_is_never_given_up(
    filled: Connection, application: Connection
) -> None:
    execute(application, "SELECT FROM profile_data WHERE record_id = %s FOR UPDATE", [key(7)])
    execute(filled, _RENAME)
    waits = []
    for _ in range(8):
        carry()
        [(_, _, seconds)] = rows(filled, _LATER)
        waits.append(seconds)
        execute(filled, _DUE_NOW)
    assert waits == [1, 2, 4, 8, 8, 8, 8, 8]
    assert rows(filled, "SELECT * FROM synctasks.dead_letter") == []


def test_a_locked_table_holds_no_lane_for_long(
    filled: Connection, citizen: Connection, application: Connection
) -> None:
    execute(filled, _RENAME)
    execute(application, "LOCK TABLE profile_data")
    lanes = rows(filled, "SELECT DISTINCT lane FROM synctasks.change_log")
    began = time.monotonic()
    for lane in lanes:
        assert not drain(PROFILE_DATA, lane), "nothing is due before its time"
    # Half a second until the first lock is given up, and a second in parts.
    assert time.monotonic() - began < 2.5 * len(lanes)
    assert len(rows(filled, _LATER)) == 20
    application.rollback()
    execute(filled, _DUE_NOW)
    carry()
    assert set(names_at_portal(citizen).values()) == {"Later"}


def test_a_full_run_leaves_the_locked_record_to_a_drain(
    filled: Connection, citizen: Connection, application: Connection
) -> None:
    with unseen(filled):
        execute(filled, _RENAME)
    execute(application, "SELECT FROM profile_data WHERE record_id = %s FOR UPDATE", [key(7)])
    run = full_run(filled)
    assert (run["state"], run["written"]) == ("succeeded", 19)
    assert rows(filled, _LATER) == [(key(7), 0, 1)]
    application.rollback()
    execute(filled, _DUE_NOW)
    carry()
    assert set(names_at_portal(citizen).values()) == {"Later"}


def test_a_locked_row_that_has_to_go_is_removed_once_it_is_free(
    filled: Connection, citizen: Connection, application: Connection
) -> None:
    with unseen(filled):
        execute(filled, "DELETE FROM golden_records WHERE gr_id = %s", [key(7)])
    execute(application, "SELECT FROM profile_data WHERE record_id = %s FOR UPDATE", [key(7)])
    run = request(PROFILE_DATA, "test")
    finish()
    assert run_of(filled, run)["removed"] == 0
    application.rollback()
    execute(filled, _DUE_NOW)
    carry()
    assert key(7) not in names_at_portal(citizen)
    assert value(filled, "SELECT sum(removed) FROM synctasks.history") == 1
