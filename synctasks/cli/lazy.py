"""A group that imports a command when it is called, not all of them for each."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class LazyGroup(click.Group):
    """Its commands by name, each where it is found: `package.module:attribute`."""

    def __init__(self, *arguments: Any, found_at: Mapping[str, str], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._found_at = found_at

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted(self._found_at)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in self._found_at:
            return None
        module, attribute = self._found_at[name].split(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command
