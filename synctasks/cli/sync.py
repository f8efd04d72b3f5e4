"""`synctasks sync`."""

from __future__ import annotations

import sys
from typing import Any

import click
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from synctasks import pauses
from synctasks.capture import removals
from synctasks.cli.follow import NoWorker, follow
from synctasks.cli.output import console, json_option, notices, print_json
from synctasks.flow import Flow
from synctasks.flows import by_name
from synctasks.monitoring.figures.runs import public

_EXAMPLES = """\b
Examples:
  synctasks sync profile_data                      the whole flow, with progress
  synctasks sync profile_data --key GR-00000001    one record (repeat --key for more)
  synctasks sync profile_data --json               the books of the run, for programs
  synctasks sync profile_data --no-wait            only ask for it
  synctasks sync profile_data --accept-shrink      remove even what the guards hold

A worker must be running: celery -A synctasks worker
"""


@click.command(epilog=_EXAMPLES)
@click.argument("flow", metavar="FLOW")
@click.option("--key", "keys", multiple=True, help="Only this key; may be repeated.")
@click.option(
    "--accept-shrink",
    is_flag=True,
    help="The source shrank, and that is right: let the removals go that the guards hold.",
)
@click.option("--no-wait", is_flag=True, help="Do not wait until the work is done.")
@json_option
def sync(
    flow: str, keys: tuple[str, ...], accept_shrink: bool, no_wait: bool, as_json: bool
) -> None:
    """Make the target of FLOW agree with its source, and wait until it does.

    A full run that is under way already is followed. Exits 1 if the run failed, a guard
    tripped, or no worker answers within 10 seconds.
    """
    # Imported here: the app reads the environment, and `--help` must not need one.
    import synctasks.app  # noqa: F401
    from synctasks import tasks

    chosen = by_name(flow)
    if accept_shrink:
        if keys:
            raise click.UsageError("--accept-shrink is about the whole flow: leave --key away.")
        removals.accept(chosen)
    if keys:
        run = tasks.ask_for_keys(chosen, keys)
    else:
        run = tasks.ask_for_all(chosen, accept_shrink=accept_shrink)
    if no_wait:
        if as_json:
            print_json({"run": run})
        else:
            console.print(f"Run {run} of {chosen.name} is asked for; see: synctasks status")
        return
    if pauses.is_paused(chosen):
        click.echo(
            f"synctasks: {chosen.name} is paused: run {run} is asked for, and begins when it goes "
            f"on. Let it: synctasks resume {chosen.name}",
            err=True,
        )
        sys.exit(1)
    try:
        ended = _watch(chosen, run)
    except NoWorker as problem:
        click.echo(f"synctasks: {problem}", err=True)
        sys.exit(1)
    if as_json:
        print_json(public(ended))
    else:
        _say(chosen, ended)
    if ended["state"] != "succeeded":
        sys.exit(1)


def _watch(flow: Flow, run: int) -> dict[str, Any]:
    """Follow the run to its end, with a bar on a terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=notices, disable=not notices.is_terminal) as progress:
        bar = progress.add_task(flow.name, total=None)
        last: dict[str, Any] = {}
        for last in follow(flow, run):
            total = max(last["expected"] or 0, last["planned"])
            progress.update(bar, completed=last["done"], total=total or None)
        progress.update(bar, completed=last["done"], total=last["done"])
    return last


def _say(flow: Flow, run: dict[str, Any]) -> None:
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
