"""`synctasks dead-letters …`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import islice
from typing import Any, TypeVar

import click
from rich.table import Table
from rich.text import Text

from synctasks.capture.change_log import lane_count
from synctasks.cli.follow import NoWorker, follow
from synctasks.cli.output import confirm, console, json_option, notices, print_json
from synctasks.dead_letters import act, find
from synctasks.dead_letters.find import Filter, GroupBy
from synctasks.dead_letters.letter import Kind, State
from synctasks.dead_letters.show import masked_row
from synctasks.engine.books import Books
from synctasks.engine.trial import trial
from synctasks.errors import SetupError
from synctasks.flow import Flow
from synctasks.flows import by_name

Command = TypeVar("Command", bound=Callable[..., Any])

# Bulk replays are paced: so many at a time, each lot worked off before the next one.
_AT_ONCE = 500

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

_LIST_EXAMPLES = """\b
Examples:
  synctasks dead-letters list
  synctasks dead-letters list --group-by error
  synctasks dead-letters list --flow profile_data --field gender --older-than 7d
  synctasks dead-letters list --state discarded --json
"""

_ACT_EXAMPLES = """\b
Examples:
  synctasks dead-letters {name} 17 19{reason}
  synctasks dead-letters {name} --flow profile_data --error "no UUID"{reason}

What acts on many says how many first, and asks; without a terminal it wants --yes.
"""


@click.group(name="dead-letters")
def dead_letters() -> None:
    """Records that were rejected: list, show, check, replay or discard them.

    A letter is opened when a record is rejected, counted when it is rejected again, and resolved
    by itself when the same record passes. Its source row is stored encrypted, on its own side.
    """


class _Age(click.ParamType[timedelta]):
    """A duration such as 30m, 12h, 7d or 2w."""

    name = "age"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number, unit = str(value)[:-1], str(value)[-1:]
        # Five digits of anything are older than any letter.
        if not (number.isascii() and number.isdecimal() and unit in _UNITS and len(number) <= 5):
            self.fail(f"{str(value)[:20]!r} is no age: write it as 30m, 12h, 7d or 2w", param, ctx)
        return timedelta(**{_UNITS[unit]: int(number)})


def _filters(command: Command) -> Command:
    """The options that choose letters."""
    options = (
        click.option("--flow", help="Of this flow."),
        click.option("--kind", type=click.Choice([str(each) for each in Kind])),
        click.option(
            "--category",
            type=click.Choice(["completeness", "accuracy", "consistency"]),
            help="Of this category.",
        ),
        click.option("--error", metavar="TEXT", help="Whose error contains this."),
        click.option("--field", metavar="COLUMN", help="With a fault in this source column."),
        click.option("--older-than", type=_Age(), help="First seen so long ago: 30m, 12h, 7d, 2w."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@dead_letters.command(name="list", epilog=_LIST_EXAMPLES)
@_filters
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
    states: tuple[str, ...], group_by: str | None, limit: int, as_json: bool, **filters: Any
) -> None:
    """List dead letters, oldest first; the open ones unless --state says otherwise."""
    chosen = None if "all" in states else [State(state) for state in states]
    wanted = _wanted((), chosen, **filters)
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


@dead_letters.command(epilog="\b\nExample:\n  synctasks dead-letters show 17")
@click.argument("number", metavar="ID", type=int)
@json_option
def show(number: int, as_json: bool) -> None:
    """Show all of a dead letter: faults by field, attempts, and its source row, masked."""
    letter = _existing(number)
    token = letter.pop("source_row")
    row = dict(masked_row(by_name(letter["flow"]), token)) if token else None
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


@dead_letters.command(epilog=_ACT_EXAMPLES.format(name="check", reason=""))
@click.argument("numbers", metavar="[ID …]", type=int, nargs=-1)
@_filters
@json_option
def check(numbers: tuple[int, ...], as_json: bool, **filters: Any) -> None:
    """Would they pass now? Each unit is reconciled for real, and all of it is undone.

    Exits 1 if any of them would be rejected again.
    """
    letters = _letters(numbers, filters)
    verdicts = [verdict for flow, some in _by_flow(letters) for verdict in _trial(flow, some)]
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


_OUTCOMES = {
    "written": "passes",
    "unchanged": "passes",
    "superseded": "passes",
    "filtered": "is out of scope",
    "waiting": "waits for its reference",
}


def _trial(flow: Flow, letters: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    units = list(dict.fromkeys(letter["unit"] for letter in letters))
    books = trial(flow, lane_count(flow), units)
    return [
        {"id": letter["id"], "flow": flow.name, "record": letter["record"], **_now(letter, books)}
        for letter in letters
    ]


def _now(letter: dict[str, Any], books: Books) -> dict[str, str | None]:
    """What would become of a letter's record."""
    for rejected in books.letters:
        if rejected.record == letter["record"]:
            return {"now": "rejected", "error": rejected.error}
    boxes = (box for box, keys in books.keys.items() if box and letter["unit"] in keys)
    box = next(boxes, None)
    return {"now": _OUTCOMES.get(box or "", "is gone from the source"), "error": None}


@dead_letters.command(epilog=_ACT_EXAMPLES.format(name="replay", reason=""))
@click.argument("numbers", metavar="[ID …]", type=int, nargs=-1)
@_filters
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def replay(numbers: tuple[int, ...], yes: bool, as_json: bool, **filters: Any) -> None:
    """Reconcile their units once more, and say what became of them.

    Exits 1 if any did not pass, or no worker answers within 10 seconds.
    """
    letters = _letters(numbers, filters)
    if len(letters) > 1:
        confirm(f"Replay {len(letters):,} dead letters?", yes=yes)
    for flow, some in _by_flow(letters):
        _replay(flow, some)
    ids = [letter["id"] for letter in letters]
    outcomes = find.outcomes(ids)
    passed, rejected = outcomes.pop("passed", 0), outcomes.pop("rejected", 0)
    if as_json:
        neither = sum(outcomes.values())
        counts = {"passed": passed, "rejected": rejected, "neither": neither}
        print_json({"replayed": len(ids), **counts})
    else:
        others = (f", {count:,} {what}" for what, count in outcomes.items())
        console.print(
            f"{len(ids):,} replayed: {passed:,} passed, {rejected:,} rejected again"
            + "".join(others)
        )
    if passed < len(ids):
        sys.exit(1)


def _replay(flow: Flow, letters: Sequence[dict[str, Any]]) -> None:
    """Some at a time, each lot worked off before the next one."""
    # Imported here: the app reads the environment, and `--help` must not need one.
    import synctasks.app  # noqa: F401
    from synctasks import tasks

    for start in range(0, len(letters), _AT_ONCE):
        some = letters[start : start + _AT_ONCE]
        act.mark_replayed(flow.source.database, flow.name, [letter["id"] for letter in some])
        units = list(dict.fromkeys(letter["unit"] for letter in some))
        run = tasks.ask_for_keys(flow, units, origin="replay")
        try:
            for _ in follow(flow, run):
                pass
        except NoWorker as problem:
            click.echo(f"synctasks: {problem}", err=True)
            sys.exit(1)
        if len(letters) > _AT_ONCE:
            notices.print(f"{flow.name}: {start + len(some):,} of {len(letters):,}")


@dead_letters.command(epilog=_ACT_EXAMPLES.format(name="discard", reason=' --reason "…"'))
@click.argument("numbers", metavar="[ID …]", type=int, nargs=-1)
@_filters
@click.option("--reason", required=True, help="Why; it is kept with them.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def discard(
    numbers: tuple[int, ...], reason: str, yes: bool, as_json: bool, **filters: Any
) -> None:
    """Give them up. They stay quiet until their records are wrong in another way, or pass."""
    if not reason.strip():
        raise click.UsageError("--reason is blank: say why, it is all that a later reader has.")
    letters = _letters(numbers, filters)
    if len(letters) > 1:
        confirm(f"Discard {len(letters):,} dead letters?", yes=yes)
    done = 0
    for flow, some in _by_flow(letters):
        ids = [letter["id"] for letter in some]
        done += len(act.discard(flow.source.database, flow.name, ids, reason))
    if as_json:
        print_json({"discarded": done})
    else:
        console.print(f"{done:,} discarded")


def _letters(numbers: Sequence[int], filters: dict[str, Any]) -> list[dict[str, Any]]:
    """The letters meant: those numbered, unless resolved, or the open ones that filters choose."""
    if not numbers and not any(filters.values()):
        raise click.UsageError("Which? Name their ids, or a filter such as --flow or --error.")
    for number in numbers:
        _existing(number)
    states = [State.OPEN, State.REPLAYED, *([State.DISCARDED] if numbers else [])]
    return list(find.find(_wanted(numbers, states, **filters)))


def _wanted(numbers: Sequence[int], states: Sequence[State] | None, **filters: Any) -> Filter:
    if filters["flow"]:
        by_name(filters["flow"])
    return Filter(ids=list(numbers) or None, states=states, **filters)


def _existing(number: int) -> dict[str, Any]:
    letter = find.one(number)
    if letter is None:
        raise SetupError(
            f"dead letter {number}", "there is none of this number", "See: dead-letters list"
        )
    return letter


def _by_flow(letters: Sequence[dict[str, Any]]) -> list[tuple[Flow, list[dict[str, Any]]]]:
    sorted_out: dict[str, list[dict[str, Any]]] = {}
    for letter in letters:
        sorted_out.setdefault(letter["flow"], []).append(letter)
    return [(by_name(flow), some) for flow, some in sorted_out.items()]


def _minute(moment: str) -> str:
    return moment[:16].replace("T", " ")
