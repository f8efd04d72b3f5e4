"""A dead letter before it is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What could not be done.

    A record was rejected; a task gave up, or its message was refused; a worker died of it.
    """

    RECORD = "record"
    TASK = "task"
    CRASH = "crash"


class State(StrEnum):
    """What has become of a letter."""

    OPEN = "open"
    REPLAYED = "replayed"
    RESOLVED = "resolved"
    DISCARDED = "discarded"


@dataclass(frozen=True)
class Letter:
    """A record that was rejected: `unit` is what is replayed, `record` what is wrong.

    `messages` and `error` hold no values; `row` is the source row (text by column) and leaves
    the process sealed only.
    """

    unit: str
    record: str
    category: str | None
    error: str
    messages: Mapping[str, Sequence[str]]
    row: Mapping[str, str | None] | None = None
    stack_trace: str | None = None
    kind: Kind = Kind.RECORD

    @property
    def happened(self) -> str:
        """What has become of its record, in a word."""
        return "rejected" if self.kind is Kind.RECORD else "failed"


def crashed(unit: str) -> Letter:
    """The letter of a unit that workers died of; its row is not read again."""
    error = "workers died while they reconciled it, the last times nothing else"
    return Letter(unit, unit, None, error, {"": [error]}, kind=Kind.CRASH)


def gave_up(task: str, error: str, stack_trace: str) -> Letter:
    """The letter of a task, which is its own record."""
    return Letter(task, task, None, error, {"": [error]}, None, stack_trace, Kind.TASK)
