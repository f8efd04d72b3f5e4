"""`synctasks pause` and `synctasks resume`."""

from __future__ import annotations

import sys

import click

from synctasks import pauses
from synctasks.capture import change_log
from synctasks.cli.moment import reason_option
from synctasks.cli.output import console
from synctasks.engine.quiet import wait_until_quiet
from synctasks.errors import LaneBusy
from synctasks.flows import by_name

_PAUSE_EXAMPLES = """\b
Examples:
  synctasks pause profile_data --reason "portal is being migrated"
  synctasks status                             which flows are paused
  synctasks resume profile_data
"""


@click.command(epilog=_PAUSE_EXAMPLES)
@click.argument("flow", metavar="FLOW")
@reason_option
def pause(flow: str, reason: str | None) -> None:
    """Let nobody write to the target of FLOW until it is resumed.

    Changes go on being captured, and nothing is lost: what is pending, a full run under way and a
    slot that falls due wait for the resume. When this command returns, nobody writes any more.
    """
    chosen = by_name(flow)
    lanes = change_log.lane_count(chosen)
    new = pauses.pause(chosen, reason)
    try:
        wait_until_quiet(chosen, lanes)
    except LaneBusy as problem:
        click.echo(
            f"synctasks: {chosen.name} is paused, but somebody still writes: {problem}. Pause it "
            "once more to wait on",
            err=True,
        )
        sys.exit(1)
    console.print(
        f"{chosen.name} is paused{'' if new else ' already'}. Let it go on with: "
        f"synctasks resume {chosen.name}",
        soft_wrap=True,
    )


@click.command(epilog="\b\nExample:\n  synctasks resume profile_data")
@click.argument("flow", metavar="FLOW")
@reason_option
def resume(flow: str, reason: str | None) -> None:
    """Let a paused FLOW go on where it stood.

    What was captured meanwhile is worked off at once, and does not count as late.
    """
    chosen = by_name(flow)
    if pauses.resume(chosen, reason):
        console.print(f"{chosen.name} goes on; see: synctasks status")
    else:
        console.print(f"{chosen.name} was not paused.")
