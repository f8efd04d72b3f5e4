"""Changes arrive whole and in no wrong order, whenever their transactions commit."""

from __future__ import annotations

from collections.abc import Callable

import psycopg2
import pytest

from tests.rows import Connection, add_record, execute, names_at_portal, pending, rows, value

OpenSession = Callable[..., Connection]
Carry = Callable[[], None]

LONG_AGO = "2001-01-01 00:00+00"


def test_transactions_that_commit_in_the_reverse_order(
    open_session: OpenSession, carry: Carry, warehouse: Connection, citizen: Connection
) -> None:
    """Their ids interleave in every lane; a drain in between must not skip the late ones."""
    early, late = open_session(), open_session()
    for number in range(20):
        add_record(late, f"late-{number}")
        add_record(early, f"early-{number}")
    add_record(late, "late-last")
    early.commit()
    carry()
    assert {key.partition("-")[0] for key in names_at_portal(citizen)} == {"early"}
    late.commit()
    carry()
    assert len(names_at_portal(citizen)) == 41
    assert pending(warehouse) == []


def test_an_open_transaction_delays_only_itself(
    open_session: OpenSession, carry: Carry, warehouse: Connection, citizen: Connection
) -> None:
    add_record(warehouse, "GR-1", full_name="Before")
    carry()
    still_open = open_session()
    execute(still_open, "UPDATE golden_records SET full_name = 'Uncommitted'")
    for number in range(2, 30):
        add_record(warehouse, f"GR-{number}")
    carry()
    assert len(names_at_portal(citizen)) == 29
    assert names_at_portal(citizen)["GR-1"] == "Before"
    still_open.commit()
    carry()
    assert names_at_portal(citizen)["GR-1"] == "Uncommitted"


def test_a_transaction_that_is_rolled_back_leaves_nothing(
    open_session: OpenSession, carry: Carry, warehouse: Connection, citizen: Connection
) -> None:
    add_record(warehouse, "GR-1", full_name="Kept")
    undone = open_session()
    add_record(undone, "GR-2")
    execute(undone, "UPDATE golden_records SET full_name = 'Undone'")
    undone.rollback()
    carry()
    assert names_at_portal(citizen) == {"GR-1": "Kept"}
    assert pending(warehouse) == []


def test_several_changes_of_a_record_arrive_as_its_last_state(
    carry: Carry, warehouse: Connection, citizen: Connection
) -> None:
    add_record(warehouse, "GR-1", full_name="First")
    for name in ("Second", "Third"):
        execute(warehouse, "UPDATE golden_records SET full_name = %s", [name])
    carry()
    assert names_at_portal(citizen) == {"GR-1": "Third"}
    books = "sum(taken)::int, sum(units)::int, sum(coalesced)::int, sum(written)::int"
    assert value(warehouse, f"SELECT {books} FROM synctasks.history") == (3, 1, 2, 1)


def test_a_deleted_record_disappears_and_one_that_comes_again_appears(
    carry: Carry, warehouse: Connection, citizen: Connection
) -> None:
    add_record(warehouse, "GR-1")
    add_record(warehouse, "GR-2")
    carry()
    execute(warehouse, "DELETE FROM golden_records WHERE gr_id = 'GR-1'")
    carry()
    assert names_at_portal(citizen).keys() == {"GR-2"}
    add_record(warehouse, "GR-1")
    execute(warehouse, "DELETE FROM golden_records WHERE gr_id = 'GR-2'")
    carry()
    assert names_at_portal(citizen).keys() == {"GR-1"}


def test_a_changed_primary_key_moves_the_record(
    carry: Carry, warehouse: Connection, citizen: Connection
) -> None:
    add_record(warehouse, "GR-1", full_name="Asha")
    carry()
    execute(warehouse, "UPDATE golden_records SET gr_id = 'GR-2'")
    carry()
    assert names_at_portal(citizen) == {"GR-2": "Asha"}


def test_two_records_that_swap_their_keys(
    carry: Carry, warehouse: Connection, citizen: Connection
) -> None:
    execute(
        warehouse,
        "ALTER TABLE golden_records DROP CONSTRAINT golden_records_pkey;"
        "ALTER TABLE golden_records ADD PRIMARY KEY (gr_id) DEFERRABLE",
    )
    add_record(warehouse, "GR-1", full_name="Asha")
    add_record(warehouse, "GR-2", full_name="Binod")
    carry()
    swap = "CASE gr_id WHEN 'GR-1' THEN 'GR-2' ELSE 'GR-1' END"
    execute(warehouse, f"UPDATE golden_records SET gr_id = {swap}")
    carry()
    assert names_at_portal(citizen) == {"GR-1": "Binod", "GR-2": "Asha"}


KEYS = ["a'b", 'a"b', "a\\b", "a%sb%%", "a{b}", "a\nb\t", " a ", "अ", "🙂", "NULL", "x" * 2_600]


def test_keys_of_any_text_are_carried_and_removed(
    carry: Carry, warehouse: Connection, citizen: Connection
) -> None:
    for key in KEYS:
        add_record(warehouse, key)
    carry()
    assert names_at_portal(citizen).keys() == set(KEYS)
    execute(warehouse, "DELETE FROM golden_records")
    carry()
    assert names_at_portal(citizen) == {}


def test_a_record_not_updated_for_thirty_days_is_deferred(
    carry: Carry, warehouse: Connection, citizen: Connection
) -> None:
    """Its row at the portal stays; the next change within the window carries it over."""
    add_record(warehouse, "GR-1", full_name="Shown")
    carry()
    execute(
        warehouse,
        "UPDATE golden_records SET full_name = 'Held', updated_at = %s",
        [LONG_AGO],
    )
    add_record(warehouse, "GR-2", updated_at=LONG_AGO)
    carry()
    deferred = "SELECT key FROM synctasks.deferred WHERE flow = 'profile_data' ORDER BY key"
    assert names_at_portal(citizen) == {"GR-1": "Shown"}
    assert rows(warehouse, deferred) == ["GR-1", "GR-2"]
    assert pending(warehouse) == []
    execute(warehouse, "UPDATE golden_records SET updated_at = clock_timestamp()")
    carry()
    assert names_at_portal(citizen) == {"GR-1": "Held", "GR-2": "Asha Devi"}
    assert rows(warehouse, deferred) == []


def test_a_deferred_record_that_is_deleted_disappears(
    carry: Carry, warehouse: Connection, citizen: Connection
) -> None:
    add_record(warehouse, "GR-1")
    carry()
    execute(warehouse, "UPDATE golden_records SET updated_at = %s", [LONG_AGO])
    carry()
    execute(warehouse, "DELETE FROM golden_records")
    carry()
    assert names_at_portal(citizen) == {}
    assert rows(warehouse, "SELECT key FROM synctasks.deferred") == []


def test_our_reading_blocks_no_writer(
    open_session: OpenSession, carry: Carry, warehouse: Connection, citizen: Connection
) -> None:
    """A record whose row the application holds locked is carried over all the same."""
    add_record(warehouse, "GR-1")
    holder = open_session()
    execute(holder, "SELECT FROM golden_records FOR UPDATE")
    carry()
    assert names_at_portal(citizen).keys() == {"GR-1"}
    with pytest.raises(psycopg2.errors.LockNotAvailable):
        execute(warehouse, "SELECT FROM golden_records FOR UPDATE NOWAIT")
