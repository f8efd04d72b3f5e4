"""The demo with processes that run already: it looks for them, and says which it misses."""

from __future__ import annotations

import pytest

from synctasks.demo import joined
from synctasks.demo.failure import DemoFailed
from synctasks.demo.figures import climbing
from synctasks.demo.joined import Joined
from synctasks.flows import FLOWS
from synctasks.monitoring.figures.signs import PROCESSES
from tests.programs import run
from tests.rows import Connection, execute
from tests.workspace import VARIABLES

HEARD = """\
INSERT INTO synctasks.presence (process, seen_at)
SELECT process, clock_timestamp() - make_interval(secs => %(ago)s)
FROM unnest(%(processes)s::text[]) AS heard (process)
ON CONFLICT (process) DO UPDATE SET seen_at = EXCLUDED.seen_at
"""


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joined, "READY_SECONDS", 0.2)
    monkeypatch.setattr(joined, "_LOOK_SECONDS", 0.0)


def heard(database: Connection, *processes: str, ago: float = 0.0) -> None:
    execute(database, HEARD, {"processes": list(processes), "ago": ago})


def test_it_goes_on_where_all_of_them_are_heard_of(
    warehouse: Connection, citizen: Connection
) -> None:
    heard(warehouse, *PROCESSES)
    heard(citizen, "listener")
    with Joined() as processes:
        processes.check()
        heard(warehouse, *PROCESSES, ago=119)
        processes.check()
        heard(warehouse, "worker batch", ago=121)
        with pytest.raises(DemoFailed, match="nothing was heard of worker batch for 120 s"):
            processes.check()


def test_those_that_are_missing_are_named_with_what_to_do(
    warehouse: Connection, citizen: Connection
) -> None:
    heard(warehouse, *PROCESSES)
    heard(citizen, *set(PROCESSES) - {"listener"})
    heard(warehouse, "beat", ago=21)
    with pytest.raises(DemoFailed, match="listener for 0 s; start what is missing"), Joined():
        pass
    heard(citizen, "listener")
    heard(citizen, "beat", ago=21)
    with pytest.raises(DemoFailed, match="nothing was heard of beat for"), Joined():
        pass


def test_what_climbs_is_no_rest(warehouse: Connection, citizen: Connection) -> None:
    add = """
        INSERT INTO synctasks.change_log (flow, lane, key, operation, attempts, rests)
        VALUES (%(flow)s, 0, 'k', 'insert', %(attempts)s, %(rests)s)
    """
    execute(warehouse, add, {"flow": "profile_data", "attempts": 0, "rests": False})
    execute(warehouse, add, {"flow": "heartbeat_to_citizen", "attempts": 1, "rests": False})
    execute(citizen, add, {"flow": "feedback_analytics", "attempts": 1, "rests": True})
    assert climbing(FLOWS) == 0
    execute(citizen, add, {"flow": "document_metadata", "attempts": 1, "rests": False})
    execute(warehouse, add, {"flow": "profile_data", "attempts": 2, "rests": False})
    assert climbing(FLOWS) == 2


def test_what_it_joins_has_to_have_a_name() -> None:
    refused = run("synctasks", "demo", "--join", env=dict.fromkeys(VARIABLES))
    assert refused.returncode == 2
    assert all(f"{name} is not set" in refused.stderr for name in VARIABLES)
    assert refused.stdout == ""


def test_what_runs_already_need_not_be_told_to_stay() -> None:
    refused = run("synctasks", "demo", "--join", "--stay", env=dict.fromkeys(VARIABLES))
    assert refused.returncode == 2
    assert "--join and --stay exclude each other" in refused.stderr
