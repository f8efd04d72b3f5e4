"""`dead-letters check`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from synctasks.capture.change_log import lane_count
from synctasks.cli.dead_letters.choose import ACT_EXAMPLES, by_flow, filters
from synctasks.cli.dead_letters.choose import letters as letters_of
from synctasks.cli.output import console, json_option, print_json
from synctasks.dead_letters.letter import Kind
from synctasks.engine.books import Books
from synctasks.engine.trial import trial
from synctasks.flow import Flow
from synctasks.flows import any_by_name

_OUTCOMES = {
    "written": "passes",
    "unchanged": "passes",
    "superseded": "passes",
    "outranked": "passes",
    "filtered": "is out of scope",
    "waiting": "waits for its reference",
}


@click.command(epilog=ACT_EXAMPLES.format(name="check", reason=""))
@click.argument("numbers", metavar="[ID …]", type=int, nargs=-1)
@filters
@json_option
def check(numbers: tuple[int, ...], as_json: bool, **options: Any) -> None:
    """Would they pass now? Each unit is reconciled for real, and all of it is undone.

    Exits 1 if any of them would be rejected again.
    """
    # Of a failed task only trying again can say.
    letters = [each for each in letters_of(numbers, options) if each["kind"] != Kind.TASK]
    verdicts = [
        verdict for name, some in by_flow(letters) for verdict in _trial(any_by_name(name), some)
    ]
    if as_json:
        print_json(verdicts)
    else:
        table = Table(box=None, pad_edge=False)
        table.add_column("id", justify="right", no_wrap=True)
        table.add_column("record", overflow="fold")
        table.add_column("now", overflow="fold")
        for verdict in verdicts:
            said = verdict["now"] + (f": {verdict['error']}" if verdict["error"] else "")
            table.add_row(str(verdict["id"]), Text(verdict["record"]), Text(said))
        console.print(table if verdicts else "No dead letters.")
    if any(verdict["now"] == "rejected" for verdict in verdicts):
        sys.exit(1)


def _trial(flow: Flow, letters: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    units = list(dict.fromkeys(letter["unit"] for letter in letters))
    books = trial(flow, lane_count(flow), units)
    now = partial(_now, books=books, by_record=flow.source.query is not None)
    return [
        {"id": letter["id"], "flow": flow.name, "record": letter["record"], **now(letter)}
        for letter in letters
    ]


def _now(letter: dict[str, Any], books: Books, *, by_record: bool) -> dict[str, str | None]:
    """What would become of a letter's record."""
    for rejected in books.letters:
        if rejected.record == letter["record"]:
            return {"now": "rejected", "error": rejected.error}
    # A record that had no key is named by its row: only its unit tells what became of it. And a
    # letter may be of a whole unit of many.
    by_record = by_record and letter["record"] != letter["unit"]
    named = books.records if by_record else books.keys
    name = letter["record" if by_record else "unit"]
    box = next((box for box, names in named.items() if box and name in names), None)
    return {"now": _OUTCOMES.get(box or "", "is gone from the source"), "error": None}
