"""What the warehouse must know of applications, in Python, from what was committed alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

#: The portal's words that are events of the warehouse's.
WORDS = ("submitted", "approved", "rejected", "withdrawn")
QUIET = ("draft", "under_review")
UNKNOWN = "lost"

#: Of an event its word and when it was submitted; with it goes when it was approved.
Known = dict[tuple[str, datetime], datetime | None]


@dataclass(frozen=True)
class Row:
    """An application as it is."""

    status: str
    submitted_at: datetime | None
    approved_at: datetime | None


@dataclass
class Story:
    """All that an application was, one after the other, whether its row is there or not."""

    row: Row | None = None
    told: list[Row] = field(default_factory=list)

    def becomes(self, row: Row | None) -> None:
        """A statement left it so; None deletes it."""
        if row is not None and row != self.row:
            self.told.append(row)
        self.row = row

    def copy(self) -> Story:
        return replace(self, told=list(self.told))


def known(told: list[Row]) -> Known:
    """The events that the warehouse has of a story that is over."""
    found: Known = {}
    for word, submitted, approved in _transitions(told):
        if word in WORDS and submitted and (approved or word != "approved"):
            times = [each for each in (found.get((word, submitted)), approved) if each]
            found[word, submitted] = max(times, default=None)
    return found


def letters(told: list[Row]) -> int:
    """How many of its transitions stay dead letters: unknown, or never completed."""
    return sum(
        word not in (*WORDS, *QUIET)
        or (word in WORDS and (not submitted or (word == "approved" and not approved)))
        for word, submitted, approved in _transitions(told)
    )


def _transitions(told: list[Row]) -> Iterable[tuple[str, datetime | None, datetime | None]]:
    """Each with its times, which later rows of the same submission may have set."""
    was_submitted = False
    for place, row in enumerate(told):
        before = told[place - 1] if place else None
        if before and before.status in (*WORDS, "under_review") and before.status != "withdrawn":
            was_submitted = True
        if before and _only_clears(before, row):
            continue
        rest = list(_until_begun_anew(told[place:]))
        submitted = next((each.submitted_at for each in rest if each.submitted_at), None)
        approved = next((each.approved_at for each in rest if each.approved_at), None)
        if row.status == "withdrawn" and not was_submitted and not row.submitted_at:
            continue
        yield row.status, submitted, approved if row.status == "approved" else None


def _only_clears(before: Row, row: Row) -> bool:
    return (
        row.status == before.status
        and row.submitted_at in (None, before.submitted_at)
        and row.approved_at in (None, before.approved_at)
    )


def _until_begun_anew(told: list[Row]) -> Iterable[Row]:
    for place, row in enumerate(told):
        before = told[place - 1].status if place else row.status
        again = row.status == "submitted" and before in ("approved", "rejected", "withdrawn")
        if again or (row.status == "draft" and before != "draft"):
            return
        yield row
