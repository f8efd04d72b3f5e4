"""A condition: what somebody has to look at, and why, with its numbers."""

from __future__ import annotations

from dataclasses import dataclass

RUNBOOK = "docs/runbook.md"


@dataclass(frozen=True)
class Condition:
    """`name` is the alert's; `about` what it is about: a flow, a process, a direction, a database.

    `about` is empty for all flows together.
    """

    name: str
    about: str
    reason: str

    @property
    def runbook(self) -> str:
        """Where it is written what to do about it."""
        return runbook(self.name)


def runbook(name: str) -> str:
    """The place in the runbook that says what to do about an alert."""
    return f"{RUNBOOK}#{anchor(name)}"


def anchor(name: str) -> str:
    """An alert's name as the runbook's links and the thresholds' sections have it."""
    return name.replace(" ", "-")
