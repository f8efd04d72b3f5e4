"""What commands print: people get tables (colours on a terminal only), programs get JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from textwrap import indent
from typing import Any

import click
from rich.console import Console

from synctasks.monitoring.spans import span

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


def print_json_list(values: Iterable[Any]) -> None:
    """Print values as a JSON list on standard output, each as it comes, however many."""
    before = "["
    for value in values:
        text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
        click.echo(f"{before}\n{indent(text, '  ')}", nl=False)
        before = ","
    click.echo("[]" if before == "[" else "\n]")


def seconds(value: float | None) -> str:
    """A duration for people, or a dash."""
    return "-" if value is None else span(value)


def confirm(question: str, *, yes: bool) -> None:
    """Ask on a terminal; elsewhere `--yes` is needed. Aborts if the answer is no."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"{question} Give --yes to say so without a terminal.")
    click.confirm(question, abort=True)
