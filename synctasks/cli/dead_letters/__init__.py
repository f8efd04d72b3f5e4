"""`synctasks dead-letters …`."""

from __future__ import annotations

import click

from synctasks.cli.dead_letters.act import discard, replay
from synctasks.cli.dead_letters.check import check
from synctasks.cli.dead_letters.look import list_command, show


@click.group(name="dead-letters")
def dead_letters() -> None:
    """Records that were rejected: list, show, check, replay or discard them.

    A letter is opened when a record is rejected, counted when it is rejected again, and resolved
    by itself when the same record passes. Its source row is stored encrypted, on its own side.
    """


for _command in (list_command, show, check, replay, discard):
    dead_letters.add_command(_command)
