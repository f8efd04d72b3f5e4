"""Given applications at the portal, what the warehouse knows of their transitions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from synctasks.capture import change_log
from synctasks.capture.change_log import lane_count
from synctasks.engine.changes import LADDER_STEPS
from synctasks.engine.verify import verify
from synctasks.flows.to_warehouse.application_events import APPLICATION_EVENTS
from tests.flows.citizens import ASHA
from tests.rows import Connection, execute, insert, rows
from tests.syncing import by_events

PENSION = "00000000-0000-4000-b000-000000000001"
SCHEME: dict[str, Any] = {
    "id": PENSION,
    "code": "PENSION",
    "name": "Old age pension",
    "status": "ACTIVE",
}

BEGUN = datetime(2025, 5, 2, 10, 0, tzinfo=UTC)
SUBMITTED = datetime(2025, 5, 3, 11, 30, tzinfo=UTC)
APPROVED = datetime(2025, 5, 20, 16, 45, tzinfo=UTC)
DAY = timedelta(days=1)
APPLICATION: dict[str, Any] = {
    "citizen_id": ASHA,
    "scheme_id": PENSION,
    "status": "draft",
    "submitted_at": None,
    "approved_at": None,
    "created_at": BEGUN,
    "updated_at": BEGUN,
}
# What is said of a transition beside what happened and when: the citizen and the scheme.
WHOSE = ("GR-1", "PENSION")

#: Of an event its type, when it was submitted, and when it was approved.
Event = tuple[str, datetime, datetime | None]


def application_id(number: int = 1) -> str:
    """The id of an application; they sort as their numbers do."""
    return f"00000000-0000-4000-c000-{number:012}"


def given_scheme(citizen: Connection, **columns: Any) -> None:
    """A scheme that the portal offers."""
    insert(citizen, "schemes", {**SCHEME, **columns})


def given_application(citizen: Connection, number: int = 1, **columns: Any) -> str:
    """An application of Asha's for a pension, a draft but for these columns; its id."""
    row = {**APPLICATION, **columns, "id": application_id(number)}
    insert(citizen, "service_applications", row)
    return application_id(number)


def becomes(citizen: Connection, status: str, number: int = 1, **columns: Any) -> None:
    """One statement that changes an application's status, and these columns."""
    alter(citizen, number, status=status, **columns)


def alter(citizen: Connection, number: int = 1, **columns: Any) -> None:
    """One statement that changes these columns of an application."""
    assignments = ", ".join(f"{column} = %({column})s" for column in columns)
    execute(
        citizen,
        f"UPDATE service_applications SET {assignments} WHERE id = %(own_id)s",
        {**columns, "own_id": application_id(number)},
    )


def events(warehouse: Connection, number: int = 1) -> list[Event]:
    """The events of an application that the warehouse knows, by type; all of Asha's pension."""
    found = rows(
        warehouse,
        "SELECT event_type, event_timestamp, approval_timestamp, citizen_id, scheme_code "
        "FROM decision.application_events WHERE application_id = %s ORDER BY 2, 1",
        [application_id(number)],
    )
    assert {
        whose for *_, citizen, scheme in found if (whose := (citizen, scheme)) != WHOSE
    } == set()
    return [(event_type, submitted, approved) for event_type, submitted, approved, *_ in found]


def happened(word: str, submitted: datetime = SUBMITTED, approved: Any = None) -> Event:
    """An event of the warehouse's, by the portal's word for it."""
    return f"APPLICATION_{word.upper()}", submitted, approved


def logged(citizen: Connection, number: int = 1) -> list[str | None]:
    """The statuses in the event log, oldest first."""
    statement = """SELECT "row" ->> 'status' FROM synctasks.event_log WHERE key = %s ORDER BY id"""
    return rows(citizen, statement, [application_id(number)])


def asked_for(citizen: Connection, *numbers: int) -> dict[str, int]:
    """Somebody asks for applications by their ids, and they are worked off: the counts."""
    keys = [application_id(number) for number in numbers]
    change_log.request(APPLICATION_EVENTS, keys, origin="key")
    return by_events(citizen, APPLICATION_EVENTS)


def seconds_pass(citizen: Connection, seconds: float = 30) -> None:
    """All that was captured is so much older; what is put off comes now."""
    execute(
        citizen,
        "UPDATE synctasks.event_log SET captured_at = captured_at - make_interval(secs => %s)",
        [seconds],
    )
    execute(citizen, "UPDATE synctasks.change_log SET not_before = clock_timestamp()")


def climb(citizen: Connection, *, written: int = 0) -> None:
    """Try five times in vain what is not complete: the ladder up to its last step.

    `written` events are complete: they arrive at the first step.
    """
    for step in range(LADDER_STEPS):
        arrive = {"read": written, "written": written} if written and not step else {}
        assert by_events(citizen, APPLICATION_EVENTS) == arrive, "nothing else is decided"
        execute(citizen, "UPDATE synctasks.change_log SET not_before = clock_timestamp()")


def end_of_ladder(citizen: Connection) -> dict[str, int]:
    """The last try, after the time that a ladder takes: the counts."""
    seconds_pass(citizen)
    return by_events(citizen, APPLICATION_EVENTS)


def letters(citizen: Connection) -> list[tuple[str, str, str]]:
    """The open dead letters: unit, category and error, oldest first."""
    return rows(
        citizen,
        "SELECT unit, category, error FROM synctasks.dead_letter WHERE state = 'open' ORDER BY id",
    )


def forget_log(citizen: Connection) -> None:
    """As if the triggers had been installed only now."""
    execute(citizen, "DELETE FROM synctasks.event_log; DELETE FROM synctasks.change_log")


def verified() -> tuple[dict[str, int], list[str]]:
    """The classes of the flow's records that are not empty, and the keys of what is wrong."""
    wrong: list[str] = []
    *_, last = verify(APPLICATION_EVENTS, lane_count(APPLICATION_EVENTS), found=wrong.extend)
    return {name: count for name, count in last.counts.items() if count}, wrong
