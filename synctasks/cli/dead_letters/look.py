"""`dead-letters list` and `dead-letters show`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from synctasks.cli.dead_letters.choose import existing, filters
from synctasks.cli.dead_letters.choose import wanted as wanted_by
from synctasks.cli.output import console, json_option, print_json
from synctasks.dead_letters import find
from synctasks.dead_letters.find import Filter, GroupBy
from synctasks.dead_letters.letter import State
from synctasks.dead_letters.show import masked_row
from synctasks.flows import any_by_name

_LIST_EXAMPLES = """\b
Examples:
  synctasks dead-letters list
  synctasks dead-letters list --group-by error
  synctasks dead-letters list --flow profile_data --field gender --older-than 7d
  synctasks dead-letters list --state discarded --json
"""


@click.command(name="list", epilog=_LIST_EXAMPLES)
@filters
@click.option(
    "--state",
    "states",
    type=click.Choice([*map(str, State), "all"]),
    multiple=True,
    default=("open",),
    show_default=True,
    help="In this state; may be repeated.",
)
@click.option("--group-by", type=click.Choice([str(each) for each in GroupBy]), help="Count them.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="Show so many in the table; --json has all.",
)
@json_option
def list_command(
    states: tuple[str, ...], group_by: str | None, limit: int, as_json: bool, **options: Any
) -> None:
    """List dead letters, oldest first; the open ones unless --state says otherwise."""
    chosen = None if "all" in states else [State(state) for state in states]
    wanted = wanted_by((), chosen, **options)
    if group_by:
        _print_groups(find.groups(wanted, GroupBy(group_by)), group_by, as_json)
    elif as_json:
        print_json(list(find.find(wanted)))
    else:
        _print_list(wanted, limit)


def _print_groups(groups: Sequence[dict[str, Any]], by: str, as_json: bool) -> None:
    if as_json:
        print_json(groups)
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("letters", "rejections"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("first seen", no_wrap=True)
    table.add_column(by, overflow="fold")
    for group in groups:
        counts = (f"{group['letters']:,}", f"{group['rejections']:,}")
        table.add_row(*counts, _minute(group["first_seen"]), Text(group[by] or "-"))
    console.print(table if groups else "No dead letters.")


def _print_list(wanted: Filter, limit: int) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("id", justify="right", no_wrap=True)
    table.add_column("flow", no_wrap=True)
    table.add_column("record", overflow="fold", max_width=36)
    table.add_column("category", no_wrap=True)
    table.add_column("error", overflow="fold", ratio=1)
    table.add_column("state", no_wrap=True)
    table.add_column("count", justify="right", no_wrap=True)
    table.add_column("last seen", no_wrap=True)
    for letter in islice(find.find(wanted), limit):
        table.add_row(
            str(letter["id"]),
            letter["flow"],
            Text(letter["record"] if letter["record"].strip() else repr(letter["record"])),
            letter["category"] or "-",
            Text(letter["error"]),
            letter["state"],
            f"{letter['count']:,}",
            _minute(letter["last_seen"]),
        )
    console.print(table if table.row_count else "No dead letters.")
    more = sum(find.count(wanted).values()) - table.row_count
    if more > 0:
        console.print(f"{more:,} more: count them with --group-by error, or give a larger --limit.")


@click.command(epilog="\b\nExample:\n  synctasks dead-letters show 17")
@click.argument("number", metavar="ID", type=int)
@json_option
def show(number: int, as_json: bool) -> None:
    """Show all of a dead letter: faults by field, attempts, and its source row, masked.

    The audit keeps who has looked at the row.
    """
    letter = existing(number)
    token = letter.pop("source_row")
    row = dict(masked_row(any_by_name(letter["flow"]), number, token)) if token else None
    if as_json:
        print_json({**letter, "source_row": row})
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for name in ("flow", "kind", "category", "unit", "record", "state", "count"):
        table.add_row(name, Text(str(letter[name])))
    for name in ("first_seen", "last_seen", "acted_by", "reason"):
        if letter[name]:
            table.add_row(name.replace("_", " "), Text(str(letter[name])))
    for column, messages in (letter["messages"] or {"": [letter["error"]]}).items():
        table.add_row("fault", Text(f"{column} {'; '.join(messages)}".strip()))
    for attempt in letter["attempts"]:
        table.add_row("attempt", Text(_attempt(attempt)))
    for column, value in (row or {}).items():
        table.add_row("source row", Text(f"{column} = {'null' if value is None else repr(value)}"))
    console.print(table)
    if letter["stack_trace"]:
        console.print(Text(letter["stack_trace"]))


def _attempt(attempt: dict[str, Any]) -> str:
    details = (attempt.get(name) for name in ("by", "reason", "error"))
    return "  ".join(filter(None, (_minute(attempt["at"]), attempt["what"], *details)))


def _minute(moment: str) -> str:
    return moment[:16].replace("T", " ")
