"""Looks at a target, again and again: what was seen once is never followed by something older."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.integration.machine.broken import WentBack
from tests.rows import Connection, rows


@dataclass
class Seen:
    """A target's rows by `statement` (key, version), of which the version only grows.

    `stays`: no row ever goes away. `returns`: one that went may come again as it was.
    """

    connection: Connection
    statement: str
    stays: bool = False
    returns: bool = False
    _newest: dict[Any, Any] = field(default_factory=dict)
    _there: set[Any] = field(default_factory=set)

    def look(self) -> None:
        """Raises WentBack."""
        now = dict(rows(self.connection, self.statement))
        gone = self._there - now.keys()
        if self.stays and gone:
            raise WentBack(f"gone: {gone}")
        for key, version in now.items():
            newest = self._newest.get(key)
            if newest is not None and version < newest:
                raise WentBack(f"{key}: {version} after {newest}")
            if version == newest and key not in self._there and not self.returns:
                raise WentBack(f"{key}: {version} was removed, and is there again")
        self._newest |= now
        self._there = set(now)
