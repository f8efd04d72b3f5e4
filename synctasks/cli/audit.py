"""`synctasks audit`."""

from __future__ import annotations

from datetime import datetime
from itertools import islice

import click
from rich.table import Table
from rich.text import Text

from synctasks.audit import Action, find
from synctasks.cli.moment import Moment
from synctasks.cli.output import console, json_option, print_json_list
from synctasks.flows import by_name

_EXAMPLES = """\b
Examples:
  synctasks audit
  synctasks audit --flow profile_data --action accept-shrink
  synctasks audit --since 2026-11-01 --json

\b
What is noted:
  sync           a full run, or keys, asked for by hand or by a message (celery call)
  replay         of dead letters, of a period of time, of a run's failed chunks
  accept-shrink  the source is right: what the guards held was let go
  repair         what verify found was carried over again
  review         looked for rows that are stale
  reveal         looked at the source row of a dead letter (masked)
  discard        dead letters were given up
  pause, resume  a flow was stopped, and went on
  install, uninstall
"""


@click.command(epilog=_EXAMPLES)
@click.option("--flow", help="Only of this flow.")
@click.option("--action", type=click.Choice([str(each) for each in Action]), help="Only this.")
@click.option("--since", type=Moment(), help="Only of this time or later (UTC).")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="Show so many in the table; --json has all.",
)
@json_option
def audit(
    flow: str | None, action: str | None, since: datetime | None, limit: int, as_json: bool
) -> None:
    """Show who did what, when and why, the latest first."""
    if flow:
        by_name(flow)
    found = find(flow, action, since)
    if as_json:
        print_json_list(found)
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("at (UTC)", "who", "action", "flow"):
        table.add_column(heading, no_wrap=True)
    for heading in ("what", "why"):
        table.add_column(heading, overflow="fold")
    for each in islice(found, limit):
        moment = each["at"][:19].replace("T", " ")
        cells = (each[name] or "-" for name in ("actor", "action", "flow", "subject", "reason"))
        table.add_row(moment, *map(Text, cells))
    console.print(table if table.row_count else "Nothing is noted.")
    if next(found, None):
        console.print("There is more: choose with --flow, --action, --since, or a larger --limit.")
