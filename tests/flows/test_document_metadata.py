"""Specification 2.3: given documents of citizens, when synced, then their metadata."""

from __future__ import annotations

import pytest

from synctasks.engine.extract import rows_sql
from synctasks.engine.merge import merge_sql
from synctasks.flow import Flow
from synctasks.flows import FLOWS
from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.flows.to_warehouse.document_metadata import DOCUMENT_METADATA
from synctasks.flows.to_warehouse.golden_records import GOLDEN_RECORDS
from tests.flows.citizens import (
    ASHA,
    NUMBERS,
    OTHER_NUMBER,
    RAVI,
    SECOND,
    UPDATED,
    change,
    given_citizen,
    given_record,
    letters,
    made,
)
from tests.flows.documents import SHOWN, document_id, given_document, shown, waiting
from tests.refreshing import versions
from tests.rows import Connection, add_record, execute, rows, value
from tests.syncing import Sync, by_events, by_full_run, either_way, pending

WRITTEN = {"read": 1, "written": 1}
STORAGE = "vault/7/income.pdf"


@pytest.fixture
def known(citizen: Connection, warehouse: Connection) -> None:
    """Asha, whom the warehouse knows."""
    given_citizen(citizen)
    given_record(warehouse)


@either_way
def test_a_document_of_a_known_citizen_is_known_to_the_warehouse(
    citizen: Connection, warehouse: Connection, known: None, sync: Sync
) -> None:
    one = given_document(citizen)
    two = given_document(citizen, 2, verification_status=None, file_size=0)
    assert sync(citizen, DOCUMENT_METADATA) == {"read": 2, "written": 2}
    expected = {"citizen_id": "GR-1", **SHOWN}
    other = {"verification_status": None, "file_size": 0}
    assert shown(warehouse) == {one: expected, two: {**expected, **other}}


@either_way
def test_what_becomes_of_its_verification_later_stays_with_the_portal(
    citizen: Connection, warehouse: Connection, known: None, sync: Sync
) -> None:
    given_document(citizen)
    sync(citizen, DOCUMENT_METADATA)
    before = versions(warehouse, "document_metadata", "document_id")
    execute(citizen, "UPDATE documents SET verification_status = 'verified'")
    assert pending(citizen, DOCUMENT_METADATA) == []
    assert by_full_run(citizen, DOCUMENT_METADATA) == {"read": 1, "unchanged": 1}
    assert versions(warehouse, "document_metadata", "document_id") == before


def test_only_a_new_document_is_an_event(citizen: Connection, known: None) -> None:
    given_document(citizen)
    assert pending(citizen, DOCUMENT_METADATA) == [(document_id(), "captured")]
    execute(citizen, "DELETE FROM synctasks.change_log")
    execute(citizen, "UPDATE documents SET file_name = 'x', storage_key = 'y', file_size = 1")
    execute(citizen, "DELETE FROM documents")
    assert pending(citizen, DOCUMENT_METADATA) == []


def test_a_document_that_is_gone_stays_known(
    citizen: Connection, warehouse: Connection, known: None
) -> None:
    given_document(citizen)
    given_document(citizen, 2)
    by_events(citizen, DOCUMENT_METADATA)
    before = versions(warehouse, "document_metadata", "document_id")
    execute(citizen, "DELETE FROM documents WHERE id = %s", [document_id()])
    assert by_full_run(citizen, DOCUMENT_METADATA) == {"read": 1, "unchanged": 1}
    assert versions(warehouse, "document_metadata", "document_id") == before


def test_a_repeat_writes_nothing(citizen: Connection, warehouse: Connection, known: None) -> None:
    given_document(citizen)
    by_events(citizen, DOCUMENT_METADATA)
    before = versions(warehouse, "document_metadata", "document_id")
    again = (
        "INSERT INTO synctasks.change_log (flow, lane, key, operation, origin) "
        "SELECT 'document_metadata', 0, %s, 'request', 'key'"
    )
    execute(citizen, again, [document_id()])
    assert by_events(citizen, DOCUMENT_METADATA) == {"read": 1, "unchanged": 1}
    assert versions(warehouse, "document_metadata", "document_id") == before


def test_a_document_uploaded_in_order_to_be_verified_arrives_when_its_citizen_is(
    citizen: Connection, warehouse: Connection
) -> None:
    """It waits; the drain of golden_records that brings its citizen wakes it."""
    given_citizen(citizen, verification_status="pending")
    given_document(citizen)
    by_events(citizen, GOLDEN_RECORDS)
    assert by_full_run(citizen, DOCUMENT_METADATA) == {"read": 1, "waiting": 1}
    assert waiting(citizen) == {document_id(): True}
    assert (shown(warehouse), letters(citizen)) == ({}, [])
    change(citizen, verification_status="verified")
    assert by_events(citizen, GOLDEN_RECORDS) == WRITTEN
    assert by_events(citizen, DOCUMENT_METADATA) == WRITTEN
    gr_id = made(warehouse, ASHA, "Asha Devi")
    assert shown(warehouse) == {document_id(): {"citizen_id": gr_id, **SHOWN}}
    assert waiting(citizen) == {}


def test_a_document_arrives_when_others_bring_its_citizen_to_the_warehouse(
    citizen: Connection, warehouse: Connection
) -> None:
    """The portal hears of it when the record's profile arrives there."""
    given_citizen(citizen, verification_status="pending")
    given_document(citizen)
    assert by_full_run(citizen, DOCUMENT_METADATA) == {"read": 1, "waiting": 1}
    add_record(warehouse, "GR-7", jan_aadhaar=NUMBERS[ASHA])
    assert by_events(citizen, DOCUMENT_METADATA) == {}, "nobody has said so yet"
    assert by_events(warehouse, PROFILE_DATA) == WRITTEN
    assert by_events(citizen, DOCUMENT_METADATA) == WRITTEN
    assert shown(warehouse)[document_id()]["citizen_id"] == "GR-7"
    assert waiting(citizen) == {}


def test_documents_of_others_go_on_waiting(citizen: Connection, warehouse: Connection) -> None:
    """Also of somebody whose number has the same last four digits, and is looked at in vain."""
    given_citizen(citizen, verification_status="pending")
    given_citizen(citizen, RAVI, verification_status="pending", aadhaar_number="999999991111")
    given_document(citizen, 1)
    given_document(citizen, 2, citizen_id=RAVI)
    assert by_full_run(citizen, DOCUMENT_METADATA) == {"read": 2, "waiting": 2}
    add_record(warehouse, "GR-7", jan_aadhaar=NUMBERS[ASHA])
    by_events(warehouse, PROFILE_DATA)
    assert by_events(citizen, DOCUMENT_METADATA) == {"read": 2, "written": 1, "waiting": 1}
    assert waiting(citizen) == {document_id(2): True}


@either_way
def test_a_document_whose_citizen_means_several_records_is_a_dead_letter(
    citizen: Connection, warehouse: Connection, known: None, sync: Sync
) -> None:
    given_record(warehouse, "GR-2")
    given_document(citizen)
    assert sync(citizen, DOCUMENT_METADATA) == {"read": 1, "rejected": 1}
    several = "citizen_id: means several rows of public.golden_records"
    assert letters(citizen) == [(document_id(), "consistency", several)]
    assert (shown(warehouse), waiting(citizen)) == ({}, {})


def test_a_document_follows_its_citizen_to_another_record(
    citizen: Connection, warehouse: Connection, known: None
) -> None:
    """A full run repairs whose it is; what it said of its verification stays."""
    given_record(warehouse, "GR-2", jan_aadhaar=OTHER_NUMBER)
    given_document(citizen)
    by_events(citizen, DOCUMENT_METADATA)
    change(citizen, aadhaar_number=OTHER_NUMBER, updated_at=UPDATED + SECOND)
    execute(citizen, "UPDATE documents SET verification_status = 'verified'")
    assert by_full_run(citizen, DOCUMENT_METADATA) == WRITTEN
    assert shown(warehouse) == {document_id(): {"citizen_id": "GR-2", **SHOWN}}


@pytest.mark.parametrize("flow", FLOWS, ids=[flow.name for flow in FLOWS])
def test_no_query_asks_where_documents_are_kept(flow: Flow) -> None:
    assert "storage_key" not in flow.watched
    merging = merge_sql(flow, from_document=True, dry=False, by_key=True)
    assert "storage_key" not in rows_sql(flow) + merging


def test_where_a_document_is_kept_reaches_no_table_but_its_own(
    citizen: Connection, warehouse: Connection, known: None
) -> None:
    """Whether it crosses, waits or is refused."""
    given_document(citizen)
    given_document(citizen, 2, file_size=-1)
    given_citizen(citizen, RAVI)
    given_document(citizen, 3, citizen_id=RAVI)
    assert by_full_run(citizen, DOCUMENT_METADATA) == {
        "read": 3,
        "written": 1,
        "rejected": 1,
        "waiting": 1,
    }
    for side in (citizen, warehouse):
        holding = [
            table
            for table in rows(
                side,
                "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables "
                "WHERE schemaname !~ '^(pg_|information_schema)' AND tablename <> 'documents'",
            )
            if value(side, f"SELECT bool_or(t::text LIKE '%{STORAGE}%') FROM {table} AS t")
        ]
        assert holding == []
