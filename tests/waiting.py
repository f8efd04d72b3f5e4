"""Documents that wait for their citizens: where they stand, and how time passes for them."""

from __future__ import annotations

import json
from typing import Any

from synctasks.capture import change_log
from synctasks.capture.change_log import lane_count
from synctasks.engine.verify import verify
from synctasks.flows.to_warehouse.document_metadata import DOCUMENT_METADATA
from tests.flows.citizens import NUMBERS
from tests.flows.documents import document_id, given_document
from tests.letters import typed
from tests.rows import Connection, add_record, execute, rows
from tests.syncing import by_events

WAITING = {"read": 1, "waiting": 1}
WRITTEN = {"read": 1, "written": 1}


def asked_for(citizen: Connection, *numbers: int) -> dict[str, int]:
    """Somebody asks for documents by their keys, and they are worked off: the counts."""
    change_log.request(DOCUMENT_METADATA, [document_id(each) for each in numbers], origin="key")
    return by_events(citizen, DOCUMENT_METADATA)


def given_waiting_document(citizen: Connection, number: int = 1, **columns: Any) -> None:
    """A document of Asha's that waits already."""
    given_document(citizen, number, **columns)
    execute(citizen, "DELETE FROM synctasks.change_log WHERE flow = 'document_metadata'")
    assert asked_for(citizen, number) == WAITING


def bring(warehouse: Connection, who: str, gr_id: str = "GR-1") -> None:
    """The golden record of a citizen, of which nobody has told the portal yet."""
    add_record(warehouse, gr_id, jan_aadhaar=NUMBERS[who])


def due_now(citizen: Connection) -> None:
    """What is put off comes now."""
    execute(citizen, "UPDATE synctasks.change_log SET not_before = clock_timestamp()")


def put_off(citizen: Connection) -> None:
    """What is put off comes as late as it ever does: no slow machine gets there before."""
    latest = "clock_timestamp() + interval '9 seconds'"
    execute(citizen, f"UPDATE synctasks.change_log SET not_before = {latest}")


def age(citizen: Connection, days: float) -> None:
    """All have waited for so many days more."""
    execute(
        citizen,
        "UPDATE synctasks.waiting SET since = since - make_interval(secs => %s)",
        [days * 86_400],
    )


def hour_passes(citizen: Connection) -> None:
    """The hourly look at all that waits is due."""
    execute(citizen, "UPDATE synctasks.waiting SET next_look = statement_timestamp()")


def waits(citizen: Connection) -> dict[str, bool]:
    """Who waits: by unit whether it rests already, instead of being tried by itself."""
    return dict(rows(citizen, "SELECT unit, since IS NOT NULL FROM synctasks.waiting"))


def status() -> dict[str, Any]:
    """What `synctasks status --json` says of the flow."""
    said = typed("status", "--json")
    assert said.returncode in (0, 1), said
    found: dict[str, Any] = json.loads(said.stdout)["flows"]["document_metadata"]
    return found


def verified() -> dict[str, int]:
    """The classes of the flow's records that are not empty."""
    *_, last = verify(DOCUMENT_METADATA, lane_count(DOCUMENT_METADATA))
    return {name: count for name, count in last.counts.items() if count}
