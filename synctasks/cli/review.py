"""`synctasks review …`."""

from __future__ import annotations

from itertools import islice

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from synctasks import duties, rounds
from synctasks.audit import Act, Action
from synctasks.cli.output import console, json_option, notices, print_json
from synctasks.database import transaction
from synctasks.engine.review import count, flagged
from synctasks.engine.verify import size
from synctasks.errors import SetupError
from synctasks.flow import Duty, Flow
from synctasks.flows import FLOWS, by_name

_LIST_EXAMPLES = """\b
Examples:
  synctasks review list
  synctasks review list --flow profile_data --limit 20
  synctasks review list --json                 all of them, for programs

\b
What to do about a row: look at it in the warehouse, and update it, or remove it if nobody needs
it any more. The next look then takes its flag away: daily at 03:00 UTC, or at once by
  synctasks review check
"""

_CHECK_EXAMPLES = """\b
Examples:
  synctasks review check                       all flows whose rows may be stale
  synctasks review check profile_data          one of them
"""

_REVIEWED = tuple(flow for flow in FLOWS if flow.stale)


@click.group()
def review() -> None:
    """Source rows that nobody has updated for 180 days: list them, or look for them now.

    A row is flagged by a look at all of them, daily at 03:00 UTC, and its flag is taken away by
    the look after it was updated, deleted or left the flow's scope. A flagged row is synced like
    any other; a row that does not say when it was updated is never flagged.
    """


@review.command(name="list", epilog=_LIST_EXAMPLES)
@click.option("--flow", help="Only of this flow.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="Show so many in the table; --json has all.",
)
@json_option
def list_command(flow: str | None, limit: int, as_json: bool) -> None:
    """List what is flagged, the longest not updated first."""
    chosen = _reviewed(flow) if flow else None
    if as_json:
        print_json(list(flagged(chosen)))
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("flow", no_wrap=True)
    table.add_column("key", overflow="fold")
    table.add_column("last updated (UTC)", no_wrap=True)
    table.add_column("days", justify="right", no_wrap=True)
    for each in islice(flagged(chosen), limit):
        moment = each["last_updated"][:16].replace("T", " ")
        table.add_row(each["flow"], Text(each["key"]), moment, f"{each['days']:,}")
    console.print(table if table.row_count else "Nothing is flagged for review.")
    more = count(chosen) - table.row_count
    if more > 0:
        console.print(f"{more:,} more: choose with --flow, or give a larger --limit.")


@review.command(epilog=_CHECK_EXAMPLES)
@click.argument("flow", metavar="[FLOW]", required=False)
def check(flow: str | None) -> None:
    """Look now which rows are stale: of FLOW, or of all flows.

    It needs no worker. Interrupted, it is carried on by the workers.
    """
    for each in [_reviewed(flow)] if flow else _REVIEWED:
        _watch(each)


def _watch(flow: Flow) -> None:
    """Look at all rows of a flow, with a bar on a terminal, and say what came of it."""
    duties.request(flow, Duty.REVIEW, "by hand", act=Act(Action.REVIEW, "what is stale"))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=notices, disable=not notices.is_terminal) as progress:
        bar = progress.add_task(f"review {flow.name}", total=size(flow) or None)
        while (step := duties.step(flow, Duty.REVIEW)).more:
            progress.update(bar, completed=step.done)
    with transaction(flow.source.database) as source:
        ended = rounds.latest(source, flow, Duty.REVIEW)
    assert ended is not None, "a round was begun"
    console.print(f"{flow.name}: {ended.found.get('stale', 0):,} flagged for review.")


def _reviewed(name: str) -> Flow:
    """The flow of that name. Raises SetupError if its rows are not looked at for review."""
    flow = by_name(name)
    if flow.stale is None:
        raise SetupError(
            thing=f"flow {name}",
            cause="its source rows are not looked at for review",
            remedy=f"Choose one of: {', '.join(each.name for each in _REVIEWED)}",
        )
    return flow
