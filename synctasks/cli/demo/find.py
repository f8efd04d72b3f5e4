"""What the demo finds: its dead letters, both sides compared, what `verify` says."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from synctasks import slots
from synctasks.capture.change_log import lane_count
from synctasks.cli.demo.run import watch_run
from synctasks.cli.output import console
from synctasks.cli.verify import verify_table
from synctasks.demo import books, dirt, show
from synctasks.demo.agreement import Agreement
from synctasks.demo.comparison import compare_all
from synctasks.demo.failure import DemoFailed
from synctasks.demo.figures import Meter, climbing, pending
from synctasks.demo.processes import Running
from synctasks.demo.specimen import specimen
from synctasks.demo.watch import STUCK_SECONDS, Watch
from synctasks.demo.workload import Workload
from synctasks.embedded.waiting import wait_until
from synctasks.engine import refresh
from synctasks.engine.verify import verify
from synctasks.flow import Duty
from synctasks.flows import FLOWS
from synctasks.flows.to_warehouse.feedback_analytics import FEEDBACK_ANALYTICS
from synctasks.flows.to_warehouse.user_behavior import USER_BEHAVIOR
from synctasks.sample.generate import Counts, Plan

_MOST_ERRORS = 6


def show_letters(counts: Counts) -> bool:
    """What was rejected, and why. True if it is what is dirty. Raises DemoFailed."""
    _await_rest()
    found = dirt.dirt(FLOWS, counts)
    console.print(
        f"Dead letters: {sum(each.letters for each in found):,}, where the flows read "
        f"{sum(each.dirty for each in found):,} dirty records; the most frequent errors",
        soft_wrap=True,
    )
    console.print(show.errors(dirt.by_error()[:_MOST_ERRORS]))
    wrong = [each for each in found if not each.plausible]
    for each in wrong:
        console.print(f"{each.flow.name}: {each.letters:,} dead letters of {each.dirty:,} dirty")
    return not wrong


def change_and_compare(plan: Plan, seconds: int, processes: Running) -> bool:
    """The sources change, the sync catches up, the sides are compared, the result is shown."""
    meter = Meter(FLOWS)
    with Workload(plan) as workload, show.Scoreboard(console, workload) as board:
        watch = Watch(meter, workload, board, processes)
        watch.changing(seconds)
        workload.stop()
        stopped = time.monotonic()
        watch.catching_up()
    console.print(
        f"Both sources changed for {seconds} s: {workload.transactions:,} transactions, "
        f"{sum(workload.changes.values()):,} changes; nothing pending "
        f"{time.monotonic() - stopped:.1f} s later",
        soft_wrap=True,
    )
    end = _end_the_day(processes)
    with show.step(console, "Comparing both sides, row by row"):
        agreements = compare_all(workload.transitions, end)
    figures = meter.read()
    console.print(show.result(agreements, figures))
    _show_record()
    return _judge(agreements, books.unbalanced(workload.changes, figures), workload)


def _end_the_day(processes: Running) -> date:
    """What waits for the night, brought forward; the day that is not over."""
    slot = slots.take(FEEDBACK_ANALYTICS, Duty.SYNC, datetime.now(UTC) + timedelta(days=1))
    if slot is not None:
        watch_run("The night's slot", FEEDBACK_ANALYTICS, slot.run, processes)
    today = datetime.now(UTC).date()
    run = refresh.request(USER_BEHAVIOR, "demo")
    watch_run("What came late: full refresh", USER_BEHAVIOR, run, processes)
    return today


def _await_rest() -> None:
    """Until nothing is pending or climbs: where we were installed before, filling was captured."""
    meter = Meter(FLOWS)

    def is_at_rest() -> bool:
        return not (pending(meter.read()) or climbing(FLOWS))

    try:
        wait_until(is_at_rest, STUCK_SECONDS, "the changes of the filling")
    except TimeoutError as error:
        raise DemoFailed(str(error)) from None


def _show_record() -> None:
    """One record with masked columns beside its source."""
    for flow in FLOWS:
        fields = specimen(flow)
        if any(field.mask for field in fields):
            source, target = f"{flow.source.database} (source)", f"{flow.target.database} (target)"
            console.print(f"\nA record of {flow.name} beside its source (nobody real)")
            console.print(show.record(fields, source, target))
            return


def _judge(agreements: Sequence[Agreement], unbalanced: Sequence[str], workload: Workload) -> bool:
    """Say what does not agree; True if everything does."""
    console.print()
    for each in agreements:
        if each.differing:
            named = ", ".join(each.examples)
            more = ", …" if each.differing > len(each.examples) else ""
            console.print(f"{each.flow}: {each}: {named}{more}", markup=False, soft_wrap=True)
    for said in unbalanced:
        console.print(said, markup=False, soft_wrap=True)
    agreed = not unbalanced and not any(each.differing for each in agreements)
    if agreed:
        changes = sum(workload.changes.values())
        console.print(f"Both sides agree, and all {changes:,} changes were carried.")
    return agreed


def show_verify() -> bool:
    """What the sync itself says of both sides. True if nothing is wrong."""
    with show.step(console, "Verify: what the sync itself says"):
        found = {}
        for flow in FLOWS:
            for verified in verify(flow, lane_count(flow)):
                found[flow.name] = verified
    console.print(verify_table({name: each.counts for name, each in found.items()}))
    return not any(each.wrong for each in found.values())
