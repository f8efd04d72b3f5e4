"""After 30 days a record waits no longer: it is a dead letter, until its reference comes."""

from __future__ import annotations

import pytest

from synctasks.flows.to_citizen.profile_data import PROFILE_DATA
from synctasks.flows.to_warehouse.document_metadata import DOCUMENT_METADATA
from tests.flows.citizens import ASHA
from tests.flows.documents import document_id, given_document, shown
from tests.letters import letter, states
from tests.refreshing import carry
from tests.rows import Connection, execute
from tests.syncing import Sync, by_events, by_full_run, either_way, pending
from tests.waiting import (
    WAITING,
    WRITTEN,
    age,
    asked_for,
    bring,
    given_waiting_document,
    status,
    verified,
    waits,
)

REJECTED = {"read": 1, "rejected": 1}
AN_HOUR = 1 / 24


@pytest.fixture
def look(request: pytest.FixtureRequest, citizen: Connection) -> Sync:
    """Look at the first document, in a drain or in a full run."""

    def looked(source: Connection, flow: object) -> dict[str, int]:
        if request.param == "full run":
            return by_full_run(source, DOCUMENT_METADATA)
        return asked_for(source, 1)

    return looked


either_look = pytest.mark.parametrize("look", ["drain", "full run"], indirect=True)


@either_look
def test_one_that_has_waited_for_30_days_is_a_dead_letter(citizen: Connection, look: Sync) -> None:
    given_waiting_document(citizen)
    age(citizen, 30 - AN_HOUR)
    assert look(citizen, DOCUMENT_METADATA) == WAITING
    age(citizen, AN_HOUR)
    assert look(citizen, DOCUMENT_METADATA) == REJECTED
    found = letter(citizen, document_id())
    error = "citizen_id: never came: the record has waited for 30 days"
    assert (found["kind"], found["category"], found["error"]) == ("record", "consistency", error)
    assert (found["unit"], found["state"], found["count"]) == (document_id(), "open", 1)
    assert (waits(citizen), pending(citizen, DOCUMENT_METADATA)) == ({}, [])
    said = status()
    assert (said["waiting"], said["dead_letters_open"]) == (0, 1)
    assert verified() == {"dead_lettered": 1}


@either_look
def test_only_those_whose_time_is_up_are_given_up(citizen: Connection, look: Sync) -> None:
    given_waiting_document(citizen)
    age(citizen, 31)
    given_waiting_document(citizen, 2)
    if look(citizen, DOCUMENT_METADATA) == REJECTED:
        assert asked_for(citizen, 2) == WAITING
    assert waits(citizen) == {document_id(2): True}
    assert states(citizen) == {document_id(): "open"}


@either_look
def test_its_letter_is_resolved_when_the_reference_comes_after_all(
    citizen: Connection, warehouse: Connection, look: Sync
) -> None:
    given_waiting_document(citizen)
    age(citizen, 30)
    assert look(citizen, DOCUMENT_METADATA) == REJECTED
    bring(warehouse, ASHA)
    carry(PROFILE_DATA)
    assert look(citizen, DOCUMENT_METADATA)["written"] == 1
    assert shown(warehouse)[document_id()]["citizen_id"] == "GR-1"
    assert (states(citizen), waits(citizen)) == ({document_id(): "resolved"}, {})
    assert status()["dead_letters_open"] == 0


@either_way
def test_one_whose_reference_comes_in_time_is_no_dead_letter_however_late(
    citizen: Connection, warehouse: Connection, sync: Sync
) -> None:
    given_waiting_document(citizen)
    age(citizen, 40)
    bring(warehouse, ASHA)
    carry(PROFILE_DATA)
    assert sync(citizen, DOCUMENT_METADATA) == WRITTEN
    assert (states(citizen), waits(citizen)) == ({}, {})


def test_one_that_breaks_its_contract_does_not_wait(citizen: Connection) -> None:
    """A record that is wrong need not wait for anything: not even if it did before."""
    given_document(citizen, file_size=-1)
    assert by_events(citizen, DOCUMENT_METADATA) == REJECTED
    assert waits(citizen) == {}
    given_waiting_document(citizen, 2)
    execute(citizen, "UPDATE documents SET file_name = NULL")
    assert asked_for(citizen, 2) == REJECTED
    assert (waits(citizen), states(citizen)) == (
        {},
        {document_id(): "open", document_id(2): "open"},
    )
