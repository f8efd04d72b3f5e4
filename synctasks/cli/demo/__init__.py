"""`synctasks demo`."""

from __future__ import annotations

import contextlib
import shlex
import sys
import threading
import time
from collections.abc import Mapping

import click

from synctasks import settings
from synctasks.capture import installer
from synctasks.cli.demo.find import change_and_compare, show_letters, show_verify
from synctasks.cli.demo.run import watch_run
from synctasks.cli.follow import NoWorker
from synctasks.cli.output import console
from synctasks.demo import ground, show
from synctasks.demo.failure import DemoFailed
from synctasks.demo.joined import Joined
from synctasks.demo.processes import Processes, Running
from synctasks.engine import refresh
from synctasks.flow import Flow
from synctasks.flows import FLOWS
from synctasks.sample.generate import Counts, Plan

# Of the source's records; "one in 200" in words.
_DIRTY = 0.005

_LOOK_AROUND = (
    "synctasks status",
    "synctasks verify",
    "synctasks dead-letters list --group-by error",
    "synctasks sync profile_data",
    'psql "$SYNCTASKS_WAREHOUSE_URL"',
)

_EXAMPLES = """\b
Examples:
  synctasks demo                               a minute, with servers of its own
  synctasks demo --records 1000000             ten times the people
  synctasks demo --records 2000 --seconds 3    the short version
  synctasks demo --stay                        leaves it running, to look around
  synctasks demo --join                        with the worker, listener and beat that run already

With SYNCTASKS_WAREHOUSE_URL, SYNCTASKS_CITIZEN_URL and SYNCTASKS_BROKER_URL set, these servers
are used. Their tables must be empty, and keep the synthetic data.

Exit status: 0 both sides agree, 1 they do not or a process failed, 2 wrong usage or set-up.
"""


@click.command(epilog=_EXAMPLES)
@click.option(
    "--records",
    type=click.IntRange(100, 10_000_000),
    default=100_000,
    show_default=True,
    help="How many people the warehouse knows.",
)
@click.option(
    "--seconds",
    type=click.IntRange(1, 86_400),
    default=20,
    show_default=True,
    help="How long the sources change.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Other people, same story.")
@click.option("--stay", is_flag=True, help="Leave everything running until Ctrl-C.")
@click.option("--join", is_flag=True, help="Start no worker, listener or beat: they run already.")
def demo(records: int, seconds: int, seed: int, stay: bool, join: bool) -> None:
    """See it work: two databases, a worker, a listener and beat, and two applications.

    Creates and fills both databases with people who do not exist, one in 200 of whose records is
    dirty, runs the first full refresh of each flow, shows the dead letters, lets an application
    change each database, waits until nothing is pending, compares all twelve flows row by row,
    and lets `verify` say what it finds. Everything it starts is gone when it ends, even if it is
    killed.
    """
    if join and stay:
        raise click.UsageError("--join and --stay exclude each other: what runs goes on anyway.")
    if join:
        settings.load()  # raises: what runs already runs on servers that have names
    if not console.is_terminal:
        console.width = show.FILE_WIDTH
    plan = Plan.of_records(records, seed=seed, dirty=_DIRTY)
    try:
        agreed = _play(plan, seconds, stay, join)
    except KeyboardInterrupt:
        raise click.Abort from None
    except (DemoFailed, NoWorker) as problem:
        click.echo(f"synctasks: {problem}", err=True)
        sys.exit(1)
    if not agreed:
        sys.exit(1)


def _play(plan: Plan, seconds: int, stay: bool, join: bool) -> bool:
    """The whole demo. True if both sides agree and no change was lost."""
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        with show.step(console, "Servers") as step:
            own = stack.enter_context(ground.servers())
            step.result = "two PostgreSQL and a broker, for the demo" if own else "yours"
        counts, runs = _prepare(plan)
        with show.step(console, "Worker, listener and beat"):
            # Not before: the app reads the environment.
            import synctasks.app  # noqa: F401

            running: Running = Joined() if join else Processes()
            processes = stack.enter_context(running)
        for flow, run in runs.items():
            watch_run("First full refresh", flow, run, processes)
        for flow in _fed_by_others():
            run = refresh.request(flow, "demo")
            watch_run("With what came from the portal: full refresh", flow, run, processes)
        judged = show_letters(counts)
        agreed = change_and_compare(plan, seconds, processes)
        agreed = show_verify() and agreed and judged
        console.print(f"The demo took {time.monotonic() - began:.0f} s.")
        if not own:
            console.print("Your databases keep the people and the triggers (synctasks uninstall).")
        if stay and isinstance(processes, Processes):
            _stay(own, processes)
    return agreed


def _prepare(plan: Plan) -> tuple[Counts, dict[Flow, int]]:
    """Tables, people, triggers; the first full run of each flow is asked for."""
    with show.step(console, "Tables and people") as step:
        counts = ground.lay(plan, lambda table, rows: step.note(f"{table}, {rows:,} rows"))
        rows = sum(counts.rows.values())
        step.result = f"{rows:,} rows in {len(counts.rows)} tables, all of it synthetic"
    with show.step(console, "Triggers and bookkeeping"):
        installer.install(FLOWS, with_schemas=False, notifies=True, progress=lambda _: None)
        return counts, {flow: refresh.request(flow, "demo") for flow in FLOWS}


def _fed_by_others() -> list[Flow]:
    """The flows whose source is another one's target: the first refreshes ran at the same time."""
    targets = {flow.target.table for flow in FLOWS}
    return [flow for flow in FLOWS if flow.source.table in targets]


def _stay(own: Mapping[str, str], processes: Processes) -> None:
    """Wait for Ctrl-C. Raises DemoFailed if a process ends meanwhile."""
    if own:
        console.print("\nEverything is running. In another terminal:", markup=False)
        for name, value in own.items():
            console.print(f"  export {name}={shlex.quote(value)}", markup=False, soft_wrap=True)
    else:
        console.print("\nWorker, listener and beat are running. In another terminal:")
    for command in _LOOK_AROUND:
        console.print(f"  {command}", markup=False, soft_wrap=True)
    for name in ("worker", "listener", "beat"):
        console.print(f"  tail {processes.log(name)}", markup=False, soft_wrap=True)
    console.print("Ctrl-C ends it.")
    tick = threading.Event()
    while not tick.wait(1.0):
        processes.check()
