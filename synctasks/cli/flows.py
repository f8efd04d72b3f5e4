"""`synctasks flows`."""

from __future__ import annotations

from typing import Any

import click
from rich.table import Table

from synctasks.cli.output import console, json_option, print_json
from synctasks.flow import Flow
from synctasks.flows import FLOWS


@click.command(epilog="\b\nExamples:\n  synctasks flows\n  synctasks flows --json")
@json_option
def flows(as_json: bool) -> None:
    """List the flows: from where to where, when, and how values are masked."""
    if as_json:
        print_json([_declaration(flow) for flow in FLOWS])
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("flow", no_wrap=True)
    for heading in ("from", "to", "events", "schedule (UTC)", "masked"):
        table.add_column(heading, overflow="fold")
    for flow in FLOWS:
        table.add_row(
            flow.name,
            f"{flow.source.database} {flow.source.table}",
            f"{flow.target.database} {flow.target.table}",
            ", ".join(flow.capture) or "none",
            str(flow.schedule or "none"),
            ", ".join(column.name for column in flow.columns if column.mask) or "nothing",
        )
    console.print(table)


def _declaration(flow: Flow) -> dict[str, Any]:
    return {
        "name": flow.name,
        "specification": flow.specification,
        "summary": flow.summary,
        "source": {
            "database": flow.source.database,
            "table": flow.source.table,
            "key": flow.source.key,
        },
        "target": {
            "database": flow.target.database,
            "table": flow.target.table,
            "key": flow.target.key,
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
        "lanes": flow.lanes,
    }
