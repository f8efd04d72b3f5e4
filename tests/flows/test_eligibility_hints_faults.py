"""Specification 1.3: a family's trouble at the portal is no other's; verify finds what differs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest

from synctasks.flows.to_citizen.eligibility_hints import ELIGIBILITY_HINTS
from tests.flows.hints import (
    FAMILY,
    HINT,
    OTHER,
    SECOND,
    YESTERDAY,
    again,
    change,
    given,
    given_hint,
    given_schemes,
    given_scores,
    hints,
    letters,
    record,
    run_in_full,
    shown,
    synced,
    verified,
)
from tests.letters import typed, worker
from tests.rows import Connection, execute, rows
from tests.syncing import Sync, either_way, pending
from tests.waiting import due_now
from tests.workspace import CITIZEN

FLOW = ELIGIBILITY_HINTS
_REFUSE = f"""\
ALTER TABLE eligibility_hints
    ADD CONSTRAINT no_hint CHECK (family_id <> '{FAMILY}' OR scheme_code <> 'B') NOT VALID
"""
_ALLOW = "ALTER TABLE eligibility_hints DROP CONSTRAINT IF EXISTS no_hint"


@pytest.fixture(autouse=True)
def known(citizen: Connection) -> None:
    """Schemes that the portal knows."""
    given_schemes(citizen, *"ABCDEF")


@pytest.fixture
def application(databases: dict[str, str]) -> Iterator[Connection]:
    """A session of the portal's own, in a transaction."""
    with closing(psycopg2.connect(databases[CITIZEN])) as session:
        yield session


@pytest.fixture
def refusing(citizen: Connection) -> Iterator[None]:
    """The portal takes no hint of a family for scheme B."""
    execute(citizen, _REFUSE)
    yield
    execute(citizen, _ALLOW)


def families(warehouse: Connection) -> None:
    """Two families, of which one has an evaluation that is no candidate, too."""
    given_scores(warehouse, dict.fromkeys("AB", "0.5"))
    given(warehouse, "F", evaluation_status="NOT_ELIGIBLE")
    given_scores(warehouse, dict.fromkeys("AB", "0.5"), OTHER)


def test_a_locked_hint_holds_up_its_family_and_no_other(
    warehouse: Connection, citizen: Connection, application: Connection
) -> None:
    families(warehouse)
    synced(warehouse)
    locked = "SELECT FROM eligibility_hints WHERE family_id = %s AND scheme_code = 'A' FOR UPDATE"
    execute(application, locked, [FAMILY])
    execute(warehouse, "UPDATE eligibility.eligibility_snapshots SET eligibility_score = 0.7")
    assert synced(warehouse) == {"read": 2, "written": 2}
    assert set(shown(citizen, OTHER).values()) == {"0.70"}
    assert {key for key, _ in pending(warehouse, FLOW)} == {FAMILY}
    assert letters(warehouse) == []
    application.rollback()
    due_now(warehouse)
    assert synced(warehouse) == {"read": 3, "written": 2, "filtered": 1}
    assert set(shown(citizen).values()) == {"0.70"}


def test_a_locked_hint_that_has_to_go_goes_once_it_is_free(
    warehouse: Connection, citizen: Connection, application: Connection
) -> None:
    families(warehouse)
    synced(warehouse)
    locked = "SELECT FROM eligibility_hints WHERE family_id = %s AND scheme_code = 'A' FOR UPDATE"
    execute(application, locked, [FAMILY])
    fall = "UPDATE eligibility.eligibility_snapshots SET evaluation_status = '' WHERE {}"
    execute(warehouse, fall.format("scheme_code = 'A'"))
    assert synced(warehouse) == {"read": 2, "unchanged": 1, "filtered": 1, "removed": 1}
    assert (set(shown(citizen)), set(shown(citizen, OTHER))) == ({"A", "B"}, {"B"})
    application.rollback()
    due_now(warehouse)
    assert synced(warehouse)["removed"] == 1
    assert set(shown(citizen)) == {"B"}


@either_way
def test_a_family_that_the_portal_refuses_is_a_dead_letter_and_stops_only_itself(
    warehouse: Connection, citizen: Connection, refusing: None, sync: Sync
) -> None:
    families(warehouse)
    assert sync(warehouse, FLOW) == {"read": 3, "written": 2, "rejected": 1}
    assert (shown(citizen), len(shown(citizen, OTHER))) == ({}, 2)
    [(name, category, error)] = letters(warehouse)
    assert name == FAMILY
    assert "no_hint" in error
    assert category is not None
    assert verified() == {"matched": 2, "dead_lettered": 2}
    execute(citizen, _ALLOW)
    assert sync(warehouse, FLOW) in ({}, {"read": 5, "written": 2, "unchanged": 2, "filtered": 1})
    if shown(citizen) == {}:
        assert again(warehouse) == {"read": 3, "written": 2, "filtered": 1}
    assert set(shown(citizen)) == {"A", "B"}
    assert letters(warehouse) == []
    assert [letter[0] for letter in letters(warehouse, "resolved")] == [FAMILY]


def test_verify_finds_what_is_missing_different_and_extra_and_nothing_else(
    warehouse: Connection, citizen: Connection
) -> None:
    given_scores(warehouse, dict.fromkeys("ABC", "0.5"))
    given(warehouse, "D", "NaN")
    given(warehouse, "E", family_id=OTHER)
    given(warehouse, "NEW", family_id=OTHER)
    run_in_full(warehouse)
    assert verified() == {"matched": 4, "dead_lettered": 1, "waiting": 1}
    execute(citizen, "DELETE FROM eligibility_hints WHERE scheme_code = 'A'")
    execute(citizen, "UPDATE eligibility_hints SET explanation = 'x' WHERE scheme_code = 'B'")
    later = (
        "UPDATE eligibility_hints SET updated_at = %s, confidence = NULL WHERE scheme_code = 'C'"
    )
    execute(citizen, later, [YESTERDAY + SECOND])
    given_hint(citizen, "F", family_id=OTHER)
    assert verified() == {
        "matched": 1,
        "missing": 1,
        "different": 1,
        "superseded": 1,
        "extra": 1,
        "dead_lettered": 1,
        "waiting": 1,
    }


def test_what_is_pending_is_in_flight(warehouse: Connection, citizen: Connection) -> None:
    snapshot = given(warehouse)
    given(warehouse, "B")
    synced(warehouse)
    change(warehouse, snapshot, eligibility_score="0.75")
    given(warehouse, "C", evaluation_status="NOT_ELIGIBLE")
    given_hint(citizen, "C")
    assert verified() == {"matched": 1, "in_flight": 2}
    synced(warehouse)
    assert verified() == {"matched": 2}


def test_repair_puts_right_what_verify_finds(warehouse: Connection, citizen: Connection) -> None:
    families(warehouse)
    synced(warehouse)
    execute(citizen, "DELETE FROM eligibility_hints WHERE scheme_code = 'A'")
    execute(citizen, "UPDATE eligibility_hints SET confidence = NULL")
    given_hint(citizen, "F")
    given_hint(citizen, "A", family_id="nobody")
    assert verified() == {"missing": 2, "different": 2, "extra": 2}
    with worker():
        said = typed("verify", FLOW.name, "--repair", "--json")
    assert said.returncode in (0, 1), said
    synced(warehouse)
    assert verified() == {"matched": 4}
    assert hints(citizen) == {"A": HINT, "B": HINT}
    assert rows(citizen, "SELECT * FROM eligibility_hints WHERE family_id = 'nobody'") == []


def test_a_letter_is_checked_by_its_record_and_not_by_its_family(
    warehouse: Connection, citizen: Connection
) -> None:
    given(warehouse, "A")
    bad = given(warehouse, "B", "7")
    synced(warehouse)
    change(warehouse, bad, evaluation_status="NOT_ELIGIBLE")
    execute(warehouse, "DELETE FROM synctasks.change_log")
    said = typed("dead-letters", "check", "--flow", FLOW.name, "--json")
    assert said.returncode == 0, said
    assert '"is out of scope"' in said.stdout
    assert [letter[0] for letter in letters(warehouse)] == [record("B")]
