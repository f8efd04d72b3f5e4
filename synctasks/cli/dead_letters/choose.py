"""Which dead letters a command is about: by number, or by filters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import click

from synctasks.dead_letters import find
from synctasks.dead_letters.find import Filter
from synctasks.dead_letters.letter import Kind, State
from synctasks.errors import SetupError
from synctasks.flow import UNKNOWN
from synctasks.flows import ALL_FLOWS, by_name

Command = TypeVar("Command", bound=Callable[..., Any])

# A heartbeat may fail like any flow, and a message may be of none.
_NAMES = {*(flow.name for flow in ALL_FLOWS), UNKNOWN}

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

ACT_EXAMPLES = """\b
Examples:
  synctasks dead-letters {name} 17 19{reason}
  synctasks dead-letters {name} --flow profile_data --error "no UUID"{reason}

What acts on many says how many first, and asks; without a terminal it wants --yes.
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


def filters(command: Command) -> Command:
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


def letters(numbers: Sequence[int], chosen: dict[str, Any]) -> list[dict[str, Any]]:
    """The letters meant: those numbered, unless resolved, or the open ones that filters choose."""
    if not numbers and not any(chosen.values()):
        raise click.UsageError("Which? Name their ids, or a filter such as --flow or --error.")
    for number in numbers:
        existing(number)
    states = [State.OPEN, State.REPLAYED, *([State.DISCARDED] if numbers else [])]
    return list(find.find(wanted(numbers, states, **chosen)))


def wanted(numbers: Sequence[int], states: Sequence[State] | None, **filters: Any) -> Filter:
    """The filter of a command's options."""
    if filters["flow"] and filters["flow"] not in _NAMES:
        by_name(filters["flow"])
    return Filter(ids=list(numbers) or None, states=states, **filters)


def existing(number: int) -> dict[str, Any]:
    """The letter of a number. Raises SetupError if there is none."""
    letter = find.one(number)
    if letter is None:
        raise SetupError(
            f"dead letter {number}", "there is none of this number", "See: dead-letters list"
        )
    return letter


def by_flow(letters: Sequence[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """The letters, flow by flow."""
    sorted_out: dict[str, list[dict[str, Any]]] = {}
    for letter in letters:
        sorted_out.setdefault(letter["flow"], []).append(letter)
    return list(sorted_out.items())
