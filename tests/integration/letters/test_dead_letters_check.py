"""`dead-letters check`: would they pass now? Nothing of it is written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from synctasks.flows.to_citizen.schemes import SCHEMES
from tests.letters import add_scheme, full_run, letter, letters, scheme_id, typed
from tests.rows import Connection, add_record, execute, rows, value

Work = Callable[[], None]

# All rows of all tables that a check may not touch, with the transactions that wrote them.
TABLES = """\
SELECT format('%%I.%%I', schemaname, tablename) FROM pg_tables WHERE schemaname = ANY (%s)
"""


@pytest.fixture
def nowhere_is_refused(citizen: Connection) -> Iterator[None]:
    """The portal takes no row of this city."""
    execute(citizen, "ALTER TABLE profile_data ADD CONSTRAINT known CHECK (city <> 'Nowhere')")
    yield
    execute(citizen, "ALTER TABLE profile_data DROP CONSTRAINT known")


def in_all_kinds_of_trouble(carry: Work, warehouse: Connection) -> None:
    """Letters of records that are mended, wrong still, gone, out of scope, or refused now."""
    for number in range(1, 6):
        wrong = {"gender": "female"} if number < 3 else {"full_name": ""}
        add_record(warehouse, f"GR-{number}", **wrong)
        carry()
    add_record(warehouse, "GR-6")
    carry()
    execute(warehouse, "DELETE FROM golden_records WHERE gr_id = 'GR-5'")
    execute(
        warehouse,
        "UPDATE golden_records SET (full_name, city_village) = ('Asha', 'Nowhere') "
        "WHERE gr_id = 'GR-4'",
    )
    for name in ("inactive", "right"):
        add_scheme(warehouse, name, scheme_name="")
    full_run(SCHEMES)
    execute(
        warehouse,
        "UPDATE eligibility.scheme_master SET (scheme_name, status) = "
        "('A scheme', CASE scheme_code WHEN 'right' THEN 'ACTIVE' ELSE 'INACTIVE' END)",
    )
    carry()
    execute(warehouse, "UPDATE golden_records SET gender = 'F' WHERE gr_id = 'GR-1'")


@pytest.mark.usefixtures("nowhere_is_refused")
def test_a_check_says_what_would_become_of_them_and_writes_nothing(
    carry: Work, warehouse: Connection, citizen: Connection
) -> None:
    in_all_kinds_of_trouble(carry, warehouse)
    before = everything(warehouse), everything(citizen)
    every = [str(each["id"]) for each in letters(warehouse)]
    outcome = typed("dead-letters", "check", *every, "--json")
    assert (everything(warehouse), everything(citizen)) == before
    assert outcome.returncode == 1
    found = json.loads(outcome.stdout)
    assert found[0] == {
        "id": letter(warehouse, "GR-1")["id"],
        "flow": "profile_data",
        "record": "GR-1",
        "now": "passes",
        "error": None,
    }
    refused = "citizen: check violation (table profile_data, constraint known) [23514]"
    assert {each["record"]: (each["now"], each["error"]) for each in found} == {
        "GR-1": ("passes", None),
        "GR-2": ("rejected", "gender: is none of M, F, O"),
        "GR-3": ("rejected", "full_name: is missing"),
        "GR-4": ("rejected", refused),
        "GR-5": ("is gone from the source", None),
        "inactive": ("is out of scope", None),
        "right": ("passes", None),
    }
    good = [str(each["id"]) for each in found if each["now"] != "rejected"]
    outcome = typed("dead-letters", "check", *good)
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert "is out of scope" in outcome.stdout


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("DELETE FROM eligibility.scheme_master", "is gone from the source"),
        ("UPDATE eligibility.scheme_master SET status = 'INACTIVE'", "is out of scope"),
    ],
    ids=["gone", "out of scope"],
)
def test_a_check_says_so_too_where_the_target_still_has_the_row(
    warehouse: Connection, citizen: Connection, change: str, said: str
) -> None:
    for name in ("S-1", "S-2"):
        add_scheme(warehouse, name)
    full_run(SCHEMES)
    execute(warehouse, "UPDATE eligibility.scheme_master SET scheme_name = ''")
    full_run(SCHEMES)
    execute(warehouse, f"{change} WHERE scheme_id = %s", [scheme_id("S-1")])
    outcome = typed("dead-letters", "check", str(letter(warehouse, "S-1")["id"]), "--json")
    assert [each["now"] for each in json.loads(outcome.stdout)] == [said]
    assert value(citizen, "SELECT status FROM schemes WHERE code = 'S-1'") == "ACTIVE"


def everything(connection: Connection) -> dict[str, list[str]]:
    """All rows of our and the public tables, and what wrote them."""
    return {
        table: sorted(rows(connection, f"SELECT (t.xmin, t.xmax, t)::text FROM {table} AS t"))
        for table in rows(connection, TABLES, [["public", "synctasks"]])
    }
