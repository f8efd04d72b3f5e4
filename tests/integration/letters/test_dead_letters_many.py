"""Dead letters by the thousand: all are stored, listed and replayed, and few are logged."""

from __future__ import annotations

import json

from structlog.testing import capture_logs

from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from tests.letters import drain_pending, full_run, letters, typed, worker
from tests.rows import Connection, execute

FORGET = "DELETE FROM synctasks.change_log"


def test_of_a_flood_the_first_are_logged_and_all_are_stored(warehouse: Connection) -> None:
    execute(
        warehouse,
        "INSERT INTO golden_records (gr_id, gender, updated_at) "
        "SELECT 'GR-' || n, 'female', clock_timestamp() FROM generate_series(1, 800) AS n;"
        "DELETE FROM synctasks.change_log",
    )
    with capture_logs() as said:
        full_run(PROFILE_DATA)
    assert len(letters(warehouse)) == 800
    one_each = [each for each in said if each["event"] == "letter.opened"]
    others = [each["letters"] for each in said if each["event"] == "letter.more_opened"]
    assert len(one_each) <= 20 * PROFILE_DATA.lanes
    assert len(one_each) + sum(others) == 800
    with capture_logs() as said:
        assert full_run(PROFILE_DATA)["rejected"] == 800
    assert not [each for each in said if each["event"].startswith("letter.")], "nothing anew"


def test_more_than_a_thousand_are_replayed_in_lots(warehouse: Connection) -> None:
    execute(
        warehouse,
        "INSERT INTO golden_records (gr_id, full_name, gender, updated_at) "
        "SELECT 'GR-' || n, 'Asha', 'female', clock_timestamp() "
        "FROM generate_series(1, 1101) AS n",
    )
    drain_pending()
    execute(warehouse, f"UPDATE golden_records SET gender = 'F' WHERE gr_id <> 'GR-7'; {FORGET}")
    ids = [each["id"] for each in json.loads(typed("dead-letters", "list", "--json").stdout)]
    assert ids == sorted(each["id"] for each in letters(warehouse)), "all of them, oldest first"
    result = {"replayed": 1_101, "passed": 1_100, "rejected": 1, "neither": 0}
    with worker():
        outcome = typed("dead-letters", "replay", "--field", "gender", "--yes", "--json")
    assert (outcome.returncode, json.loads(outcome.stdout)) == (1, result)
    assert outcome.stderr.splitlines() == [
        f"profile_data: {done} of 1,101" for done in ("500", "1,000", "1,101")
    ]
