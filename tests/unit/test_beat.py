"""Beat says that it is there while it does its work, and comes often enough to say so."""

from __future__ import annotations

import pytest
from celery.beat import PersistentScheduler

from synctasks import beat


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What it says of itself; its clock stands at 100 s."""
    words: list[str] = []
    monkeypatch.setattr(beat.presence, "note_everywhere", words.append)
    monkeypatch.setattr(beat.time, "monotonic", lambda: 100.0)
    return words


@pytest.fixture
def scheduler(monkeypatch: pytest.MonkeyPatch) -> beat.Scheduler:
    """One whose next task is due in five minutes."""
    monkeypatch.setattr(PersistentScheduler, "tick", lambda *_, **__: 300.0)
    made: beat.Scheduler = object.__new__(beat.Scheduler)
    return made


def test_it_says_so_every_ten_seconds_whatever_is_due(
    scheduler: beat.Scheduler, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [scheduler.tick() for _ in range(3)] == [10.0] * 3
    assert said == ["beat"]
    monkeypatch.setattr(beat.time, "monotonic", lambda: 109.9)
    scheduler.tick()
    assert said == ["beat"]
    monkeypatch.setattr(beat.time, "monotonic", lambda: 110.0)
    scheduler.tick()
    assert said == ["beat", "beat"]


def test_it_comes_again_sooner_where_something_is_due(
    scheduler: beat.Scheduler, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PersistentScheduler, "tick", lambda *_, **__: 0.5)
    assert scheduler.tick() == 0.5


def test_one_that_cannot_do_its_work_does_not_say_that_it_is_there(
    scheduler: beat.Scheduler, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> float:
        raise OSError("its schedule is gone")

    monkeypatch.setattr(PersistentScheduler, "tick", broken)
    with pytest.raises(OSError, match="gone"):
        scheduler.tick()
    assert said == []
