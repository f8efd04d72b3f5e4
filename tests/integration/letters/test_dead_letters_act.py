"""What people do about dead letters: replay and discard them."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from synctasks import audit
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.flows.to_citizen.schemes import SCHEMES
from tests.letters import (
    add_scheme,
    full_run,
    happened,
    letter,
    letters,
    states,
    typed,
    worker,
)
from tests.rows import Connection, add_record, execute, rows

Work = Callable[[], None]

FORGET = "DELETE FROM synctasks.change_log"
FRESH = "updated_at = clock_timestamp()"
AUDIT = "SELECT actor, action, flow, subject, reason FROM synctasks.audit ORDER BY id"


@pytest.fixture
def five(carry: Work, warehouse: Connection) -> list[int]:
    """GR-1 to GR-5 are rejected: two for their gender, three for their names; their ids."""
    for number in range(1, 6):
        wrong = {"gender": "female"} if number < 3 else {"full_name": ""}
        add_record(warehouse, f"GR-{number}", **wrong)
        carry()
    return [letter(warehouse, f"GR-{number}")["id"] for number in range(1, 6)]


def mend(warehouse: Connection, *keys: str) -> None:
    """Correct records, without an event."""
    mended = "full_name = 'Asha', gender = 'F'"
    execute(warehouse, f"UPDATE golden_records SET {mended} WHERE gr_id = ANY (%s)", [list(keys)])
    execute(warehouse, FORGET)


def replay(*words: str) -> tuple[int, Any]:
    """Exit code and result of a replay that a worker answers."""
    with worker():
        outcome = typed("dead-letters", "replay", *words, "--json")
    assert outcome.stderr == ""
    return outcome.returncode, json.loads(outcome.stdout)


def test_a_replay_by_id_is_of_those_only(five: list[int], warehouse: Connection) -> None:
    mend(warehouse, "GR-1", "GR-2", "GR-3")
    result = {"replayed": 2, "passed": 2, "rejected": 0, "neither": 0}
    assert replay(str(five[0]), str(five[2]), "--yes") == (0, result)
    resolved = [name for name, state in states(warehouse).items() if state == "resolved"]
    assert resolved == ["GR-1", "GR-3"]
    assert happened(letter(warehouse, "GR-1")) == ["rejected", "replayed", "passed"]
    assert happened(letter(warehouse, "GR-2")) == ["rejected"]


def test_a_replay_by_filter_says_what_was_rejected_again(
    five: list[int], warehouse: Connection
) -> None:
    mend(warehouse, "GR-1", "GR-3", "GR-4")
    result = {"replayed": 3, "passed": 2, "rejected": 1, "neither": 0}
    assert replay("--field", "full_name", "--error", "IS MISSING", "--yes") == (1, result)
    again = letter(warehouse, "GR-5")
    assert (again["state"], again["count"]) == ("open", 2)
    assert happened(again) == ["rejected", "replayed", "rejected"]
    assert again["acted_by"] == audit.actor()
    assert states(warehouse)["GR-1"] == "open", "its field is another one"
    (noted,) = rows(warehouse, AUDIT)
    subject = f"3 dead letters, from {five[2]} to {five[4]}"
    assert noted == (audit.actor(), "replay", "profile_data", subject, None)


@pytest.mark.parametrize("words", [["replay"], ["discard", "--reason", "old"]], ids=" ".join)
def test_many_are_counted_first_and_want_a_yes_without_a_terminal(
    five: list[int], warehouse: Connection, words: list[str]
) -> None:
    before = letters(warehouse)
    outcome = typed("dead-letters", *words, "--flow", "profile_data")
    assert (outcome.returncode, outcome.stdout) == (2, "")
    question = f"{words[0].capitalize()} 5 dead letters? Give --yes to say so without a terminal."
    assert question in outcome.stderr
    assert letters(warehouse) == before
    assert rows(warehouse, f"SELECT key FROM ({AUDIT}) AS noted, synctasks.change_log") == []


def test_a_replay_in_bulk_is_paced(
    five: list[int], warehouse: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each lot is worked off before the next one is asked for."""
    commands = importlib.import_module("synctasks.cli.dead_letters.act")
    monkeypatch.setattr(commands, "_AT_ONCE", 2)
    mend(warehouse, "GR-1", "GR-2", "GR-3", "GR-4")
    with worker():
        outcome = typed("dead-letters", "replay", "--flow", "profile_data", "--yes")
    assert outcome.returncode == 1
    assert outcome.stdout == "5 replayed: 4 passed, 1 rejected again\n"
    lots = [f"profile_data: {done} of 5" for done in (2, 4, 5)]
    assert outcome.stderr.splitlines() == lots
    runs = rows(
        warehouse,
        "SELECT planned, state, started_at >= lag(finished_at, 1, '-infinity') OVER (ORDER BY id) "
        "FROM synctasks.run WHERE reason = 'replay' ORDER BY id",
    )
    assert runs == [(2, "succeeded", True), (2, "succeeded", True), (1, "succeeded", True)]
    noted = [(action, subject) for _, action, _, subject, _ in rows(warehouse, AUDIT)]
    assert noted[0] == ("replay", f"2 dead letters, from {five[0]} to {five[1]}")
    assert len(noted) == 3


def test_letters_of_several_flows_are_replayed_at_once(
    five: list[int], warehouse: Connection
) -> None:
    add_scheme(warehouse, "S-1", scheme_name="")
    full_run(SCHEMES)
    execute(warehouse, "UPDATE eligibility.scheme_master SET scheme_name = 'Right'")
    mend(warehouse, "GR-3")
    result = {"replayed": 4, "passed": 2, "rejected": 2, "neither": 0}
    assert replay("--category", "completeness", "--yes") == (1, result)
    noted = rows(warehouse, AUDIT)
    assert {(action, flow) for _, action, flow, _, _ in noted} == {
        ("replay", "profile_data"),
        ("replay", "schemes"),
    }


def test_a_replay_of_what_is_gone_or_out_of_scope_says_so(
    five: list[int], carry: Work, warehouse: Connection
) -> None:
    """It neither passed nor was rejected: its letter is open again, or nobody would see it."""
    add_scheme(warehouse, "S-1", scheme_name="")
    full_run(SCHEMES)
    execute(warehouse, "UPDATE eligibility.scheme_master SET status = 'INACTIVE'")
    execute(warehouse, "DELETE FROM golden_records WHERE gr_id = 'GR-1'")
    carry()
    replayed = [str(five[0]), str(letter(warehouse, "S-1")["id"])]
    result = {"replayed": 2, "passed": 0, "rejected": 0, "neither": 2}
    assert replay(*replayed, "--yes") == (1, result)
    attempts = ["rejected", "replayed", "is gone from the source"]
    assert happened(letter(warehouse, "GR-1")) == attempts
    assert happened(letter(warehouse, "S-1")) == [*attempts[:2], "is out of scope"]
    assert set(states(warehouse).values()) == {"open"}
    with worker():
        outcome = typed("dead-letters", "replay", *replayed[:1])
    said = "1 replayed: 0 passed, 0 rejected again, 1 is gone from the source\n"
    assert (outcome.returncode, outcome.stdout) == (1, said)


def test_a_discarded_letter_stays_quiet_while_nothing_changes(
    five: list[int], carry: Work, warehouse: Connection
) -> None:
    why = "the source system is gone"
    outcome = typed("dead-letters", "discard", str(five[0]), str(five[1]), "--yes", "--reason", why)
    assert (outcome.returncode, outcome.stdout) == (0, "2 discarded\n")
    full_run(PROFILE_DATA)
    execute(warehouse, f"UPDATE golden_records SET city_village = 'Kota', {FRESH}")
    carry()
    quiet = letter(warehouse, "GR-1")
    assert (quiet["state"], quiet["count"]) == ("discarded", 3)
    assert (quiet["acted_by"], quiet["reason"]) == (audit.actor(), why)
    assert happened(quiet) == ["rejected", "discarded"]
    assert (quiet["attempts"][1]["by"], quiet["attempts"][1]["reason"]) == (audit.actor(), why)
    (noted,) = rows(warehouse, AUDIT)
    subject = f"2 dead letters, from {five[0]} to {five[1]}"
    assert noted == (audit.actor(), "discard", "profile_data", subject, why)


@pytest.mark.parametrize(
    ("change", "state", "attempts"),
    [
        ("gender = 'F', full_name = ''", "open", ["rejected", "discarded", "rejected"]),
        ("gender = 'F'", "resolved", ["rejected", "discarded", "passed"]),
    ],
    ids=["wrong in another way", "right"],
)
def test_a_discarded_letter_comes_back_for_news_only(
    five: list[int],
    carry: Work,
    warehouse: Connection,
    change: str,
    state: str,
    attempts: list[str],
) -> None:
    typed("dead-letters", "discard", str(five[0]), "--reason", "old")
    execute(warehouse, f"UPDATE golden_records SET {change}, {FRESH} WHERE gr_id = 'GR-1'")
    carry()
    found = letter(warehouse, "GR-1")
    assert (found["state"], happened(found)) == (state, attempts)


def test_a_discarded_letter_can_be_replayed_by_its_id(
    five: list[int], warehouse: Connection
) -> None:
    """Whoever names it wants to know: rejected again, it is open."""
    typed("dead-letters", "discard", str(five[0]), "--reason", "old")
    assert replay(str(five[0])) == (1, {"replayed": 1, "passed": 0, "rejected": 1, "neither": 0})
    found = letter(warehouse, "GR-1")
    assert found["state"] == "open"
    assert happened(found) == ["rejected", "discarded", "replayed", "rejected"]
