"""`synctasks flows`."""

from __future__ import annotations

from typing import Any

import click
from rich.table import Table

from synctasks.cli.flows_page import page
from synctasks.cli.output import console, json_option, print_json
from synctasks.flow import Flow
from synctasks.flows import FLOWS

_EXAMPLES = """\b
Examples:
  synctasks flows
  synctasks flows --json
  synctasks flows --markdown > flows.md    all that is declared, as a page to read
"""


@click.command(epilog=_EXAMPLES)
@json_option
@click.option("--markdown", "as_page", is_flag=True, help="All that is declared, as a page.")
def flows(as_json: bool, as_page: bool) -> None:
    """List the flows: from where to where, when, and how values are masked."""
    if as_json:
        print_json([_declaration(flow) for flow in FLOWS])
        return
    if as_page:
        click.echo(page(FLOWS), nl=False)
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("flow", no_wrap=True)
    for heading in ("from", "to", "events", "schedule (UTC)", "time", "masked"):
        table.add_column(heading, overflow="fold")
    for flow in FLOWS:
        table.add_row(
            flow.name,
            f"{flow.source.database} {', '.join(_tables(flow))}",
            f"{flow.target.database} {flow.target.table}",
            ", ".join(flow.capture) or "none",
            str(flow.schedule or "none"),
            flow.source.time.column if flow.source.time else "none",
            ", ".join(column.name for column in flow.columns if column.mask) or "nothing",
        )
    console.print(table)


def _tables(flow: Flow) -> list[str]:
    return list(dict.fromkeys(table.name for table in flow.tables))


def _declaration(flow: Flow) -> dict[str, Any]:
    return {
        "name": flow.name,
        "specification": flow.specification,
        "summary": flow.summary,
        "source": {
            "database": flow.source.database,
            "table": flow.source.table,
            "tables": _tables(flow),
            "key": flow.source.key,
            "time": flow.source.time.column if flow.source.time else None,
        },
        "target": {
            "database": flow.target.database,
            "table": flow.target.table,
            "key": flow.target.key,
            "within": list(flow.target.within),
            "best": flow.target.best.most if flow.target.best else None,
            "match": flow.target.match.column if flow.target.match else None,
            "newest": flow.target.newest,
        },
        "columns": [
            {
                "name": column.name,
                "type": column.type,
                "source": column.reads or None,
                "constant": column.constant,
                "reference": column.reference.table if column.reference else None,
                "on_update": column.on_update,
                "mask": column.mask.name if column.mask else None,
                "optional": column.optional,
            }
            for column in flow.columns
        ],
        "scope": flow.scope.sql if flow.scope else None,
        "event_filter": flow.event_filter.sql if flow.event_filter else None,
        "absent": flow.absent,
        "capture": list(flow.capture),
        "schedule": str(flow.schedule) if flow.schedule else None,
        "schedule_asks_for": flow.schedule.asks_for.said if flow.schedule else None,
        "duties": {str(duty): str(schedule) for duty, schedule in flow.duties.items()},
        "stale": {"column": flow.stale.column, "days": flow.stale.after.days}
        if flow.stale
        else None,
        "lanes": flow.lanes,
    }
