"""What commands print: people get tables (colours on a terminal only), programs get JSON."""

from __future__ import annotations

import json
import sys
from typing import Any

import click
from rich.console import Console

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))

# Where no terminal is, nobody reads in columns of 80: nothing is folded there.
_FILE_WIDTH = 200

console = Console(highlight=False)
if not console.is_terminal:
    console.width = _FILE_WIDTH
notices = Console(highlight=False, stderr=True)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


def print_json(value: Any) -> None:
    """Print a value as JSON on standard output."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def seconds(value: float | None) -> str:
    """A duration for people: `8 ms`, `1.3 s`, `5 min`, `3 h`, `12 d`, or a dash."""
    if value is None:
        return "-"
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value < 120:
        return f"{value:.1f} s"
    unit, name = next(each for each in _UNITS if value >= 2 * each[0])
    return f"{value / unit:.0f} {name}"


def confirm(question: str, *, yes: bool) -> None:
    """Ask on a terminal; elsewhere `--yes` is needed. Aborts if the answer is no."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"{question} Give --yes to say so without a terminal.")
    click.confirm(question, abort=True)
