"""`synctasks check`."""

from __future__ import annotations

import contextlib
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from synctasks.checks import CHECKS, NEEDED_BY_LEAKS, Check, Finding, State, leaks, run
from synctasks.cli.output import console, json_option, notices, print_json
from synctasks.errors import SetupError
from synctasks.flow import Flow

_EXAMPLES = """\b
Examples:
  synctasks check                 what is wrong, and what to do about it
  synctasks check --all           what is well, too
  synctasks check --json          a list of all findings, for programs
  synctasks check --leaks         look for values that broke the masks

\b
A finding is one of:
  ok             looked at, and well
  warning        it works, but somebody should look at it; does not count for the exit status
  problem        found something wrong; the line below it says what to do
  could-not-run  not looked at: something does not answer, or we have no right to look

\b
--leaks reads the rows that flows have written in the portal's tables, and of those only the
columns that they write: Aadhaar numbers with a valid check digit, mobile numbers, whole e-mail
addresses, and whatever stands unmasked in a column that is masked (income bands, too). It tells
columns, counts and a few keys, never a value. The warehouse is not searched: it holds real
numbers by design.

\b
Exit status: 0 nothing wrong, 1 found a problem, 2 found none, but something could not run.
"""

_STYLES = {
    State.OK: "green",
    State.WARNING: "yellow",
    State.PROBLEM: "red",
    State.COULD_NOT_RUN: "magenta",
}
_FEW = 4

Found = Sequence[tuple[Check, Finding]]


@click.command(epilog=_EXAMPLES)
@click.option("--all", "show_all", is_flag=True, help="Show what is well, too.")
@click.option("--leaks", "for_leaks", is_flag=True, help="Look for values that broke the masks.")
@json_option
def check(show_all: bool, for_leaks: bool, as_json: bool) -> None:
    """Look for whatever keeps the flows from working, and say what to do about it.

    Connections, versions, rights, tables and columns, triggers, what they cannot see, processes,
    clocks, keys and passwords, the broker. It changes nothing.
    """
    found = list(_searched() if for_leaks else _examined())
    if as_json:
        print_json([_entry(*each) for each in found])
    else:
        _show(found, show_all=show_all)
    sys.exit(exit_status(finding.state for _, finding in found))


def exit_status(states: Iterator[State]) -> int:
    """0 nothing wrong, 1 found a problem, 2 found none, but something could not run."""
    seen = set(states)
    return 1 if State.PROBLEM in seen else 2 if State.COULD_NOT_RUN in seen else 0


def _examined() -> Iterator[tuple[Check, Finding]]:
    """All checks, with a bar on a terminal."""
    with contextlib.suppress(SetupError):
        # Workers are asked through the current Celery app: this makes ours the current one. What is
        # wrong with the environment is the first finding.
        import synctasks.app  # noqa: F401
    with _bar() as progress:
        bar = progress.add_task("check", total=len(CHECKS))
        for each, finding in run(CHECKS):
            place = CHECKS.index(each) + 1
            progress.update(bar, description=f"{each.name}, {each.place}", completed=place)
            yield each, finding


def _searched() -> Iterator[tuple[Check, Finding]]:
    """The search for leaks, with a bar for the table at hand on a terminal."""
    with _bar() as progress:

        def look(flow: Flow) -> Iterator[Finding]:
            bar = progress.add_task(flow.target.table, total=None)

            def tell(done: int, total: int) -> None:
                progress.update(bar, completed=done, total=total)

            yield from leaks.look(flow, tell)
            progress.remove_task(bar)

        searches = (
            Check("leaks", f"flow {flow.name}", partial(look, flow), (NEEDED_BY_LEAKS[-1],))
            for flow in leaks.TO_CITIZEN
        )
        yield from run((*NEEDED_BY_LEAKS, *searches))


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, console=notices, disable=not notices.is_terminal, transient=True)


def _entry(check: Check, finding: Finding) -> dict[str, str]:
    return {
        "check": check.name,
        "thing": finding.thing,
        "state": str(finding.state),
        "cause": finding.cause,
        "remedy": finding.remedy,
    }


def _show(found: Found, *, show_all: bool) -> None:
    """What is not well (or everything) by check, what could not run by its cause, and the sums."""
    shown = [
        each
        for each in found
        if each[1].state is not State.COULD_NOT_RUN and (show_all or each[1].state is not State.OK)
    ]
    for name, group in groupby(shown, key=lambda each: each[0].name):
        console.print(Text(name, style="bold"))
        for _, finding in group:
            _show_one(finding)
    for finding in _not_run(found):
        _show_one(finding)
    counts = Counter(finding.state for _, finding in found)
    console.print(
        f"{counts[State.OK]:,} ok, {_counted(counts[State.WARNING], 'warning')}, "
        f"{_counted(counts[State.PROBLEM], 'problem')}, "
        f"{counts[State.COULD_NOT_RUN]:,} could not run."
    )


def _show_one(finding: Finding) -> None:
    state = (str(finding.state), _STYLES[finding.state])
    cause = f": {finding.cause}" if finding.cause else ""
    console.print(Text.assemble("  ", state, f"  {finding.thing}{cause}"), soft_wrap=True)
    if finding.remedy:
        console.print(Text(f"      {finding.remedy}", style="dim"), soft_wrap=True)


def _not_run(found: Found) -> Iterator[Finding]:
    """What could not run, all that has one cause as one."""
    causes = {finding.cause for _, finding in found}
    grouped: dict[tuple[str, str], list[str]] = {}
    for check, finding in found:
        if finding.state is State.COULD_NOT_RUN:
            # A cause that others name stands with them.
            itself = f"{finding.thing}: {finding.cause}"
            cause = itself if itself in causes else finding.cause
            names = grouped.setdefault((cause, finding.remedy), [])
            names.append(f"{check.name} ({check.place})")
    for (cause, remedy), names in grouped.items():
        each = list(dict.fromkeys(names))
        more = f" and {len(each) - _FEW} more" if each[_FEW:] else ""
        yield Finding(", ".join(each[:_FEW]) + more, State.COULD_NOT_RUN, cause, remedy)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
