"""What `synctasks sync` does for a period of time, and for a run's failed chunks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

import click

from synctasks import pauses, replay
from synctasks.audit import Act, Action
from synctasks.cli.follow import follow
from synctasks.flow import Flow
from synctasks.period import Period
from synctasks.replay import Lots, Replay

State = Mapping[str, Any]


def only_one(**given: object) -> None:
    """Of several ways to say what is meant there can be one. Raises click.UsageError."""
    names = [f"--{name.replace('_', '-')}" for name, value in given.items() if value]
    if len(names) > 1:
        raise click.UsageError(f"{' and '.join(names)} do not go together: give one of them.")


def period_of(since: datetime | None, until: datetime | None) -> Period | None:
    """The period that was asked for, if one was. Raises click.UsageError for one of no time."""
    if since and until and since >= until:
        raise click.UsageError("--until is not after --since: it is the first moment left out.")
    return Period(since, until) if since or until else None


def wanted(
    flow: Flow, period: Period | None, run: int | None, reason: str | None
) -> tuple[Lots, Act]:
    """What is replayed, and the act that it is. Raises SetupError where it cannot be told."""
    if period:
        lots = replay.of_period(flow, period)
        assert flow.source.time is not None, "else it has raised"
        return lots, Act(Action.REPLAY, f"{flow.source.time.column} {period}", reason)
    assert run is not None, "one of the two was asked for"
    lots = replay.of_failed_chunks(flow, run)
    return lots, Act(Action.REPLAY, f"failed chunks of run {run}", reason)


def ask(flow: Flow, lots: Lots, act: Act, shown: Callable[[State], None]) -> int:
    """Ask for all of it, as the work goes on, or at once while nobody may work; its run.

    Raises NoWorker.
    """
    with replay.begin(flow, lots, act) as asked:
        while asked.ask():
            for state in _until_most_is_done(asked):
                shown(state)
        return asked.run


def _until_most_is_done(asked: Replay) -> Iterator[State]:
    for state in follow(asked.flow, asked.run):
        yield state
        most_is_done = state["planned"] - state["done"] <= asked.at_once
        if most_is_done or pauses.is_paused(asked.flow):
            return
