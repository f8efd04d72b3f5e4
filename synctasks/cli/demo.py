"""`synctasks demo`."""

from __future__ import annotations

import contextlib
import shlex
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import datetime

import click

from synctasks.capture import installer
from synctasks.capture.change_log import lane_count
from synctasks.cli.follow import NoWorker, follow
from synctasks.cli.output import console
from synctasks.cli.verify import verify_table
from synctasks.demo import dirt, ground, show
from synctasks.demo.agreement import Agreement, compare
from synctasks.demo.failure import DemoFailed
from synctasks.demo.figures import Meter, carried, pending
from synctasks.demo.processes import Processes
from synctasks.demo.specimen import specimen
from synctasks.demo.watch import STUCK_SECONDS, Watch
from synctasks.demo.workload import Workload
from synctasks.embedded.waiting import wait_until
from synctasks.engine import refresh
from synctasks.engine.books import BOXES
from synctasks.engine.verify import verify
from synctasks.flow import Flow
from synctasks.flows import FLOWS
from synctasks.sample.generate import Counts, Plan

# Of the source's records; "one in 200" in words.
_DIRTY = 0.005
# One golden record in six is of somebody who uses the portal; few of these are the dirty ones.
_LEFT_DIRTY = 0.8
_MOST_ERRORS = 6

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
    help="How long the source changes.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Other people, same story.")
@click.option("--stay", is_flag=True, help="Leave everything running until Ctrl-C.")
def demo(records: int, seconds: int, seed: int, stay: bool) -> None:
    """See it work: two databases, a worker, a listener and beat, and a source that changes.

    Creates and fills both databases with people who do not exist, one in 200 of whose records is
    dirty, runs the first full refresh of each flow, shows the dead letters, lets an application
    change the source, waits until nothing is pending, compares the two sides row by row, and
    lets `verify` say what it finds. Everything it starts is gone when it ends, even if it is
    killed.
    """
    if not console.is_terminal:
        console.width = show.FILE_WIDTH
    plan = Plan.of_records(records, seed=seed, dirty=_DIRTY)
    try:
        agreed = _play(plan, seconds, stay)
    except KeyboardInterrupt:
        raise click.Abort from None
    except (DemoFailed, NoWorker) as problem:
        click.echo(f"synctasks: {problem}", err=True)
        sys.exit(1)
    if not agreed:
        sys.exit(1)


def _play(plan: Plan, seconds: int, stay: bool) -> bool:
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

            processes = stack.enter_context(Processes())
        for flow, run in runs.items():
            _refresh("First full refresh", flow, run, processes)
        for flow in _fed_by_others():
            run = refresh.request(flow, "demo")
            _refresh("With what came from the portal: full refresh", flow, run, processes)
        judged = _show_letters(counts)
        agreed = _change_and_compare(plan, seconds, processes)
        agreed = _verify() and agreed and judged
        console.print(f"The demo took {time.monotonic() - began:.0f} s.")
        if not own:
            console.print("Your databases keep the people and the triggers (synctasks uninstall).")
        if stay:
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


def _refresh(what: str, flow: Flow, run: int, processes: Processes) -> None:
    """Follow a flow's full run. Raises DemoFailed if it fails or stands still."""
    with show.step(console, f"{what} of {flow.name}") as step:
        done, moved = 0, time.monotonic()
        for state in follow(flow, run):
            processes.check()
            if state["done"] != done:
                done, moved = state["done"], time.monotonic()
            elif time.monotonic() - moved > STUCK_SECONDS:
                raise DemoFailed(f"{flow.name}: the full refresh stands still at {done:,} records")
            total = max(state["expected"] or 0, state["planned"])
            step.note(f"{done:,} of {total:,}", done, total)
        if state["state"] != "succeeded":
            reason = f": {state['error']}" if state["error"] else ""
            raise DemoFailed(f"{flow.name}: the full refresh {state['state']}{reason}")
        boxes = ("read", *BOXES, "removed")
        step.result = ", ".join(f"{state[box]:,} {box}" for box in boxes if state[box])
        # It began before we came to look.
        step.seconds = _seconds_between(state["started_at"], state["finished_at"])


def _seconds_between(began: str, ended: str) -> float:
    """Between two times in ISO 8601."""
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds()


def _show_letters(counts: Counts) -> bool:
    """What was rejected, and why. True if it is what is dirty, less what the portal mended."""
    # What two records share is no fault of the generator's: it is found where people are matched.
    flows = [flow for flow in FLOWS if not flow.resolves]
    dirty, found = dirt.rejects(flows, counts), dirt.letters(flows)
    console.print(
        f"Dead letters: {found:,} for {dirty:,} dirty records, some of which the portal's own "
        "data has mended; the most frequent errors",
        soft_wrap=True,
    )
    console.print(show.errors(dirt.by_error()[:_MOST_ERRORS]))
    plausible = _LEFT_DIRTY * dirty <= found <= dirty
    if not plausible:
        console.print(f"There should be hardly less than {dirty:,} dead letters.")
    return plausible


def _verify() -> bool:
    """What the sync itself says of both sides. True if nothing is wrong."""
    with show.step(console, "Verify: what the sync itself says"):
        found = {}
        for flow in FLOWS:
            for verified in verify(flow, lane_count(flow)):
                found[flow.name] = verified
    console.print(verify_table({name: each.counts for name, each in found.items()}))
    return not any(each.wrong for each in found.values())


def _change_and_compare(plan: Plan, seconds: int, processes: Processes) -> bool:
    """The source changes, the sync catches up, the sides are compared, the result is shown."""
    meter = _meter_at_rest()
    with Workload(plan) as workload, show.Scoreboard(console, workload) as board:
        watch = Watch(meter, workload, board, processes)
        watch.changing(seconds)
        workload.stop()
        stopped = time.monotonic()
        figures = watch.catching_up()
    console.print(
        f"The source changed for {seconds} s: {workload.transactions:,} transactions, "
        f"{workload.changes:,} changes; nothing pending {time.monotonic() - stopped:.1f} s later",
        soft_wrap=True,
    )
    with show.step(console, "Comparing both sides, row by row"):
        # What only the target can resolve, `verify` compares.
        agreements = [compare(flow) for flow in FLOWS if not flow.resolves]
    shown = {name: figures[name] for name in (each.flow for each in agreements)}
    console.print(show.result(agreements, shown))
    _show_record()
    return _judge(agreements, workload.changes, carried(shown))


def _meter_at_rest() -> Meter:
    """A meter, once nothing is pending: where we were installed before, filling was captured."""
    before = Meter(FLOWS)
    try:
        wait_until(lambda: not pending(before.read()), STUCK_SECONDS, "the changes of the filling")
    except TimeoutError as error:
        raise DemoFailed(str(error)) from None
    return Meter(FLOWS)


def _show_record() -> None:
    """One record with masked columns beside its source."""
    for flow in FLOWS:
        fields = specimen(flow)
        if any(field.mask for field in fields):
            source, target = f"{flow.source.database} (source)", f"{flow.target.database} (target)"
            console.print(f"\nA record of {flow.name} beside its source (nobody real)")
            console.print(show.record(fields, source, target))
            return


def _judge(agreements: Sequence[Agreement], committed: int, carried_over: int) -> bool:
    """Say what does not agree; True if everything does."""
    console.print()
    for each in agreements:
        if each.differing:
            named = ", ".join(each.examples)
            more = ", …" if each.differing > len(each.examples) else ""
            console.print(f"{each.flow}: {each}: {named}{more}", markup=False, soft_wrap=True)
    if committed != carried_over:
        console.print(f"{committed:,} changes were committed, but {carried_over:,} carried.")
    agreed = committed == carried_over and not any(each.differing for each in agreements)
    if agreed:
        console.print(f"Both sides agree, and all {committed:,} changes were carried.")
    return agreed


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
