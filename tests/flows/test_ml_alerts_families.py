"""Specification 1.6: whose an alert is: mapped via the family, once and for all."""

from __future__ import annotations

from datetime import timedelta

import pytest

from synctasks.flows.to_citizen.ml_alerts import ML_ALERTS
from synctasks.flows.to_warehouse.golden_records import GOLDEN_RECORDS
from tests.flows.alerts import SHOWN, alert_id, change, given_alert, key_of, shown, whose
from tests.flows.citizens import ASHA, FAMILY, MEENA, RAVI, REGISTERED, given_citizen
from tests.flows.citizens import change as change_citizen
from tests.flows.told import letters_of, look_hourly, status_of, verified, waits
from tests.refreshing import versions
from tests.rows import Connection, execute
from tests.syncing import Sync, by_events, by_full_run, either_way, pending
from tests.waiting import age, due_now, hour_passes

WRITTEN = {"read": 1, "written": 1}
UNCHANGED = {"read": 1, "unchanged": 1}
WAITING = {"read": 1, "waiting": 1}
OTHER_FAMILY = "0b5bd3c2-8f6f-4f6e-9a55-0f2a3c1d4e5f"
EARLIER = REGISTERED - timedelta(days=400)
PEOPLE = (ASHA, RAVI, MEENA)

Person = tuple[bool | None, str | None, timedelta | None]
VERIFIED, PENDING = "verified", "pending"
NOW, BEFORE, LATER = timedelta(), timedelta(days=-9), timedelta(days=9)

# Of Asha, Ravi and Meena: whether they are a head, how they stand, and when they were registered.
FAMILIES: list[tuple[str, tuple[Person, ...], str]] = [
    ("the head", ((False, VERIFIED, BEFORE), (True, VERIFIED, NOW)), RAVI),
    ("no unverified head", ((True, PENDING, BEFORE), (False, VERIFIED, NOW)), RAVI),
    ("no head of unknown standing", ((True, None, BEFORE), (None, VERIFIED, NOW)), RAVI),
    (
        "the longest registered of the verified",
        ((True, PENDING, BEFORE), (False, VERIFIED, NOW), (False, VERIFIED, BEFORE)),
        MEENA,
    ),
    (
        "the longest registered of several heads",
        ((True, VERIFIED, NOW), (True, VERIFIED, LATER), (True, VERIFIED, BEFORE)),
        MEENA,
    ),
    (
        "the verified one of several heads",
        ((True, PENDING, BEFORE), (True, VERIFIED, LATER), (False, VERIFIED, BEFORE)),
        RAVI,
    ),
    ("a head, not who may be one", ((None, VERIFIED, BEFORE), (True, VERIFIED, LATER)), RAVI),
    ("whoever's time is known", ((True, VERIFIED, None), (True, VERIFIED, LATER)), RAVI),
    ("the first id of equals", ((False, VERIFIED, NOW),) * 3, ASHA),
    ("no other word for verified", ((True, "Verified", NOW), (False, VERIFIED, LATER)), RAVI),
]


@either_way
@pytest.mark.parametrize(
    ("family", "meant"),
    [(family, meant) for _, family, meant in FAMILIES],
    ids=[name for name, *_ in FAMILIES],
)
def test_an_alert_is_shown_to(
    warehouse: Connection,
    citizen: Connection,
    sync: Sync,
    family: tuple[Person, ...],
    meant: str,
) -> None:
    for who, (head, status, ago) in zip(PEOPLE, family, strict=False):
        given_citizen(
            citizen,
            who,
            is_family_head=head,
            verification_status=status,
            created_at=None if ago is None else REGISTERED + ago,
        )
    # Another family's head is nobody's here.
    stranger = "00000000-0000-4000-8000-000000000000"
    given_citizen(citizen, stranger, family_id=OTHER_FAMILY, created_at=EARLIER)
    given_alert(warehouse)
    assert sync(warehouse, ML_ALERTS) == WRITTEN
    assert whose(citizen) == {alert_id(): meant}


def test_alerts_of_several_families_go_each_to_its_own(
    warehouse: Connection, citizen: Connection
) -> None:
    given_citizen(citizen)
    given_citizen(citizen, RAVI, family_id=OTHER_FAMILY)
    for number in range(4):
        given_alert(warehouse, number, family_id=(FAMILY, OTHER_FAMILY)[number % 2])
    assert by_events(warehouse, ML_ALERTS) == {"read": 4, "written": 4}
    assert whose(citizen) == {alert_id(number): (ASHA, RAVI)[number % 2] for number in range(4)}


def test_an_alert_of_a_family_of_nobody_waits_and_is_no_failure(
    warehouse: Connection, citizen: Connection
) -> None:
    given_citizen(citizen, verification_status="pending")
    given_alert(warehouse)
    for _ in range(5):
        assert by_events(warehouse, ML_ALERTS) == {}
        due_now(warehouse)
    assert by_events(warehouse, ML_ALERTS) == WAITING
    assert waits(warehouse, ML_ALERTS) == {key_of(): True}
    assert letters_of(warehouse, ML_ALERTS) == []
    assert status_of(ML_ALERTS)["waiting"] == 1
    assert verified(ML_ALERTS) == {"waiting": 1}
    assert shown(citizen) == {}


def test_somebody_who_registers_and_is_verified_wakes_the_alerts_of_the_family(
    warehouse: Connection, citizen: Connection
) -> None:
    given_alert(warehouse, 1)
    given_alert(warehouse, 2, family_id=OTHER_FAMILY)
    assert by_full_run(warehouse, ML_ALERTS) == {"read": 2, "waiting": 2}
    given_citizen(citizen, verification_status="pending")
    assert by_events(citizen, GOLDEN_RECORDS) == {"read": 1, "filtered": 1}
    assert pending(warehouse, ML_ALERTS) == []
    change_citizen(citizen, verification_status="verified")
    assert by_events(citizen, GOLDEN_RECORDS) == WRITTEN
    assert pending(warehouse, ML_ALERTS) == [(key_of(1), "woken")]
    assert by_events(warehouse, ML_ALERTS) == WRITTEN
    assert whose(citizen) == {alert_id(1): ASHA}
    assert waits(warehouse, ML_ALERTS) == {key_of(2): True}


def test_somebody_who_joins_the_family_wakes_them_too(
    warehouse: Connection, citizen: Connection
) -> None:
    """The golden record keeps the family that it had; the portal's word counts here."""
    given_citizen(citizen, family_id=OTHER_FAMILY)
    by_events(citizen, GOLDEN_RECORDS)
    given_alert(warehouse)
    assert by_full_run(warehouse, ML_ALERTS) == WAITING
    later = "2025-09-01 00:00+00"
    change_citizen(citizen, family_id=FAMILY, updated_at=later)
    assert by_events(citizen, GOLDEN_RECORDS) == WRITTEN
    assert by_events(warehouse, ML_ALERTS) == WRITTEN
    assert whose(citizen) == {alert_id(): ASHA}


def test_an_hourly_look_finds_somebody_whom_nobody_announced(
    warehouse: Connection, citizen: Connection
) -> None:
    """Verified, and yet no golden record: the number is malformed."""
    given_alert(warehouse)
    assert by_full_run(warehouse, ML_ALERTS) == WAITING
    given_citizen(citizen, aadhaar_number="12")
    assert by_events(citizen, GOLDEN_RECORDS) == {"read": 1, "rejected": 1}
    hour_passes(warehouse)
    look_hourly(ML_ALERTS)
    assert by_events(warehouse, ML_ALERTS) == WRITTEN
    assert whose(citizen) == {alert_id(): ASHA}


def test_after_thirty_days_an_alert_of_nobody_is_a_dead_letter(warehouse: Connection) -> None:
    given_alert(warehouse)
    assert by_full_run(warehouse, ML_ALERTS) == WAITING
    age(warehouse, 30.001)
    hour_passes(warehouse)
    look_hourly(ML_ALERTS)
    assert by_events(warehouse, ML_ALERTS) == {"read": 1, "rejected": 1}
    never = "family_id: never came: the record has waited for 30 days"
    assert letters_of(warehouse, ML_ALERTS) == [(key_of(), "consistency", never)]


LEFT = {
    "is no longer verified": "UPDATE citizens SET verification_status = 'rejected'",
    "has moved to another family": f"UPDATE citizens SET family_id = '{OTHER_FAMILY}'",
    "is no longer the head": "UPDATE citizens SET is_family_head = false",
    # However an administrator managed that: the portal's alerts refer to its citizens.
    "is gone": "SET session_replication_role = replica; DELETE FROM citizens;"
    " SET session_replication_role = origin",
}


@either_way
@pytest.mark.parametrize("left", LEFT.values(), ids=list(LEFT))
@pytest.mark.parametrize("another", [False, True], ids=["nobody else", "another head"])
def test_an_alert_stays_its_citizens_who(
    warehouse: Connection, citizen: Connection, sync: Sync, left: str, another: bool
) -> None:
    given_citizen(citizen)
    given_alert(warehouse)
    by_events(warehouse, ML_ALERTS)
    execute(citizen, left)
    if another:
        given_citizen(citizen, RAVI, created_at=EARLIER)
    before = versions(citizen, "ml_alerts", "alert_id")
    assert by_full_run(warehouse, ML_ALERTS) == UNCHANGED
    assert versions(citizen, "ml_alerts", "alert_id") == before
    change(warehouse, severity="CRITICAL")
    assert sync(warehouse, ML_ALERTS) == WRITTEN
    assert shown(citizen) == {alert_id(): {**SHOWN, "severity": "CRITICAL"}}
    assert whose(citizen) == {alert_id(): ASHA}
    assert waits(warehouse, ML_ALERTS) == {}
    assert verified(ML_ALERTS) == {"matched": 1}


@either_way
@pytest.mark.parametrize("known", [True, False])
def test_an_alert_that_is_said_to_be_another_familys_stays_where_it_was_shown(
    warehouse: Connection, citizen: Connection, sync: Sync, known: bool
) -> None:
    given_citizen(citizen)
    if known:
        given_citizen(citizen, RAVI, family_id=OTHER_FAMILY)
    given_alert(warehouse)
    by_events(warehouse, ML_ALERTS)
    change(warehouse, family_id=OTHER_FAMILY)
    assert sync(warehouse, ML_ALERTS) == UNCHANGED
    assert whose(citizen) == {alert_id(): ASHA}
    assert waits(warehouse, ML_ALERTS) == {}


def test_one_that_waits_goes_to_the_family_that_it_is_of_by_then(
    warehouse: Connection, citizen: Connection
) -> None:
    given_alert(warehouse)
    assert by_full_run(warehouse, ML_ALERTS) == WAITING
    given_citizen(citizen, RAVI, family_id=OTHER_FAMILY)
    change(warehouse, family_id=OTHER_FAMILY)
    assert by_events(warehouse, ML_ALERTS) == WRITTEN
    assert whose(citizen) == {alert_id(): RAVI}
    assert waits(warehouse, ML_ALERTS) == {}
