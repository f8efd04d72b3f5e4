"""`synctasks runs`."""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from synctasks.cli.output import console, json_option, print_json_list, seconds
from synctasks.counts import COUNTS
from synctasks.flows import FLOWS, by_name
from synctasks.monitoring.runs import runs as find

_STATES = ("requested", "running", "succeeded", "guarded", "stopped", "failed")

_EXAMPLES = """\b
Examples:
  synctasks runs                                 the latest of all flows
  synctasks runs profile_data --state failed
  synctasks runs --json                          all of them, for programs

\b
What failed chunks hold is carried over again by
  synctasks sync FLOW --failed-chunks RUN
A run's number is its flow's: another database may have one of the same number.
"""


@click.command(epilog=_EXAMPLES)
@click.argument("flow", metavar="[FLOW]", required=False)
@click.option(
    "--state",
    "states",
    type=click.Choice(_STATES),
    multiple=True,
    help="Only in this state; may be repeated.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="Show so many in the table; --json has all.",
)
@json_option
def runs(flow: str | None, states: tuple[str, ...], limit: int, as_json: bool) -> None:
    """Show the runs of FLOW, or of all flows, the latest first: full runs, keys, slots, rounds.

    They are kept for 90 days.
    """
    found = find([by_name(flow)] if flow else FLOWS, states)
    if as_json:
        print_json_list(found)
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("run", justify="right", no_wrap=True)
    for heading in ("flow", "kind", "state", "asked for (UTC)"):
        table.add_column(heading, no_wrap=True)
    table.add_column("took", justify="right", no_wrap=True)
    table.add_column("failed chunks", justify="right")
    for heading in ("why", "books"):
        table.add_column(heading, overflow="fold")
    for run in islice(found, limit):
        table.add_row(
            str(run["id"]),
            run["flow"],
            run["kind"],
            run["state"],
            run["requested_at"][:16].replace("T", " "),
            seconds(_took(run)),
            f"{run['failed_chunks']:,}",
            Text(run["reason"]),
            Text(_books(run)),
        )
    console.print(table if table.row_count else "No runs.")
    if next(found, None):
        console.print("There are more: name a FLOW, or give --state or a larger --limit.")


def _took(run: dict[str, Any]) -> float | None:
    if not (run["started_at"] and run["finished_at"]):
        return None
    began, ended = (datetime.fromisoformat(run[name]) for name in ("started_at", "finished_at"))
    return (ended - began).total_seconds()


def _books(run: dict[str, Any]) -> str:
    books = ", ".join(f"{run[count]:,} {count}" for count in COUNTS if run[count])
    return "; ".join(filter(None, (books, run["error"]))) or "-"
