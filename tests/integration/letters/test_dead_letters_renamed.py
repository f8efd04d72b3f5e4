"""A scheme that was renamed (same id, new code) is a dead letter; the portal's row stays."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from synctasks.capture import change_log
from synctasks.flows.to_citizen.schemes import SCHEMES
from tests.letters import add_scheme, full_run, letter, letters, scheme_id, states
from tests.rows import Connection, execute, rows

Work = Callable[[], None]

PORTAL = "SELECT schemes.xmin::text, schemes.* FROM schemes ORDER BY code"


@pytest.mark.parametrize(
    "way", [None, ["S-old", "S-new"], ["S-new"], ["S-old"]], ids=["full run", "both", "new", "old"]
)
def test_a_renamed_scheme_is_a_letter_and_the_portals_row_stays_as_it_is(
    carry: Work, warehouse: Connection, citizen: Connection, way: list[str] | None
) -> None:
    for name in ("S-1", "S-2", "S-old"):
        add_scheme(warehouse, name)
    full_run(SCHEMES)
    before = rows(citizen, PORTAL)
    execute(
        warehouse,
        "UPDATE eligibility.scheme_master SET (scheme_code, scheme_name) = ('S-new', 'Renamed') "
        "WHERE scheme_id = %s",
        [scheme_id("S-old")],
    )
    if way is None:
        for _ in range(2):
            full_run(SCHEMES)
    else:
        change_log.request(SCHEMES, way, origin="key")
        carry()
    assert rows(citizen, PORTAL) == before
    if way == ["S-old"]:
        assert letters(warehouse) == []
        return
    found = letter(warehouse, "S-new")
    assert states(warehouse) == {"S-new": "open"}
    assert (found["unit"], found["category"], found["count"]) == (
        "S-new",
        "consistency",
        2 if way is None else 1,
    )
    assert found["messages"] == {"scheme_id": ["is known at the target under another key"]}


def test_schemes_that_swap_their_codes_are_letters_both(
    warehouse: Connection, citizen: Connection
) -> None:
    for name in ("S-1", "S-2", "S-3"):
        add_scheme(warehouse, name)
    full_run(SCHEMES)
    before = rows(citizen, PORTAL)
    codes = {"S-1": "S-9", "S-2": "S-1", "S-9": "S-2"}
    for old, new in codes.items():
        rename = "UPDATE eligibility.scheme_master SET scheme_code = %s WHERE scheme_code = %s"
        execute(warehouse, rename, [new, old])
    full_run(SCHEMES)
    assert rows(citizen, PORTAL) == before
    assert states(warehouse) == {"S-1": "open", "S-2": "open"}
    for old, new in codes.items():
        execute(warehouse, rename, [new, old])
    full_run(SCHEMES)
    assert rows(citizen, PORTAL) == before
    assert states(warehouse) == {"S-1": "resolved", "S-2": "resolved"}


def test_a_scheme_that_gets_its_old_code_back_goes_on_as_before(
    warehouse: Connection, citizen: Connection
) -> None:
    add_scheme(warehouse, "S-old")
    full_run(SCHEMES)
    rename = "UPDATE eligibility.scheme_master SET scheme_code = %s"
    for code in ("S-new", "S-old"):
        execute(warehouse, rename, [code])
        full_run(SCHEMES)
    assert rows(citizen, "SELECT code, status FROM schemes") == [("S-old", "ACTIVE")]
