"""Who did what, when and why: every act of a person is noted, and shown the latest first."""

from __future__ import annotations

import json
from typing import Any

import pytest

from synctasks import audit
from synctasks.audit import Action
from synctasks.database import transaction
from synctasks.errors import PermanentError
from synctasks.flow import Database
from tests.letters import typed, worker
from tests.refreshing import carry, fill_both
from tests.rows import Connection, add_record, execute, rows, value

_NOTED = "SELECT actor, action, flow, subject, reason FROM synctasks.audit ORDER BY id"
_ADD = """\
INSERT INTO synctasks.audit (at, actor, action, flow, subject)
VALUES (%s, 'someone@here', %s, %s, 'it')
"""
_RUNS = "SELECT id FROM synctasks.run ORDER BY id"


def told(*words: str) -> list[dict[str, Any]]:
    """What `synctasks audit … --json` tells."""
    outcome = typed("audit", *words, "--json")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    found: list[dict[str, Any]] = json.loads(outcome.stdout)
    return found


def act(warehouse: Connection, citizen: Connection, letter: int) -> list[tuple[str, str, str]]:
    """Everything that people can do to a flow from here; what it is noted as, without the run."""
    # Here: it reads the environment.
    from synctasks.app import app

    sync = ("sync", "profile_data")
    why = ("--reason", "because")
    with worker():
        typed(*sync, "--no-wait", *why)
        typed(*sync, "--key", "GR-000001", "--key", "GR-000002", *why)
        typed(*sync, "--since", "2025-11-01", "--until", "2025-11-02")
        typed(*sync, "--accept-shrink", "--no-wait", *why)
        execute(citizen, "DELETE FROM profile_data WHERE record_id = 'GR-000001'")
        typed("verify", "profile_data", "--repair")
        typed("review", "check", "profile_data")
        typed("dead-letters", "show", str(letter))
        typed("dead-letters", "replay", str(letter), *why)
        typed("dead-letters", "discard", str(letter), "--reason", "because\udcff")
        app.tasks["sync.profile_data"](keys=["GR-000002"])
        app.tasks["sync.profile_data"]()
    return [
        ("sync", "all of it", "because"),
        ("sync", "2 keys: GR-000001, GR-000002", "because"),
        ("replay", "updated_at since 2025-11-01 until 2025-11-02", None),
        ("accept-shrink", "0 held removals, and a full run", "because"),
        ("repair", "1 key: GR-000001", None),
        ("review", "what is stale", None),
        ("reveal", f"dead letter {letter}", None),
        ("replay", f"dead letter {letter}", "because"),
        ("discard", f"dead letter {letter}", "because?"),
        ("sync", "1 key: GR-000002", None),
        ("sync", "all of it", None),
    ]


def test_whatever_people_do_to_a_flow_is_noted_with_its_run(
    warehouse: Connection, citizen: Connection
) -> None:
    fill_both(warehouse, 3)
    add_record(warehouse, "GR-wrong", gender="female")
    carry()
    letter = value(warehouse, "SELECT id FROM synctasks.dead_letter")
    expected = act(warehouse, citizen, letter)
    noted = rows(warehouse, _NOTED)
    assert {flow for _, _, flow, _, _ in noted} == {"profile_data"}
    found = [
        (action, subject.partition(": ")[2] if subject.startswith("run ") else subject, reason)
        for _, action, _, subject, reason in noted
    ]
    assert found == expected
    me = audit.actor()
    assert [actor for actor, *_ in noted] == [me] * 9 + [audit.MESSAGE] * 2
    runs = {f"run {number}" for number in rows(warehouse, _RUNS)}
    named = {subject.partition(":")[0] for *_, subject, _ in noted if subject.startswith("run ")}
    assert len(named & runs) >= 6
    assert "GR-wrong" not in str(noted)


def test_nobody_sees_a_row_that_it_could_not_be_noted_of(warehouse: Connection) -> None:
    add_record(warehouse, "GR-wrong", gender="female")
    carry()
    letter = value(warehouse, "SELECT id FROM synctasks.dead_letter")
    execute(warehouse, "ALTER TABLE synctasks.audit ADD CONSTRAINT full_up CHECK (false) NOT VALID")
    try:
        outcome = typed("dead-letters", "show", str(letter))
    finally:
        execute(warehouse, "ALTER TABLE synctasks.audit DROP CONSTRAINT full_up")
    assert (outcome.returncode, outcome.stdout) == (2, "")


def test_both_databases_are_shown_the_latest_first_and_chosen_from(
    warehouse: Connection, citizen: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "_PAGE_ROWS", 2)
    for number in range(1, 8):
        side, flow = (warehouse, "schemes") if number % 2 else (citizen, "golden_records")
        action = "pause" if number < 4 else "resume"
        execute(side, _ADD, [f"2025-11-0{number}T10:00+00", action, flow])
    found = told()
    days = [7, 6, 5, 4, 3, 2, 1]
    assert [each["at"] for each in found] == [f"2025-11-0{day}T10:00:00+00:00" for day in days]
    assert found[0] == {
        "at": "2025-11-07T10:00:00+00:00",
        "actor": "someone@here",
        "action": "resume",
        "flow": "schemes",
        "subject": "it",
        "reason": None,
    }
    assert {each["flow"] for each in told("--flow", "schemes")} == {"schemes"}
    assert len(told("--action", "pause")) == 3
    assert len(told("--since", "2025-11-06")) == 2
    assert told("--since", "2025-11-09") == []
    shown = typed("audit", "--limit", "2").stdout
    assert shown.count("someone@here") == 2
    assert shown.splitlines()[1].split() == (
        ["2025-11-07", "10:00:00", "someone@here", "resume", "schemes", "it", "-"]
    )
    assert "There is more" in shown
    assert typed("audit", "--since", "2025-11-09").stdout == "Nothing is noted.\n"


@pytest.mark.parametrize(
    "words", [("--flow", "nobody"), ("--action", "wish"), ("--since", "then")], ids=" ".join
)
@pytest.mark.usefixtures("databases")
def test_what_there_is_not_cannot_be_chosen(words: tuple[str, ...]) -> None:
    outcome = typed("audit", *words)
    assert (outcome.returncode, outcome.stdout) == (2, "")


def test_what_is_noted_is_cut_and_always_text(warehouse: Connection) -> None:
    with transaction(Database.WAREHOUSE) as tx:
        audit.add(tx, Action.SYNC, "schemes", audit.of_keys(["k" * 400] * 3), "w\udcffy" * 1_000)
    [(subject, reason)] = rows(warehouse, "SELECT subject, reason FROM synctasks.audit")
    assert (len(subject), subject[:10], subject[-1]) == (300, "3 keys: kk", "…")
    assert (len(reason), reason[:3]) == (2_000, "w?y")


def test_an_act_that_fails_is_none(warehouse: Connection) -> None:
    def fails() -> None:
        with transaction(Database.WAREHOUSE) as tx:
            audit.add(tx, Action.SYNC, "schemes", "it")
            tx.execute("SELECT FROM nowhere")

    with pytest.raises(PermanentError):
        fails()
    assert rows(warehouse, _NOTED) == []


@pytest.mark.parametrize(("behind", "who"), [("asha", "asha@"), ("", None)], ids=["sudo", "none"])
def test_behind_sudo_it_is_the_person(
    monkeypatch: pytest.MonkeyPatch, behind: str, who: str | None
) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    plain = audit.actor()
    monkeypatch.setenv("SUDO_USER", behind)
    assert audit.actor().startswith(who) if who else audit.actor() == plain
