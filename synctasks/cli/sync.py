"""`synctasks sync`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NoReturn

import click
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from synctasks import audit, pauses
from synctasks.audit import Act, Action
from synctasks.capture import removals
from synctasks.cli import replay
from synctasks.cli.follow import NoWorker, follow
from synctasks.cli.moment import Moment, reason_option
from synctasks.cli.output import console, json_option, notices, print_json
from synctasks.flow import Flow
from synctasks.flows import by_name
from synctasks.monitoring.figures.runs import public
from synctasks.period import Period

_EXAMPLES = """\b
Examples:
  synctasks sync profile_data                      the whole flow, with progress
  synctasks sync profile_data --key GR-00000001    one record (repeat --key for more)
  synctasks sync profile_data --since 2026-11-01 --until 2026-11-02T12:00
                                                   what is of that time (UTC, see: flows)
  synctasks sync profile_data --failed-chunks 17   what run 17 could not carry (see: runs)
  synctasks sync profile_data --json               the books of the run, for programs
  synctasks sync profile_data --no-wait            only ask for it
  synctasks sync profile_data --accept-shrink      remove even what the guards hold

A worker must be running: celery -A synctasks worker
"""


@click.command(epilog=_EXAMPLES)
@click.argument("flow", metavar="FLOW")
@click.option("--key", "keys", multiple=True, help="Only this key; may be repeated.")
@click.option("--since", type=Moment(), help="Only what is of this time or later.")
@click.option("--until", type=Moment(), help="Only what is of a time before this one.")
@click.option(
    "--failed-chunks",
    metavar="RUN",
    type=click.IntRange(1, 2**63 - 1),
    help="Only what is in failed chunks of this run.",
)
@click.option(
    "--accept-shrink",
    is_flag=True,
    help="The source shrank, and that is right: let the removals go that the guards hold.",
)
@reason_option
@click.option("--no-wait", is_flag=True, help="Do not wait until the work is done.")
@json_option
def sync(
    flow: str,
    keys: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    failed_chunks: int | None,
    accept_shrink: bool,
    reason: str | None,
    no_wait: bool,
    as_json: bool,
) -> None:
    """Make the target of FLOW agree with its source, and wait until it does.

    A full run that is under way already is followed. What is of a time is told by the flow's own
    time column; many units are asked for while the first of them are carried over. Exits 1 if the
    run failed, a guard tripped, or no worker answers within 10 seconds.
    """
    # Imported here: the app reads the environment, and `--help` must not need one.
    import synctasks.app  # noqa: F401

    chosen = by_name(flow)
    period = replay.period_of(since, until)
    replay.only_one(
        key=keys,
        since=since,
        until=until and not since,
        failed_chunks=failed_chunks,
        accept_shrink=accept_shrink,
    )
    try:
        with _Bar(chosen.name) as bar:
            if period or failed_chunks:
                lots, act = replay.wanted(chosen, period, failed_chunks, reason)
                run = replay.ask(chosen, lots, act, bar.show)
            else:
                run = _ask(chosen, keys, reason, accept_shrink=accept_shrink)
            waits = not no_wait and not pauses.is_paused(chosen)
            ended = _follow(chosen, run, bar) if waits else None
    except NoWorker as problem:
        _give_up(str(problem))
    if ended is not None:
        _tell_end(chosen, ended, period, as_json=as_json)
    elif no_wait:
        _tell_asked(chosen, run, as_json=as_json)
    else:
        _give_up(
            f"{chosen.name} is paused: run {run} is asked for, and begins when it goes on. "
            f"Let it: synctasks resume {chosen.name}"
        )


def _ask(flow: Flow, keys: Sequence[str], reason: str | None, *, accept_shrink: bool) -> int:
    """Ask for some keys, or for all; the run."""
    from synctasks import tasks

    if keys:
        return tasks.ask_for_keys(flow, keys, act=Act(Action.SYNC, audit.of_keys(keys), reason))
    if accept_shrink:
        # Whoever accepts is noted there.
        removals.accept(flow, reason)
        return tasks.ask_for_all(flow, accept_shrink=True)
    return tasks.ask_for_all(flow, act=Act(Action.SYNC, "all of it", reason))


def _follow(flow: Flow, run: int, bar: _Bar) -> Mapping[str, Any]:
    """Follow the run to its end."""
    last: Mapping[str, Any] = {}
    for last in follow(flow, run):
        bar.show(last)
    bar.end(last["done"])
    return last


class _Bar:
    """How far a run has come, on a terminal; as a context it is there, and gone at the end."""

    def __init__(self, name: str) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        self._progress = Progress(*columns, console=notices, disable=not notices.is_terminal)
        self._bar = self._progress.add_task(name, total=None)

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, run: Mapping[str, Any]) -> None:
        total = max(run["expected"] or 0, run["planned"])
        self._progress.update(self._bar, completed=run["done"], total=total or None)

    def end(self, done: int) -> None:
        self._progress.update(self._bar, completed=done, total=done)


def _give_up(why: str) -> NoReturn:
    click.echo(f"synctasks: {why}", err=True)
    sys.exit(1)


def _tell_asked(flow: Flow, run: int, *, as_json: bool) -> None:
    """Nobody waits for it."""
    if as_json:
        print_json({"run": run})
    else:
        console.print(f"Run {run} of {flow.name} is asked for; see: synctasks runs")


def _tell_end(flow: Flow, run: Mapping[str, Any], period: Period | None, *, as_json: bool) -> None:
    """The books of a run that has ended; exits 1 unless it succeeded."""
    if as_json:
        print_json(public(run))
    elif period and not run["planned"]:
        console.print(f"{flow.name}: nothing of that time ({period}), nothing to do.")
    else:
        _say(flow, run)
    if run["state"] != "succeeded":
        sys.exit(1)


def _say(flow: Flow, run: Mapping[str, Any]) -> None:
    boxes = ("written", "unchanged", "filtered", "deferred", "rejected", "waiting", "superseded")
    parts = [f"{run[box]:,} {box}" for box in boxes if run[box]]
    console.print(
        f"{flow.name}: {run['state']}. Read {run['read']:,}: {', '.join(parts) or 'nothing'}; "
        f"removed {run['removed']:,}.",
        soft_wrap=True,
    )
    if run["state"] == "guarded":
        console.print(
            "So much would have been removed that a mistake is likelier: nothing was. Look at the "
            "source first; if it is right, say so:\n"
            f"  synctasks sync {flow.name} --accept-shrink"
        )
    if run["error"]:
        console.print(f"Error: {run['error']}", markup=False, soft_wrap=True)
    if run["rejected"]:
        console.print(
            f"Rejected: synctasks dead-letters list --flow {flow.name} --group-by error",
            soft_wrap=True,
        )
