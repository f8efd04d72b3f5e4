"""`synctasks verify`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from synctasks import duties
from synctasks.audit import Act, Action, of_keys
from synctasks.capture.change_log import lane_count
from synctasks.cli.follow import NoWorker, follow
from synctasks.cli.output import console, json_option, notices, print_json
from synctasks.engine.verify import CLASSES, WRONG, Verified, size, verify
from synctasks.flow import Flow
from synctasks.flows import FLOWS, by_name

_EXAMPLES = """\b
Examples:
  synctasks verify                          all flows
  synctasks verify profile_data             one of them
  synctasks verify profile_data --repair    and carry over again what is wrong
  synctasks verify --json                   for programs

\b
What the columns mean:
  matched        both sides agree
  missing        the target has no row for it      } wrong: exit status 1,
  extra          only the target has it            } and what --repair mends
  different      the target's row differs          }
  deferred       held back by the event filter until the next full run
  waiting        its reference is not there yet
  superseded     the target holds something newer
  in flight      its change is pending: on its way, or held by the guard
  dead letters   rejected; see: synctasks dead-letters list

Flows that are captured are verified, and repaired, each night at 02:00 UTC by themselves.
Nothing is written without --repair, and a busy system is no difference: keys are looked at
under their lane's lock, with what is pending in the same snapshot.
"""

_TITLES = {"in_flight": "in flight", "dead_lettered": "dead letters"}


@click.command(name="verify", epilog=_EXAMPLES)
@click.argument("flow", metavar="[FLOW]", required=False)
@click.option("--repair", is_flag=True, help="Carry over again what is wrong.")
@json_option
def verify_command(flow: str | None, repair: bool, as_json: bool) -> None:
    """Compare both sides of FLOW, or of all flows, record by record.

    Exits 1 if anything is missing, extra or different; with --repair, if anything still is.
    """
    chosen = [by_name(flow)] if flow else list(FLOWS)
    found = {each.name: _verify_one(each, repair=repair) for each in chosen}
    if as_json:
        results = [{"flow": name, **counts} for name, counts in found.items()]
        print_json(results[0] if flow else results)
    else:
        console.print(verify_table(found))
    if any(counts[each] for counts in found.values() for each in WRONG):
        sys.exit(1)


def _verify_one(flow: Flow, *, repair: bool) -> dict[str, int]:
    """The counts of a flow, after the repair if one was wanted and needed."""
    if not repair:
        return _watch(flow, lambda keys: None)
    repairs = _Repairs(flow)
    found = _watch(flow, repairs.add)
    repairs.work_off()
    if not repairs.count:
        return found
    notices.print(f"{flow.name}: {repairs.count:,} repaired, looking again", markup=False)
    return _watch(flow, lambda keys: None)


def _watch(flow: Flow, found: Callable[[Sequence[str]], None]) -> dict[str, int]:
    """Verify with a bar on a terminal; `found` is told the keys of what is wrong."""
    lanes = lane_count(flow)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=notices, disable=not notices.is_terminal) as progress:
        bar = progress.add_task(f"verify {flow.name}", total=size(flow) or None)
        so_far = Verified()
        for so_far in verify(flow, lanes, found=found):
            progress.update(bar, completed=so_far.looked_at)
        progress.update(bar, completed=so_far.looked_at, total=so_far.looked_at)
    return so_far.counts


class _Repairs:
    """Keys that go into the change log, as any change: some at a time, each lot worked off."""

    def __init__(self, flow: Flow) -> None:
        # Imported here: the app reads the environment, and `--help` must not need one.
        import synctasks.app  # noqa: F401

        self._flow = flow
        self._keys: list[str] = []
        self.count = 0

    def add(self, keys: Sequence[str]) -> None:
        """Repair these, too, before long."""
        self._keys += keys
        if len(self._keys) >= duties.REPAIRED_AT_ONCE:
            self.work_off()

    def work_off(self) -> None:
        """Wait until what was added is repaired. Exits 1 if a guard holds some back."""
        keys, self._keys = self._keys, []
        if not keys:
            return
        self.count += len(keys)
        run = duties.repair(self._flow, keys, act=Act(Action.REPAIR, of_keys(keys)))
        try:
            *_, ended = follow(self._flow, run)
        except NoWorker as problem:
            click.echo(f"synctasks: {problem}", err=True)
            sys.exit(1)
        if ended["state"] == "guarded":
            click.echo(f"synctasks: {duties.held(self._flow)}", err=True)
            sys.exit(1)


def verify_table(found: Mapping[str, Mapping[str, int]]) -> Table:
    """The counts of flows: of the classes those that there are, and always what is wrong."""
    table = Table(box=None, pad_edge=False)
    table.add_column("flow", no_wrap=True)
    always = ("matched", *WRONG)
    shown = [
        each for each in CLASSES if each in always or any(counts[each] for counts in found.values())
    ]
    for each in shown:
        table.add_column(_TITLES.get(each, each), justify="right", no_wrap=True)
    for flow, counts in found.items():
        table.add_row(flow, *(_cell(each, counts[each]) for each in shown))
    return table


def _cell(name: str, count: int) -> str:
    return f"[red]{count:,}[/]" if name in WRONG and count else f"{count:,}"
