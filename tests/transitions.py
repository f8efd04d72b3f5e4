"""What the warehouse must hold of applications, worked out in Python from their transitions alone.

A trigger of our own notes each transition in the transaction that makes it: the row may be gone
by the time that somebody looks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from tests.rows import Connection, rows

WITNESS = """\
CREATE SCHEMA IF NOT EXISTS witness;
CREATE TABLE IF NOT EXISTS witness.transition (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    application uuid NOT NULL,
    citizen uuid NOT NULL,
    scheme uuid NOT NULL,
    status text NOT NULL,
    submitted_at timestamptz,
    approved_at timestamptz
);

CREATE OR REPLACE FUNCTION witness.transit() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    INSERT INTO witness.transition (
        application, citizen, scheme, status, submitted_at, approved_at
    )
    VALUES (
        NEW.id, NEW.citizen_id, NEW.scheme_id, NEW.status, NEW.submitted_at, NEW.approved_at
    );
    RETURN NULL;
END
$body$;
CREATE OR REPLACE TRIGGER witness AFTER INSERT OR UPDATE ON public.service_applications
FOR EACH ROW EXECUTE FUNCTION witness.transit();
"""
FORGET = "TRUNCATE witness.transition"

# Whoever changes a row holds its lock: those of one application are in their order.
_TRANSITIONS = """\
SELECT
    transition.application::text, transition.status, transition.submitted_at,
    transition.approved_at, citizens.aadhaar_number, schemes.code
FROM witness.transition
JOIN citizens ON citizens.id = transition.citizen
JOIN schemes ON schemes.id = transition.scheme
ORDER BY transition.application, transition.id
"""
_HELD = """\
SELECT
    application_id::text, event_type, event_timestamp, approval_timestamp, citizen_id, scheme_code
FROM decision.application_events
"""
_SAYS = {
    status: f"APPLICATION_{status.upper()}"
    for status in ("submitted", "approved", "rejected", "withdrawn")
}
_WAS_SUBMITTED = ("submitted", "under_review", "approved", "rejected")

#: Application, event type, when it was submitted.
Name = tuple[str, str, datetime]


class Event(NamedTuple):
    """What is said of an event beside its name; `owner` is a number, or the record of it."""

    approved_at: datetime | None
    owner: str | None
    scheme: str


class Transition(NamedTuple):
    """What a statement left of an application."""

    application: str
    status: str
    submitted_at: datetime | None
    approved_at: datetime | None
    number: str
    scheme: str


@dataclass
class Expected:
    """The events of all applications, and the applications of which one lacks its times."""

    events: dict[Name, Event] = field(default_factory=dict)
    incomplete: set[str] = field(default_factory=set)

    def add(self, transitions: Sequence[Transition]) -> None:
        """Those of one application, in their order."""
        for place, one in enumerate(transitions):
            if one.status not in _SAYS or _is_a_draft_withdrawn(transitions, place):
                continue
            submitted, approved = _times(transitions[place:], one)
            if submitted is None or (approved is None and one.status == "approved"):
                self.incomplete.add(one.application)
                continue
            name = (one.application, _SAYS[one.status], submitted)
            before = self.events.get(name, Event(approved, one.number, one.scheme))
            latest = max(filter(None, (before.approved_at, approved)), default=None)
            self.events[name] = before._replace(approved_at=latest)


def expected(portal: Connection) -> Expected:
    """What was committed until now; owners are Aadhaar numbers."""
    found = Expected()
    transitions = [Transition(*row) for row in rows(portal, _TRANSITIONS)]
    for _, some in groupby(transitions, attrgetter("application")):
        found.add(list(some))
    return found


def held(warehouse: Connection) -> dict[Name, Event]:
    """What the warehouse holds; owners are golden records."""
    return {row[:3]: Event(*row[3:]) for row in rows(warehouse, _HELD)}


def _times(
    onwards: Sequence[Transition], one: Transition
) -> tuple[datetime | None, datetime | None]:
    """What a statement left open, the next one that says it has set."""
    submitted = next(_said(onwards, "submitted_at"), None)
    approved = next(_said(onwards, "approved_at"), None) if one.status == "approved" else None
    return submitted, approved


def _said(transitions: Sequence[Transition], time: str) -> Iterator[datetime]:
    return (each for each in map(attrgetter(time), transitions) if each is not None)


def _is_a_draft_withdrawn(transitions: Sequence[Transition], place: int) -> bool:
    one, earlier = transitions[place], transitions[:place]
    return (
        one.status == "withdrawn"
        and next(_said(transitions[place:], "submitted_at"), None) is None
        and not any(each.status in _WAS_SUBMITTED for each in earlier)
    )
