"""The listener takes the hourly look at what waits, also at what was due before it started."""

from __future__ import annotations

from pathlib import Path

from synctasks.embedded.waiting import wait_until
from synctasks.flows.to_warehouse.document_metadata import DOCUMENT_METADATA
from tests.flows.documents import document_id
from tests.programs import running
from tests.rows import Connection, value
from tests.syncing import pending
from tests.waiting import given_waiting_document, hour_passes


def test_the_listener_asks_once_more_for_those_whose_hour_has_passed(
    citizen: Connection, tmp_path: Path
) -> None:
    given_waiting_document(citizen)
    hour_passes(citizen)
    with running("synctasks", "listen", log=tmp_path / "log"):
        wait_until(lambda: pending(citizen, DOCUMENT_METADATA) != [], 30, "the listener's look")
    assert pending(citizen, DOCUMENT_METADATA) == [(document_id(), "woken")]
    assert value(citizen, "SELECT next_look > statement_timestamp() FROM synctasks.waiting")
