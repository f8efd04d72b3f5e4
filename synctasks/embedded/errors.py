"""The one error that this room raises for what its user can set right."""

from __future__ import annotations

from collections.abc import Sequence


class EmbeddedServerError(Exception):
    """Says in one line what failed, why, and what to do; the end of a log may follow below it."""

    def __init__(self, thing: str, cause: str, remedy: str, log_lines: Sequence[str] = ()) -> None:
        first_line = f"{thing}: {cause}. {remedy}."
        super().__init__("\n".join([first_line, *(f"    {line}" for line in log_lines)]))
