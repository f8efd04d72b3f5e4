"""The one error that this room raises for what its user can set right."""

from __future__ import annotations

from collections.abc import Sequence

from synctasks.errors import SetupError


class EmbeddedServerError(SetupError):
    """Says in one line what failed, why, and what to do; the end of a log may follow below it."""

    def __init__(self, thing: str, cause: str, remedy: str, log_lines: Sequence[str] = ()) -> None:
        super().__init__(thing, cause, remedy)
        self.log_lines = tuple(log_lines)

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *(f"    {line}" for line in self.log_lines)])
