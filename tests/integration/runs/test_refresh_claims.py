"""Claims: who dies with a range or a chunk leaves it to others after ten seconds, no sooner."""

from __future__ import annotations

from typing import Any

import pytest

from synctasks.engine import refresh
from synctasks.engine.refresh import ranges
from synctasks.engine.refresh.chunk import Chunk
from synctasks.errors import PermanentError, TransientError
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from tests import oracle
from tests.refreshing import add_records, books, finish, full_run, run_of, step, unseen
from tests.rows import Connection, execute, rows

RECORDS = 800
_AGE = "UPDATE synctasks.chunk SET claimed_at = claimed_at - %s * interval '1 second'"
_CLAIMED = "SELECT phase FROM synctasks.chunk WHERE claimed_at > now() - interval '9 s'"
_OPEN = "SELECT phase FROM synctasks.chunk WHERE finished_at IS NULL"

# Where a worker dies: what it does next raises what no program catches.
PLACES = [(ranges, "_compare", "range"), (Chunk, "settle", "source")]
# Where its work fails.
FAILURES = [(ranges, "_compare", "range"), (Chunk, "held", "target")]


class Death(BaseException):
    """A worker's end, as far as its code can tell."""


def dies(*_: Any, **__: Any) -> Any:
    raise Death


@pytest.fixture
def run(warehouse: Connection) -> int:
    """A run that is asked for."""
    with unseen(warehouse):
        add_records(warehouse, 1, RECORDS)
    return refresh.request(PROFILE_DATA, "test")


@pytest.mark.parametrize(("room", "name", "phase"), PLACES, ids=["range", "chunk"])
def test_what_a_dead_worker_has_claimed_is_taken_over_after_ten_seconds(
    run: int, warehouse: Connection, citizen: Connection, room: Any, name: str, phase: str
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, name, dies)
        with pytest.raises(Death):
            finish()
    finish()
    assert rows(warehouse, _OPEN) == [phase], "all the rest is done"
    execute(warehouse, _AGE, [9])
    finish()
    assert rows(warehouse, _OPEN) == [phase]
    execute(warehouse, _AGE, [2])
    finish()
    ended = run_of(warehouse, run)
    assert (ended["state"], ended["read"]) == ("succeeded", RECORDS)
    assert not oracle.profile_data(warehouse, citizen)


def test_a_chunk_that_two_have_done_is_counted_once(
    run: int, warehouse: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one was so slow that its claim expired."""
    settle, slow = Chunk.settle, []

    def overtaken(self: Chunk, *arguments: Any) -> bool:
        if not slow:
            slow.append(self)
            execute(warehouse, _AGE, [11])
            finish()
        return settle(self, *arguments)

    monkeypatch.setattr(Chunk, "settle", overtaken)
    finish()
    ended = run_of(warehouse, run)
    assert (ended["state"], ended["read"]) == ("succeeded", RECORDS)


def test_a_range_that_two_have_compared_is_handed_on_once(
    run: int, warehouse: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_on, slow = ranges._hand_on_compared, []

    def overtaken(*arguments: Any) -> None:
        if not slow:
            slow.append(arguments)
            execute(warehouse, _AGE, [11])
            assert step()
        hand_on(*arguments)

    monkeypatch.setattr(ranges, "_hand_on_compared", overtaken)
    finish()
    ended = run_of(warehouse, run)
    assert books(ended) == {"read": RECORDS, "written": RECORDS}


@pytest.mark.parametrize(("room", "name", "phase"), FAILURES, ids=["range", "chunk"])
def test_a_failure_that_passes_gives_the_claim_back_at_once(
    run: int, warehouse: Connection, citizen: Connection, room: Any, name: str, phase: str
) -> None:
    execute(citizen, "INSERT INTO profile_data (record_id) VALUES ('zz')")

    def fails(*_: Any, **__: Any) -> Any:
        raise TransientError("the server is going down")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, name, fails)
        with pytest.raises(TransientError):
            finish()
    assert rows(warehouse, f"{_CLAIMED} AND finished_at IS NULL") == []
    assert phase in rows(warehouse, _OPEN)
    finish()
    assert run_of(warehouse, run)["state"] == "succeeded"
    assert not oracle.profile_data(warehouse, citizen)


@pytest.mark.parametrize(("room", "name", "phase"), FAILURES, ids=["range", "chunk"])
def test_a_failure_that_does_not_pass_fails_the_run_which_does_all_the_rest(
    run: int, warehouse: Connection, citizen: Connection, room: Any, name: str, phase: str
) -> None:
    execute(citizen, "INSERT INTO profile_data (record_id) VALUES ('zz')")

    def fails(*_: Any, **__: Any) -> Any:
        raise PermanentError("warehouse: permission denied (table districts) [42501]")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, name, fails)
        finish()
    ended = run_of(warehouse, run)
    assert ended["state"] == "failed"
    assert ended["error"] == "warehouse: permission denied (table districts) [42501]"
    failed = "SELECT phase FROM synctasks.chunk WHERE error IS NOT NULL"
    assert rows(warehouse, failed) == [phase]
    again = full_run(warehouse)
    assert again["state"] == "succeeded"
    assert not oracle.profile_data(warehouse, citizen)
