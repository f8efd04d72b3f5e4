"""Letters of messages that were refused: counted, never closed by a success, opened again."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from synctasks import tasks
from synctasks.database import transaction
from synctasks.dead_letters import failed
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from tests.letters import full_run, happened, letters, typed
from tests.rows import Connection

SYNC = "message for sync.profile_data"
QUEUE = "message in queue events"
WRONG = "argument keys: it is no list of keys"


def refuse(flow: str, what: str, problem: str = WRONG) -> None:
    assert tasks._refused(flow, what, problem) == "kept"


def only(connection: Connection) -> dict[str, Any]:
    """The only letter."""
    (found,) = letters(connection)
    return found


def test_the_same_again_is_counted_and_anything_else_is_a_letter_of_its_own(
    warehouse: Connection,
) -> None:
    for problem in (WRONG, WRONG, "it expires", WRONG):
        refuse("profile_data", SYNC, problem)
    first, second = letters(warehouse)
    assert (first["error"], first["count"], happened(first)) == (WRONG, 3, ["refused"])
    assert (second["error"], second["count"]) == ("it expires", 1)


def test_it_stands_in_the_database_of_its_flow_or_in_the_warehouse(
    warehouse: Connection, citizen: Connection
) -> None:
    refuse("document_metadata", "message for sync.document_metadata")
    assert not letters(warehouse)
    assert only(citizen)["flow"] == "document_metadata"
    refuse("unknown", QUEUE, "it is no JSON")
    assert only(warehouse)["flow"] == "unknown"


def test_no_success_closes_it(carry: Callable[[], None], warehouse: Connection) -> None:
    refuse("profile_data", SYNC)
    full_run(PROFILE_DATA)
    carry()
    with transaction(PROFILE_DATA.source.database) as source:
        for task in (failed.SYNC, failed.REFRESH, failed.drain_of(0)):
            failed.close(source, PROFILE_DATA, task)
    assert only(warehouse)["state"] == "open"


def test_discarded_it_is_quiet_until_such_a_message_comes_again(warehouse: Connection) -> None:
    refuse("unknown", QUEUE)
    words = ("--flow", "unknown", "--reason", "a typo", "--yes")
    assert typed("dead-letters", "discard", *words).stdout == "1 discarded\n"
    assert only(warehouse)["state"] == "discarded"
    refuse("unknown", QUEUE)
    assert (only(warehouse)["state"], only(warehouse)["count"]) == ("open", 2)
    assert happened(only(warehouse)) == ["refused", "discarded", "refused"]


@pytest.mark.parametrize(("flow", "what"), [("profile_data", SYNC), ("unknown", QUEUE)])
def test_a_replay_leaves_it_and_says_so(warehouse: Connection, flow: str, what: str) -> None:
    refuse(flow, what)
    before = only(warehouse)
    outcome = typed("dead-letters", "replay", str(before["id"]))
    assert outcome.returncode == 1
    assert "1 are messages that were refused: send them as they should be." in outcome.stderr
    assert outcome.stdout.startswith("0 replayed")
    assert only(warehouse) == before
    assert typed("dead-letters", "check", str(before["id"])).returncode == 0


def test_it_is_listed_shown_and_alerted(warehouse: Connection) -> None:
    refuse("unknown", QUEUE, "it is no JSON")
    (listed,) = json.loads(typed("dead-letters", "list", "--flow", "unknown", "--json").stdout)
    assert (listed["kind"], listed["unit"], listed["error"]) == ("task", QUEUE, "it is no JSON")
    shown = typed("dead-letters", "show", str(listed["id"]))
    assert (shown.returncode, QUEUE in shown.stdout) == (0, True)
    (alert,) = json.loads(typed("status", "--json").stdout)["alerts"]
    assert (alert["flow"], alert["name"]) == ("unknown", "messages refused")
    assert "dead-letters list --flow unknown" in alert["reason"]
    typed("dead-letters", "discard", str(listed["id"]), "--reason", "seen")
    assert not json.loads(typed("status", "--json").stdout)["alerts"]
