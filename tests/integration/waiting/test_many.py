"""Hundreds wait as one does: they are noted, woken and written together."""

from __future__ import annotations

import pytest

from synctasks.engine import stage
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.flows.to_warehouse.document_metadata import DOCUMENT_METADATA
from tests.flows.citizens import ASHA
from tests.flows.documents import given_document
from tests.refreshing import carry
from tests.rows import Connection, execute, value
from tests.syncing import by_events, by_full_run
from tests.waiting import bring, status, waits

MANY = 240
_MORE = """\
INSERT INTO documents
SELECT
    gen_random_uuid(), citizen_id, document_type, file_name, file_size, storage_key, uploaded_at,
    verification_status
FROM documents, generate_series(2, %s)
"""


def test_more_than_a_document_holds_wait_and_are_woken(
    citizen: Connection, warehouse: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They travel by COPY."""
    monkeypatch.setattr(stage, "MOST_KEYS", 10)
    given_document(citizen)
    execute(citizen, _MORE, [MANY])
    assert by_full_run(citizen, DOCUMENT_METADATA) == {"read": MANY, "waiting": MANY}
    assert set(waits(citizen).values()) == {True}
    assert status()["waiting"] == MANY
    bring(warehouse, ASHA)
    carry(PROFILE_DATA)
    assert by_events(citizen, DOCUMENT_METADATA) == {"read": MANY, "written": MANY}
    assert waits(citizen) == {}
    assert value(warehouse, "SELECT count(*) FROM document_metadata") == MANY
