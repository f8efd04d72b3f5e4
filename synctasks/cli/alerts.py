"""`synctasks alerts …`."""

from __future__ import annotations

import sys
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from synctasks import settings
from synctasks.cli.output import console, json_option, print_json
from synctasks.errors import SetupError, TransientError
from synctasks.flow import Database
from synctasks.monitoring.alerts.deliver import tell
from synctasks.monitoring.alerts.store import kept

_LIST_EXAMPLES = """\b
Examples:
  synctasks alerts list                 what fires now, and since when
  synctasks alerts list --all           what is over, too
  synctasks alerts list --json

\b
Alerts are looked for every few seconds by `synctasks listen` and `synctasks serve`. When one
fires stands in config/alerts.toml, and what to do about it in docs/runbook.md.
"""

_TEST_EXAMPLES = """\b
Example:
  SYNCTASKS_ALERT_URLS="mailto://user:password@mail.example" synctasks alerts test
"""


@click.group()
def alerts() -> None:
    """What somebody has to look at: list it, or try whether alerts arrive."""


@alerts.command(name="list", epilog=_LIST_EXAMPLES)
@click.option("--all", "ended", is_flag=True, help="Also those that are over, of 90 days.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=100, show_default=True, help="So many at most."
)
@json_option
def list_command(ended: bool, limit: int, as_json: bool) -> None:
    """List what fires, the newest first. Exits 1 if anything does, or a database is away."""
    found, away = _kept(ended=ended, limit=limit)
    firing = any(each["state"] == "firing" for each in found)
    if as_json:
        print_json(found)
    elif found or not away:
        _print(found)
    if firing or away:
        sys.exit(1)


def _kept(*, ended: bool, limit: int) -> tuple[list[dict[str, Any]], list[str]]:
    """What fires first, the newest of each first; and why a database could not be asked.

    Raises TransientError if none answers.
    """
    found: list[dict[str, Any]] = []
    away = []
    for database in Database:
        try:
            found += kept(database, ended=ended, limit=limit)
        except TransientError as error:
            away.append(str(error))
            click.echo(f"synctasks: {error}", err=True)
    if len(away) == len(Database):
        raise TransientError("no database answers, so nobody can say what fires")
    found.sort(key=lambda each: each["since"], reverse=True)
    found.sort(key=lambda each: each["state"] != "firing")
    return found[:limit], away


def _print(found: list[dict[str, Any]]) -> None:
    if not found:
        console.print("Nothing fires.")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("state", "since (UTC)", "until (UTC)", "told", "alert", "about"):
        table.add_column(heading, no_wrap=True)
    table.add_column("reason", overflow="fold")
    for each in found:
        table.add_row(
            Text(each["state"], style="red" if each["state"] == "firing" else ""),
            _moment(each["since"]),
            _moment(each["resolved_at"]),
            "yes" if each["told_at"] else "no",
            each["name"],
            each["about"] or "all flows",
            Text(each["reason"]),
        )
    console.print(table)
    console.print("What to do about each: docs/runbook.md")


def _moment(text: str | None) -> str:
    return text[:19].replace("T", " ") if text else "-"


@alerts.command(epilog=_TEST_EXAMPLES)
def test() -> None:
    """Send a message to everybody in SYNCTASKS_ALERT_URLS. Exits 1 if somebody is not reached."""
    if not settings.load().alert_urls:
        raise SetupError(
            "environment",
            f"{settings.ALERTS_VARIABLE} is not set: nobody is told of alerts",
            "Set it to one or more Apprise URLs, separated by spaces: mailto://, json://, …",
        )
    title = "synctasks: a test"
    body = "If you read this, alerts of synctasks arrive here. There is nothing to do."
    unreached = 0
    for attempt in tell(title, body):
        outcome = "reached" if attempt.reached else "NOT reached"
        console.print(Text(f"{attempt.to}: {outcome}"), soft_wrap=True)
        unreached += not attempt.reached
    if unreached:
        console.print(
            "Who was not reached: is the URL right, does the service answer from this machine?"
        )
        sys.exit(1)
