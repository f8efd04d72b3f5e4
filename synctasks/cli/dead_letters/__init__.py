"""`synctasks dead-letters …`."""

from __future__ import annotations

import click

from synctasks.cli.lazy import LazyGroup

_COMMANDS = {
    "check": "synctasks.cli.dead_letters.check:check",
    "discard": "synctasks.cli.dead_letters.act:discard",
    "list": "synctasks.cli.dead_letters.look:list_command",
    "replay": "synctasks.cli.dead_letters.act:replay",
    "show": "synctasks.cli.dead_letters.look:show",
}


@click.group(name="dead-letters", cls=LazyGroup, found_at=_COMMANDS)
def dead_letters() -> None:
    """Records that were rejected: list, show, check, replay or discard them.

    A letter is opened when a record is rejected, counted when it is rejected again, and resolved
    by itself when the same record passes. Its source row is stored encrypted, on its own side.
    """
