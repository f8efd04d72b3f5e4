"""A dead letter ends when its own record passes, however that comes about, and by nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from synctasks.capture import change_log
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.flows.to_citizen.schemes import SCHEMES
from tests.letters import add_scheme, full_run, happened, letter, letters, states, typed, worker
from tests.rows import Connection, add_record, execute, names_at_portal, rows

Work = Callable[[], None]

FRESH = "updated_at = clock_timestamp()"
MEND = f"UPDATE golden_records SET gender = 'M', {FRESH}"
SPOIL = f"UPDATE golden_records SET gender = 'female', {FRESH}"
FORGET = "DELETE FROM synctasks.change_log"
LONG_AGO = "2001-01-01 00:00+00"


@pytest.fixture
def rejected(carry: Work, warehouse: Connection) -> None:
    """GR-1 is at the portal, and was rejected since."""
    add_record(warehouse, "GR-1")
    carry()
    execute(warehouse, SPOIL)
    carry()


def by_event(carry: Work, warehouse: Connection) -> None:
    carry()


def by_full_run(carry: Work, warehouse: Connection) -> None:
    execute(warehouse, FORGET)
    full_run(PROFILE_DATA)


def by_key(carry: Work, warehouse: Connection) -> None:
    execute(warehouse, FORGET)
    change_log.request(PROFILE_DATA, ["GR-1"], origin="key")
    carry()


def by_replay(carry: Work, warehouse: Connection) -> None:
    execute(warehouse, FORGET)
    with worker():
        outcome = typed("dead-letters", "replay", str(letter(warehouse, "GR-1")["id"]))
    assert (outcome.returncode, outcome.stdout) == (
        0,
        "1 replayed: 1 passed, 0 rejected again\n",
    ), outcome


@pytest.mark.parametrize("way", [by_event, by_full_run, by_key, by_replay])
@pytest.mark.parametrize("column", ["gender = 'M'", "gender = 'F'"], ids=["written", "unchanged"])
@pytest.mark.usefixtures("rejected")
def test_a_letter_is_resolved_when_its_record_passes(
    carry: Work,
    warehouse: Connection,
    citizen: Connection,
    way: Callable[[Work, Connection], None],
    column: str,
) -> None:
    """Also where the record is again as the portal has it, so that there is nothing to write."""
    execute(warehouse, f"UPDATE golden_records SET {column}, {FRESH}")
    before = rows(citizen, "SELECT xmin FROM profile_data")
    way(carry, warehouse)
    closed = letter(warehouse, "GR-1")
    assert (closed["state"], closed["count"]) == ("resolved", 1)
    replayed = ["replayed"] if way is by_replay else []
    assert happened(closed) == ["rejected", *replayed, "passed"]
    wrote = rows(citizen, "SELECT xmin FROM profile_data") != before
    assert wrote == (column == "gender = 'M'")


@pytest.mark.usefixtures("rejected")
def test_one_record_among_many_is_found_by_a_full_run_though_all_agree(
    warehouse: Connection,
) -> None:
    """Nothing differs in its range: it is looked at because of its letter."""
    execute(
        warehouse,
        "INSERT INTO golden_records (gr_id, full_name, updated_at) "
        "SELECT 'GR-other-' || n, 'Asha', clock_timestamp() FROM generate_series(1, 3000) AS n",
    )
    full_run(PROFILE_DATA)
    execute(warehouse, "UPDATE golden_records SET gender = 'F' WHERE gr_id = 'GR-1'")
    counts = full_run(PROFILE_DATA)
    assert states(warehouse) == {"GR-1": "resolved"}
    assert (counts["read"], counts["unchanged"]) == (3_001, 3_001)


@pytest.mark.usefixtures("rejected")
def test_a_record_that_is_rejected_later_on_opens_another_letter(
    carry: Work, warehouse: Connection
) -> None:
    for change in (MEND, SPOIL, SPOIL + ", city_village = 'Kota'"):
        execute(warehouse, change)
        carry()
    first, second = letters(warehouse)
    assert (first["record"], first["state"], first["count"]) == ("GR-1", "resolved", 1)
    assert (second["record"], second["state"], second["count"]) == ("GR-1", "open", 2)
    assert happened(first) == ["rejected", "passed"]
    assert happened(second) == ["rejected"]
    assert second["first_seen"] > first["last_seen"]


@pytest.mark.usefixtures("rejected")
def test_another_records_success_closes_nothing(carry: Work, warehouse: Connection) -> None:
    for key in ("GR-2", "GR-1 ", "gr-1"):
        add_record(warehouse, key)
    carry()
    full_run(PROFILE_DATA)
    open_letter = letter(warehouse, "GR-1")
    assert (open_letter["state"], happened(open_letter)) == ("open", ["rejected"])


@pytest.mark.usefixtures("rejected")
def test_a_deferred_record_keeps_its_letter_until_the_full_run(
    carry: Work, warehouse: Connection, citizen: Connection
) -> None:
    mended = f"gender = 'M', full_name = 'Right', updated_at = '{LONG_AGO}', created_at = NULL"
    execute(warehouse, f"UPDATE golden_records SET {mended}")
    carry()
    assert rows(warehouse, "SELECT key FROM synctasks.deferred") == ["GR-1"]
    assert states(warehouse) == {"GR-1": "open"}
    full_run(PROFILE_DATA)
    assert states(warehouse) == {"GR-1": "resolved"}
    assert names_at_portal(citizen) == {"GR-1": "Right"}


def test_a_replay_asks_no_event_filter(carry: Work, warehouse: Connection) -> None:
    """Somebody wants the record now, however long ago it was updated."""
    add_record(warehouse, "GR-1", gender="female", created_at=None, updated_at=LONG_AGO)
    by_full_run(carry, warehouse)
    execute(warehouse, "UPDATE golden_records SET gender = 'F'")
    by_replay(carry, warehouse)
    assert states(warehouse) == {"GR-1": "resolved"}


@pytest.mark.usefixtures("rejected")
def test_a_deleted_records_letter_stays_until_somebody_discards_it(
    carry: Work, warehouse: Connection, citizen: Connection
) -> None:
    execute(warehouse, "DELETE FROM golden_records")
    carry()
    full_run(PROFILE_DATA)
    assert names_at_portal(citizen) == {}
    assert (letter(warehouse, "GR-1")["state"], letter(warehouse, "GR-1")["count"]) == ("open", 1)


def test_a_record_out_of_scope_keeps_its_letter(carry: Work, warehouse: Connection) -> None:
    add_scheme(warehouse, "S-1", scheme_name="")
    full_run(SCHEMES)
    execute(warehouse, "UPDATE eligibility.scheme_master SET status = 'INACTIVE'")
    full_run(SCHEMES)
    change_log.request(SCHEMES, ["S-1"], origin="key")
    carry()
    assert (letter(warehouse, "S-1")["state"], letter(warehouse, "S-1")["count"]) == ("open", 1)


REFER = "CREATE TABLE card (record text REFERENCES profile_data); INSERT INTO card VALUES ('GR-1')"


def test_a_removal_that_the_portal_refuses_is_a_letter_until_it_succeeds(
    carry: Work, warehouse: Connection, citizen: Connection
) -> None:
    """There the removal is the record's success: nothing else can come of it."""
    for key in ("GR-1", "GR-2"):
        add_record(warehouse, key)
    carry()
    execute(citizen, REFER)
    execute(warehouse, "DELETE FROM golden_records")
    carry()
    assert names_at_portal(citizen).keys() == {"GR-1"}
    assert letter(warehouse, "GR-1")["error"].startswith("citizen: foreign key violation")
    execute(citizen, "DROP TABLE card")
    with worker():
        typed("dead-letters", "replay", str(letter(warehouse, "GR-1")["id"]))
    assert names_at_portal(citizen) == {}
    assert states(warehouse) == {"GR-1": "resolved"}


REFUSE = "ALTER TABLE schemes ADD CONSTRAINT for_ever CHECK (status <> 'INACTIVE')"


def test_a_deactivation_that_the_portal_refuses_is_one_letter_until_it_succeeds(
    warehouse: Connection, citizen: Connection
) -> None:
    for name in ("S-1", "S-2"):
        add_scheme(warehouse, name)
    full_run(SCHEMES)
    execute(citizen, REFUSE)
    change = "UPDATE eligibility.scheme_master SET status = 'INACTIVE' WHERE scheme_code = 'S-1'"
    execute(warehouse, change)
    for _ in range(3):
        full_run(SCHEMES)
    found = letter(warehouse, "S-1")
    assert (found["count"], found["state"], happened(found)) == (3, "open", ["rejected"])
    execute(citizen, "ALTER TABLE schemes DROP CONSTRAINT for_ever")
    full_run(SCHEMES)
    assert rows(citizen, "SELECT status FROM schemes ORDER BY code") == ["INACTIVE", "ACTIVE"]
    assert states(warehouse) == {"S-1": "resolved"}
