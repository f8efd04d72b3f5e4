"""`synctasks explain`."""

from __future__ import annotations

import sys

import click

from synctasks.capture.change_log import lane_count
from synctasks.cli.explain.document import document
from synctasks.cli.explain.page import print_page
from synctasks.cli.output import json_option, print_json
from synctasks.engine.explain import explain
from synctasks.errors import SetupError
from synctasks.flow import Flow
from synctasks.flows import by_name

_EXAMPLES = """\b
Examples:
  synctasks explain profile_data GR-00000001
  synctasks explain ml_alerts AI-PLATFORM-07:7d444840-9dc0-41e0-9a5b-30d4c2f5c8a1
  synctasks explain user_behavior 2026-03-31 --limit 5
  synctasks explain schemes RJ-OLD-AGE --json

\b
What is shown of a person, on either side: the last four digits of an Aadhaar or mobile number,
the first character and the domain of an address, the first character of names and places, the
year of birth. Of what people wrote: its length.

\b
Exit status: 0 the target is as it should be, 1 it is not (yet), or there is no such record.
"""


@click.command(name="explain", epilog=_EXAMPLES)
@click.argument("flow", metavar="FLOW")
@click.argument("key", metavar="KEY")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="Show so many records of a unit that has many, those that need attention first.",
)
@json_option
def explain_command(flow: str, key: str, limit: int, as_json: bool) -> None:
    """Say why the record KEY of FLOW is or is not at the target, and what to do next.

    It shows both sides masked, what each filter and rule says, what is pending, and what stands
    in the way. Nothing is written.
    """
    chosen = by_name(flow)
    _check(chosen, key)
    explanation = explain(chosen, lane_count(chosen), key, most=limit)
    found = document(explanation)
    if as_json:
        print_json(found)
    else:
        print_page(found)
    if not explanation.conclusion.is_well:
        sys.exit(1)


def _check(flow: Flow, key: str) -> None:
    """Raises SetupError for a key that no unit of the flow can have."""
    # The empty key is the unit of the rows that have none.
    if key == "" and flow.source.key_nullable:
        return
    if problem := flow.source.key_problem(key):
        raise SetupError(
            thing=f"key {key[:80]!r} of flow {flow.name}",
            cause=problem,
            remedy=f"A key is the source's {flow.source.key} ({flow.source.key_type})",
        )
