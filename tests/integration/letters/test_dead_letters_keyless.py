"""Dead letters of records without a key: schemes whose code is null share the empty unit."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from synctasks.capture import change_log
from synctasks.flows.to_citizen.schemes import SCHEMES
from tests.letters import (
    add_scheme,
    full_run,
    happened,
    letter,
    letters,
    scheme_id,
    states,
    typed,
    worker,
)
from tests.rows import Connection, execute, rows

Work = Callable[[], None]


@pytest.fixture
def keyless(warehouse: Connection) -> dict[str, str]:
    """Two schemes without a code, rejected; the records by name."""
    for name in ("first", "second"):
        add_scheme(warehouse, name, scheme_code=None)
    full_run(SCHEMES)
    return {name: f"scheme_id {scheme_id(name)}" for name in ("first", "second")}


def test_records_without_a_key_have_a_letter_each(
    keyless: dict[str, str], warehouse: Connection, citizen: Connection
) -> None:
    full_run(SCHEMES)
    found = {each["record"]: each for each in letters(warehouse)}
    assert found.keys() == set(keyless.values())
    for each in found.values():
        assert (each["unit"], each["state"], each["count"]) == ("", "open", 2)
        assert each["messages"] == {"scheme_code": ["is missing"]}
        assert (each["category"], happened(each)) == ("completeness", ["rejected"])
    assert rows(citizen, "SELECT code FROM schemes") == []


GIVE = "UPDATE eligibility.scheme_master SET scheme_code = %s WHERE scheme_id = %s"


def by_full_run(carry: Work, code: str) -> None:
    full_run(SCHEMES)


def by_key(carry: Work, code: str) -> None:
    change_log.request(SCHEMES, [code], origin="key")
    carry()


@pytest.mark.parametrize("way", [by_full_run, by_key])
def test_a_record_that_gets_its_key_closes_its_own_letter_only(
    keyless: dict[str, str],
    carry: Work,
    warehouse: Connection,
    citizen: Connection,
    way: Callable[[Work, str], None],
) -> None:
    execute(warehouse, GIVE, ["S-1", scheme_id("first")])
    way(carry, "S-1")
    assert rows(citizen, "SELECT code FROM schemes") == ["S-1"]
    assert states(warehouse) == {keyless["first"]: "resolved", keyless["second"]: "open"}
    execute(warehouse, GIVE, ["S-2", scheme_id("second")])
    way(carry, "S-2")
    assert states(warehouse) == dict.fromkeys(keyless.values(), "resolved"), "the last of them, too"


def test_a_record_that_lost_its_key_and_has_it_again_is_found_though_both_sides_agree(
    carry: Work, warehouse: Connection, citizen: Connection
) -> None:
    add_scheme(warehouse, "S-1")
    full_run(SCHEMES)
    before = rows(citizen, "SELECT xmin, * FROM schemes")
    for code in (None, "S-1"):
        execute(warehouse, GIVE, [code, scheme_id("S-1")])
        full_run(SCHEMES)
    assert rows(citizen, "SELECT xmin, * FROM schemes") == before
    assert states(warehouse) == {f"scheme_id {scheme_id('S-1')}": "resolved"}


def test_a_record_that_gets_its_key_and_is_wrong_otherwise_has_not_passed(
    keyless: dict[str, str], warehouse: Connection
) -> None:
    execute(warehouse, GIVE, ["S-1", scheme_id("first")])
    execute(warehouse, "UPDATE eligibility.scheme_master SET scheme_name = ''")
    full_run(SCHEMES)
    assert states(warehouse) == {**dict.fromkeys(keyless.values(), "open"), "S-1": "open"}
    execute(warehouse, "UPDATE eligibility.scheme_master SET scheme_name = 'Right'")
    full_run(SCHEMES)
    passed = dict.fromkeys([keyless["first"], "S-1"], "resolved")
    assert states(warehouse) == {keyless["second"]: "open", **passed}


def test_a_replay_of_one_without_a_key_looks_at_all_of_them(
    keyless: dict[str, str], warehouse: Connection
) -> None:
    with worker():
        outcome = typed("dead-letters", "replay", str(letter(warehouse, keyless["first"])["id"]))
    assert outcome.stdout == "1 replayed: 0 passed, 1 rejected again\n", outcome
    attempts = {each["record"]: happened(each) for each in letters(warehouse)}
    assert attempts == {
        keyless["first"]: ["rejected", "replayed", "rejected"],
        keyless["second"]: ["rejected"],
    }
    assert [each["count"] for each in letters(warehouse)] == [2, 2]


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM eligibility.scheme_master WHERE scheme_id = %s",
        "UPDATE eligibility.scheme_master SET status = 'INACTIVE' WHERE scheme_id = %s",
    ],
    ids=["deleted", "out of scope"],
)
def test_a_record_without_a_key_that_goes_away_keeps_its_letter(
    keyless: dict[str, str], warehouse: Connection, change: str
) -> None:
    """As any other: it never passed."""
    execute(warehouse, change, [scheme_id("first")])
    full_run(SCHEMES)
    assert states(warehouse) == dict.fromkeys(keyless.values(), "open")


def test_a_replay_resolves_nothing_that_did_not_arrive(
    keyless: dict[str, str], warehouse: Connection, citizen: Connection
) -> None:
    """The record has a key by now: its old unit, which is replayed, does not hold it any more."""
    execute(warehouse, GIVE, ["S-1", scheme_id("first")])
    with worker():
        typed("dead-letters", "replay", str(letter(warehouse, keyless["first"])["id"]))
    arrived = rows(citizen, "SELECT code FROM schemes") == ["S-1"]
    assert (states(warehouse)[keyless["first"]] == "resolved") == arrived


def test_a_blank_code_and_none_are_counted_once_each(warehouse: Connection) -> None:
    """Both are of the empty unit: it is asked for twice, and holds each record once."""
    add_scheme(warehouse, "blank", scheme_code="")
    add_scheme(warehouse, "none", scheme_code=None, status="INACTIVE")
    counts = full_run(SCHEMES)
    assert (counts["read"], counts["rejected"], counts["filtered"]) == (2, 1, 1)


@pytest.mark.parametrize("code", ["", " \u00a0\t"], ids=repr)
def test_a_blank_key_is_a_record_of_its_own(
    warehouse: Connection, citizen: Connection, code: str
) -> None:
    add_scheme(warehouse, "blank", scheme_code=code)
    add_scheme(warehouse, "S-1")
    full_run(SCHEMES)
    found = letter(warehouse, code)
    assert (found["unit"], found["messages"]) == (code, {"scheme_code": ["is missing"]})
    with worker():
        outcome = typed("dead-letters", "replay", str(found["id"]))
    assert outcome.stdout == "1 replayed: 0 passed, 1 rejected again\n", outcome
    assert (letter(warehouse, code)["count"], letter(warehouse, code)["state"]) == (2, "open")
    assert rows(citizen, "SELECT code FROM schemes") == ["S-1"]
