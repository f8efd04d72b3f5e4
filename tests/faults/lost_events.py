"""Every transition of an application that was committed, and the warehouse's events."""

from __future__ import annotations

from tests.faults.compared import Row, compared, owners
from tests.rows import Connection
from tests.transitions import Event, Name, expected, held


def lost_events(warehouse: Connection, portal: Connection) -> list[str]:
    """Transitions without exactly one event that says when it was, and when it was approved."""
    records = owners(warehouse)
    found = expected(portal)
    said = {
        _named(name): _said(event._replace(owner=records.get(str(event.owner))))
        for name, event in found.events.items()
    }
    there = {_named(name): _said(event) for name, event in held(warehouse).items()}
    without = [f"application_events: {each} lacks a time" for each in sorted(found.incomplete)]
    return compared("application_events", said, there) + without


def _named(name: Name) -> object:
    application, event, submitted = name
    return f"{application} {event} of {submitted:%H:%M:%S.%f}"


def _said(event: Event) -> Row:
    approved = f"{event.approved_at:%H:%M:%S.%f}" if event.approved_at else "not approved"
    return approved, event.owner, event.scheme
