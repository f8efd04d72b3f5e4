"""`synctasks status`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from synctasks.cli.output import console, json_option, print_json, seconds
from synctasks.counts import BOXES
from synctasks.errors import PermanentError, SetupError
from synctasks.flows import FLOWS
from synctasks.monitoring.status import status as read_status


@click.command(epilog="\b\nExamples:\n  synctasks status\n  watch -n 1 synctasks status")
@json_option
def status(as_json: bool) -> None:
    """Show for each flow what is pending, how late it is, and its last full run."""
    try:
        found = read_status(FLOWS)
    except PermanentError:
        raise SetupError(
            "schema synctasks",
            "it is missing or unreadable in one of the databases",
            "Run: synctasks install",
        ) from None
    if as_json:
        print_json(found)
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("flow", no_wrap=True)
    for heading in ("pending", "oldest", "held", "waiting", "dead letters", "review", "p50", "p99"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("last full run (UTC)")
    for name, entry in found["flows"].items():
        latency = entry["latency_seconds"]
        table.add_row(
            name,
            _pending(entry),
            seconds(entry["oldest_pending_seconds"]),
            _count(entry, "held"),
            _waiting(entry),
            _count(entry, "dead_letters_open"),
            f"{entry['review']:,}",
            seconds(latency["p50"]),
            seconds(latency["p99"]),
            _last_run(entry["last_run"]),
        )
    console.print(table)
    console.print(f"Last heartbeats that arrived: {', '.join(_heartbeats(found['heartbeats']))}")
    for alert in found["alerts"]:
        about = f" {alert['about']}" if alert["about"] else ""
        console.print(
            Text(f"! {alert['name']}{about}: {alert['reason']}", style="red"), soft_wrap=True
        )
    if found["alerts"]:
        console.print("What to do about each: docs/runbook.md")


def _heartbeats(ages: dict[str, float | None]) -> Iterator[str]:
    """The direction of each, and how long ago it was sent."""
    for direction, age in ages.items():
        told = "none yet" if age is None else f"sent {seconds(age)} ago"
        yield f"{direction.replace('_', ' ')} {told}"


def _count(entry: dict[str, Any], name: str) -> str:
    """A count; one that is estimated from a sample says so."""
    return f"{'~' if name in entry['estimated'] else ''}{entry[name]:,}"


def _pending(entry: dict[str, Any]) -> str:
    """How many changes are pending, and how many rest until their flow's slot."""
    resting = f" + {_count(entry, 'resting')} until the slot" if entry["resting"] else ""
    paused = " (paused)" if entry["paused"] else ""
    return f"{_count(entry, 'pending')}{resting}{paused}"


def _waiting(entry: dict[str, Any]) -> str:
    """How many records wait, and since when the first of them."""
    if not entry["waiting"]:
        return "0"
    return f"{_count(entry, 'waiting')} for {seconds(entry['oldest_waiting_seconds'])}"


def _last_run(run: dict[str, Any] | None) -> str:
    if run is None:
        return "none yet"
    books = ", ".join(f"{run[box]:,} {box}" for box in ("read", *BOXES, "removed") if run[box])
    at = (run["finished_at"] or run["started_at"])[:16].replace("T", " ")
    return f"{run['state']} {at} {books}"
