"""Given feedback at the portal, what the warehouse knows of it, and the slots that carry it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from synctasks import slots
from synctasks.flow import Duty
from synctasks.flows.to_warehouse.feedback_analytics import FEEDBACK_ANALYTICS
from tests.flows.citizens import ASHA
from tests.refreshing import run_of
from tests.rows import Connection, execute, insert, rows

SCHEME = "00000000-0000-4000-9000-000000000001"
GIVEN = datetime(2025, 8, 1, 11, 20, tzinfo=UTC)
FEEDBACK: dict[str, Any] = {
    "citizen_id": ASHA,
    "feedback_type": "praise",
    "rating": 5,
    "comment": "Quick, and kind people.",
    "scheme_id": SCHEME,
    "created_at": GIVEN,
}
# What it comes to in the warehouse, beside whose it is.
SHOWN: dict[str, Any] = {
    "feedback_type": "praise",
    "rating": 5,
    "comment": "Quick, and kind people.",
    "scheme_code": "PENSION",
    "created_at": GIVEN,
}


def feedback_id(number: int = 1) -> str:
    """The id of a feedback; they sort as their numbers do."""
    return f"00000000-0000-4000-e000-{number:012}"


def given_feedback(citizen: Connection, number: int = 1, **columns: Any) -> str:
    """Feedback of Asha's on the pension at the portal, but for these columns; its id."""
    scheme = "INSERT INTO schemes (id, code) VALUES (%s, 'PENSION') ON CONFLICT DO NOTHING"
    execute(citizen, scheme, [SCHEME])
    insert(citizen, "feedback", {**FEEDBACK, **columns, "id": feedback_id(number)})
    return feedback_id(number)


def shown(warehouse: Connection) -> dict[str, dict[str, Any]]:
    """The feedback that the warehouse knows, by id."""
    columns = ("citizen_id", *SHOWN)
    found = rows(warehouse, f"SELECT feedback_id, {', '.join(columns)} FROM feedback_analytics")
    return {each: dict(zip(columns, values, strict=True)) for each, *values in found}


def slot_comes(days: int = 1) -> int | None:
    """The daily slot of so many days from now comes: its run, or None if somebody has taken it."""
    taken = slots.take(FEEDBACK_ANALYTICS, Duty.SYNC, datetime.now(UTC) + timedelta(days=days))
    if taken is None:
        return None
    assert not taken.in_chunks, "its changes are drained like any others"
    return taken.run


def run(citizen: Connection, number: int | None) -> dict[str, Any]:
    """A slot's run: its state, and the counts that are not 0; its books balance."""
    assert number is not None, "the slot was taken"
    found = run_of(citizen, number)
    counts = ("planned", "read", "written", "unchanged", "rejected", "waiting")
    return {"state": found["state"], **{each: found[each] for each in counts if found[each]}}
